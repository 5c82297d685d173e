"""The Report screen on real run directories: verdicts, missing parts, files, hostile text."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import until
from evaluations import add_suite, evaluated_run, heldout_file, make_run
from textual.pilot import Pilot
from textual.widgets import Static

from tuner_tui.evaluation.layout import arm_file, heldout_dir
from tuner_tui.runs.layout import RunState
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.report import ReportScreen
from tuner_tui.tui.widgets.curve_chart import CurveChart


@asynccontextmanager
async def opened(
    run_dir: Path | None, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Pilot[None], ReportScreen]]:
    app = TunerApp()
    app.journey.run_dir = run_dir
    async with app.run_test(size=size) as pilot:
        app.go("report")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        screen = app.screen
        assert isinstance(screen, ReportScreen)
        await until(pilot, lambda: bool(screen.query("#verdict")) and bool(text(screen, "#verdict")))
        # The whole report is laid out last, and then the pages are shown.
        await until(pilot, lambda: screen._report is None or screen.query_one("#pages").display)
        yield pilot, screen


def text(screen: ReportScreen, selector: str) -> str:
    return str(screen.query_one(selector, Static).visual)


def drawn(screen: ReportScreen) -> str:
    return "\n".join(strip.text for strip in screen._compositor.render_strips())


async def test_the_verdict_comes_first_and_the_evidence_follows(tmp_path: Path) -> None:
    run_dir = evaluated_run(tmp_path)
    async with opened(run_dir) as (pilot, screen):
        # One of four requests without a tool is called for: too many to ship.
        assert text(screen, "#verdict").startswith("✗ Do not ship.")
        assert "Rule: " in text(screen, "#verdict")
        await until(pilot, lambda: "✓ converged" in text(screen, "#training-verdict"))
        await until(pilot, lambda: "Held-out rows" in text(screen, "#figures"))
        assert "tuned also: right tool 100%" in text(screen, "#figures")
        for question in ("Convergence", "Overfitting", "Under-training", "Instability"):
            await until(pilot, lambda question=question: question in text(screen, "#checks"))
        assert text(screen, "#checks").count("Rule: ") == 4
        assert "Energy: not measured" in text(screen, "#notes")
        assert screen.query_one(CurveChart).display
        assert "8 fixed" in text(screen, "#notes")
        assert str(run_dir / "config.yaml") in text(screen, "#notes")
        assert f"tuner train {run_dir / 'config.yaml'}" in text(screen, "#notes")


async def test_w_writes_the_files_and_the_step_is_done(tmp_path: Path) -> None:
    run_dir = evaluated_run(tmp_path)
    async with opened(run_dir) as (pilot, screen):
        await pilot.press("w")
        await until(pilot, lambda: (run_dir / "report.json").is_file())
        assert json.loads((run_dir / "report.json").read_bytes())["verdict"]["decision"] == "do_not_ship"
        assert (run_dir / "report.md").read_text().startswith("# Do not ship")
        await until(pilot, lambda: "report" in screen.journey.done())


async def test_paths_and_commands_can_be_copied(tmp_path: Path) -> None:
    run_dir = evaluated_run(tmp_path)
    async with opened(run_dir) as (pilot, _):
        await pilot.press("o")
        await until(pilot, lambda: pilot.app.clipboard == str(run_dir))
        await pilot.press("y")
        await until(pilot, lambda: pilot.app.clipboard.startswith("tuner train "))


async def test_a_run_that_was_not_evaluated_leads_to_the_evaluation(tmp_path: Path) -> None:
    async with opened(make_run(heldout_file(tmp_path))) as (pilot, screen):
        assert "Not evaluated yet" in text(screen, "#verdict")
        assert not screen.query_one("#figures").display
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "evaluate")


async def test_a_failed_run_says_so(tmp_path: Path) -> None:
    async with opened(make_run(heldout_file(tmp_path), RunState.FAILED, adapter=False)) as (_, screen):
        assert "The run failed" in text(screen, "#verdict")


async def test_without_a_run_it_says_what_to_do_next() -> None:
    async with opened(None) as (pilot, screen):
        assert "no run to report on yet" in text(screen, "#verdict")
        assert not screen.check_action("write", ())
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "home")


async def test_a_folder_that_is_no_run_is_reported_in_a_sentence(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, screen):
        assert "not a readable run" in text(screen, "#verdict")


async def test_an_evaluation_cut_off_in_mid_line_still_gives_a_report(tmp_path: Path) -> None:
    run_dir = evaluated_run(tmp_path)
    with arm_file(heldout_dir(run_dir), "tuned").open("ab") as file:
        file.write(b'{"id": "13", "row"')
    async with opened(run_dir) as (_, screen):
        assert "Do not ship" in text(screen, "#verdict")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_hostile_text_is_shown_on_both_pages(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(evaluated_run(tmp_path), size) as (pilot, screen):
        await until(pilot, lambda: "[bold]Ignore[/bold]" in text(screen, "#notes"))
        for _ in range(6):
            assert not {"\x1b", "\x07", "\u202e"} & set(drawn(screen))
            await pilot.press("pagedown")
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: screen.query_one("#whole").display)
        for _ in range(12):
            assert not {"\x1b", "\x07", "\u202e"} & set(drawn(screen))
            await pilot.press("pagedown")


async def test_the_other_suites_are_there(tmp_path: Path) -> None:
    run_dir = evaluated_run(tmp_path)
    add_suite(run_dir, "tasks", "Task [bold]completion")
    async with opened(run_dir, (80, 24)) as (_, screen):
        figures = text(screen, "#figures")
        assert "Task [bold]completion" in figures and "Tuned, plain prompt" in figures
        assert "Better: " in figures and "␛[31m" in figures and "\x1b" not in figures
        assert "+0 [-6 to +6]; acceptable loss 10 points" in " ".join(figures.split())
