"""Choosing suites on the Evaluate screen: what is told of each before it starts, and what becomes of it."""

import json
from pathlib import Path

import pytest
from conftest import shows, until
from evaluations import add_suite, evaluated_run, heldout_file, make_run, write_evaluation
from test_evaluate import about, drawn, opened, suite_lines, text
from textual.widgets import Input, Static

from tuner_tui import paths
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.heartbeat import Heartbeat
from tuner_tui.evaluation.layout import heldout_dir, suite_dir
from tuner_tui.evaluation.orders import Order
from tuner_tui.evaluation.several import BEGUN, ORDERS, queue_dir, read_queue
from tuner_tui.evaluation.suites import SUITES
from tuner_tui.runs import files
from tuner_tui.runs.layout import RunState
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.screens.evaluate import EvaluateScreen
from tuner_tui.tui.widgets.dialogs import ChooseDialog
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.suite_list import SuiteList

NAMES = list(SUITES)


def own_tasks(folder: Path) -> Path:
    """A file of two tasks, taken from the sample."""
    document = json.loads((paths.sample_data() / "tasks.json").read_text())
    path = folder / "own.json"
    path.write_text(json.dumps({**document, "tasks": document["tasks"][:2]}))
    return path


def line(screen: EvaluateScreen, name: str) -> str:
    """The line of a suite, "" before it is drawn."""
    lines = suite_lines(screen)
    return lines[NAMES.index(name)] if lines else ""


def to(name: str) -> list[str]:
    """The keys from the first suite to another."""
    return ["down"] * NAMES.index(name)


async def test_every_suite_is_listed_with_items_and_what_is_missing(tmp_path: Path) -> None:
    async with opened(make_run(heldout_file(tmp_path)), (80, 24)) as (pilot, screen):
        await until(
            pilot, lambda: len(suite_lines(screen)) == len(NAMES) and "…" not in "".join(suite_lines(screen))
        )
        lines = dict(zip(NAMES, suite_lines(screen), strict=True))
        assert lines["heldout"].split()[:2] == ["[x]", "Held-out"] and " 12 " in lines["heldout"]
        assert " 54 " in lines["tasks"] and "12 points" in lines["tasks"]
        assert "needs a file (o)" in lines["apibench"]
        assert "3,641" in lines["bfcl"] or "not installed" in lines["bfcl"]
        assert max(map(len, lines.values())) <= 76
        await until(pilot, lambda: "1 suite, 12 items" in text(screen, "#choice"))
        assert "s starts" in text(screen, "#choice")


@pytest.mark.parametrize("name", NAMES)
async def test_the_suite_under_the_cursor_is_explained(tmp_path: Path, name: str) -> None:
    async with opened(make_run(heldout_file(tmp_path)), (80, 24)) as (pilot, screen):
        await until(pilot, lambda: len(suite_lines(screen)) == len(NAMES))
        await pilot.press(*to(name))
        wanted = "needs a file" if name in ("apibench", "lm_eval") else "points may go unseen"
        await until(pilot, lambda: wanted in about(screen) or "not installed" in about(screen))


async def test_fewer_items_show_less(tmp_path: Path) -> None:
    async with opened(make_run(heldout_file(tmp_path))) as (pilot, screen):
        await until(pilot, lambda: "12 points" in line(screen, "tasks"))
        await pilot.press(*to("tasks"), "space", "l")
        await until(pilot, lambda: shows(pilot.app, ChooseDialog))
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen.focused, Input))
        await pilot.press(*"20", "enter")
        await until(pilot, lambda: "20 points" in line(screen, "tasks"))
        await until(pilot, lambda: "20 of 54 items" in about(screen))
        assert "2 suites, 32 items" in text(screen, "#choice")
        orders = screen._results.suites.orders
        assert orders == [Order("heldout", items=20), Order("tasks", items=20)]


async def test_a_suite_that_needs_a_file_asks_for_it(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    async with opened(make_run(heldout_file(tmp_path))) as (pilot, screen):
        await until(pilot, lambda: "needs a file" in "".join(suite_lines(screen)))
        await pilot.press(*to("apibench"), "space")
        await until(pilot, lambda: shows(pilot.app, FilePicker))
        await pilot.press(*str(wrong), "enter")
        await until(pilot, lambda: pilot.app.screen is screen)
        await until(pilot, lambda: "no row of it is one of APIBench" in about(screen))
        await until(pilot, lambda: "[ ] APIBench" in line(screen, "apibench"))


async def test_tasks_of_ones_own_are_counted(tmp_path: Path) -> None:
    path = own_tasks(tmp_path)
    async with opened(make_run(heldout_file(tmp_path))) as (pilot, screen):
        await until(pilot, lambda: "12 points" in line(screen, "tasks"))
        await pilot.press(*to("tasks"), "o")
        await until(pilot, lambda: shows(pilot.app, FilePicker))
        await pilot.press(*str(path), "enter")
        await until(pilot, lambda: "own.json: 2 items" in about(screen))
        assert Order("tasks", path) in screen._results.suites.orders


async def test_what_has_been_measured_is_not_measured_again_unasked(tmp_path: Path) -> None:
    async with opened(evaluated_run(tmp_path)) as (pilot, screen):
        await until(pilot, lambda: "tuned 100%" in "".join(suite_lines(screen)))
        assert not screen.check_action("start", ())
        measured = "Measured on 12 items, exactly right: base 0%, tuned 100%."
        await until(pilot, lambda: measured in about(screen))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: screen._results.choosing and isinstance(screen.focused, SuiteList))
        await pilot.press("space")
        await until(pilot, lambda: bool(screen.check_action("start", ())))
        await pilot.press("s")
        await until(pilot, lambda: "Measure again?" in "".join(_texts(pilot.app.screen)))
        await until(pilot, lambda: shows(pilot.app, ConfirmScreen))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert read_queue(queue_dir(screen.journey.run_dir or tmp_path)) is None


async def test_a_suite_that_cannot_be_measured_says_why(tmp_path: Path) -> None:
    heldout = heldout_file(tmp_path)
    run_dir = make_run(heldout)
    async with opened(run_dir) as (pilot, screen):
        await until(pilot, lambda: "12 items" in about(screen))
        heldout.unlink()
        await pilot.press("s")
        await until(pilot, lambda: "✗ failed" in line(screen, "heldout"), 60)
        await until(pilot, lambda: "heldout.jsonl" in about(screen) and "✗" in about(screen))
        await until(pilot, lambda: bool(screen.check_action("start", ())))


async def test_a_queue_shows_what_is_at_work_and_what_waits(tmp_path: Path) -> None:
    run_dir = make_run(heldout_file(tmp_path))
    folder, work = queue_dir(run_dir), suite_dir(run_dir, "general")
    for each in (folder, work):
        (each / layout.CONTROL).mkdir(parents=True)
    orders = [Order(name) for name in ("general", "tasks")]
    asked = {
        "run": str(run_dir),
        "subject": run_dir.name,
        "orders": [order.to_json() for order in orders],
    }
    files.write_json(folder / ORDERS, asked)
    files.write_json(folder / BEGUN, {"folders": {"general": str(work)}, "faults": {}})
    queue, suite = Heartbeat(folder, {}), Heartbeat(work, {"base": (139, 139), "tuned": (40, 139)})
    queue.update(state=str(RunState.RUNNING), phase="general")
    suite.update(state=str(RunState.RUNNING), phase="generating", arm="tuned")
    try:
        async with opened(run_dir, (80, 24)) as (pilot, screen):
            await until(pilot, lambda: len(suite_lines(screen)) == len(NAMES))
            assert "General ability: generating, 1 more to come" in text(screen, "#headline")
            assert "● 179/278" in line(screen, "general") and "◌ waiting" in line(screen, "tasks")
            await until(pilot, lambda: "running" in drawn(screen) and "40/139" in drawn(screen))
            assert not screen.check_action("start", ())
            assert [order.suite for order in screen._results.suites.orders] == ["tasks", "general"]
            await pilot.press("x")
            await until(pilot, lambda: (folder / layout.STOP).exists() and (work / layout.STOP).exists())
            suite.end(RunState.STOPPED)
            queue.end(RunState.STOPPED)
            await until(pilot, lambda: "■ stopped" in line(screen, "general"))
            await until(pilot, lambda: bool(screen.check_action("start", ())))
    finally:
        for heartbeat in (queue, suite):
            heartbeat.end(RunState.STOPPED)
    # What was stopped is ticked when the screen is shown anew.
    async with opened(run_dir) as (pilot, screen):
        await until(pilot, lambda: len(suite_lines(screen)) == len(NAMES))
        assert [order.suite for order in screen._results.suites.orders] == ["tasks", "general"]


async def test_what_a_command_began_and_was_stopped_is_ticked(tmp_path: Path) -> None:
    heldout = heldout_file(tmp_path)
    run_dir = make_run(heldout)
    write_evaluation(heldout_dir(run_dir), heldout, state=RunState.STOPPED)
    request = json.loads((heldout_dir(run_dir) / layout.REQUEST).read_text())
    files.write_json(heldout_dir(run_dir) / layout.REQUEST, {**request, "limit": 7})
    async with opened(run_dir) as (pilot, screen):
        await until(pilot, lambda: "■ stopped" in line(screen, "heldout"))
        assert screen._results.suites.orders == [Order("heldout", items=7)]


async def test_results_of_other_suites_lead_to_the_report(tmp_path: Path) -> None:
    run_dir = evaluated_run(tmp_path)
    add_suite(run_dir, "tasks", "Task completion")
    async with opened(run_dir) as (pilot, screen):
        await until(pilot, lambda: sum("tuned 100%" in line for line in suite_lines(screen)) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "report")


def _texts(screen: object) -> list[str]:
    return [str(each.visual) for each in screen.query(Static)]  # type: ignore[attr-defined]
