"""The Evaluate screen on real evaluation folders: what it shows, what its keys do, hostile answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import until
from evaluations import (
    add_suite,
    evaluated_run,
    heldout_file,
    make_run,
    measured_base,
    write_evaluation,
)
from textual.pilot import Pilot
from textual.widgets import OptionList, Static, TabbedContent

from tuner_tui.evaluation.layout import heldout_dir
from tuner_tui.runs.layout import RunState
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.evaluate import EvaluateScreen
from tuner_tui.tui.widgets.prose import Prose
from tuner_tui.tui.widgets.suite_list import SuiteList


@asynccontextmanager
async def opened(
    run_dir: Path | None = None, size: tuple[int, int] = (120, 40), **journey: object
) -> AsyncIterator[tuple[Pilot[None], EvaluateScreen]]:
    app = TunerApp()
    app.journey.run_dir = run_dir
    for name, value in journey.items():
        setattr(app.journey, name, value)
    async with app.run_test(size=size) as pilot:
        app.go("evaluate")
        await until(pilot, lambda: isinstance(app.screen, EvaluateScreen))
        screen = app.screen
        assert isinstance(screen, EvaluateScreen)
        await until(pilot, lambda: bool(screen.query("#headline")) and bool(text(screen, "#headline")))
        if screen._view is not None and screen._results.choosing:
            await until(pilot, lambda: isinstance(screen.focused, SuiteList))
        yield pilot, screen


def text(screen: EvaluateScreen, selector: str) -> str:
    return str(screen.query_one(selector, Static).visual)


def about(screen: EvaluateScreen) -> str:
    """What is said of the suite under the cursor."""
    return " ".join(str(screen.query_one("#about", Prose).render()).split())


def suite_lines(screen: EvaluateScreen) -> list[str]:
    """The list of suites, as it is drawn."""
    suites = screen.query_one(SuiteList)
    return [str(suites.get_option_at_index(n).prompt) for n in range(suites.option_count)]


def drawn(screen: EvaluateScreen) -> str:
    return "\n".join(strip.text for strip in screen._compositor.render_strips())


async def test_a_measured_run_shows_figures_with_counts_and_intervals(tmp_path: Path) -> None:
    async with opened(evaluated_run(tmp_path)) as (pilot, screen):
        await until(pilot, lambda: bool(screen.query("MeasureBlock")))
        assert "100% of calls exactly right (8/8)" in text(screen, "#headline")
        await until(pilot, lambda: "8 requests need a call, 4 do not" in text(screen, "#plan"))
        comparison = text(screen, "#comparison")
        assert "Full match" in comparison and "+100" in comparison and "▲ better" in comparison
        for mark in ("★ Tuned", "8/8", "├"):
            await until(pilot, lambda mark=mark: mark in drawn(screen))


async def test_error_types_are_counted_by_arm(tmp_path: Path) -> None:
    async with opened(evaluated_run(tmp_path)) as (pilot, screen):
        await until(pilot, lambda: "wrong type" in text(screen, "#error-table"))
        row = next(line for line in text(screen, "#error-table").splitlines() if "missing call" in line)
        assert row.split() == ["missing", "call", "8", "·", "·", "·"]


async def test_changed_answers_are_listed_filtered_and_shown_side_by_side(tmp_path: Path) -> None:
    async with opened(evaluated_run(tmp_path)) as (pilot, screen):
        options = screen.query_one("#changed-list", OptionList)
        await until(pilot, lambda: options.option_count == 9)
        assert "8 fixed" in text(screen, "#changed-line") and "1 broken" in text(screen, "#changed-line")
        await pilot.press("v")
        await until(pilot, lambda: screen.query_one(TabbedContent).active == "changed")
        await until(pilot, lambda: options.option_count == 1)
        await until(pilot, lambda: "✗ needless" in drawn(screen))
        await pilot.press("v")
        await until(pilot, lambda: options.option_count == 8)


async def test_hostile_answers_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    async with opened(evaluated_run(tmp_path)) as (pilot, screen):
        await until(pilot, lambda: bool(screen.query("MeasureBlock")))
        await pilot.press("v", "v")
        await until(pilot, lambda: "[bold]Ignore[/bold]" in drawn(screen) and "␛[31m" in drawn(screen))
        assert not {"\x1b", "\x07", "\u202e"} & set(drawn(screen))


async def test_a_run_that_was_not_evaluated_says_what_would_be_measured(tmp_path: Path) -> None:
    async with opened(make_run(heldout_file(tmp_path))) as (pilot, screen):
        assert "not measured yet" in text(screen, "#headline")
        await until(pilot, lambda: "heldout.jsonl: 12 items, 8 of which need a call" in about(screen))
        await until(pilot, lambda: "the tuned model, plainly" in about(screen))
        assert screen.check_action("start", ()) and not screen.check_action("cancel", ())


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.STOPPED])
async def test_a_run_without_an_adapter_says_what_to_do(tmp_path: Path, state: RunState) -> None:
    run_dir = make_run(heldout_file(tmp_path), state, adapter=False)
    async with opened(run_dir) as (pilot, screen):
        assert f"({state}) before it saved an adapter" in text(screen, "#headline")
        assert not screen.check_action("start", ())
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "train")


async def test_a_missing_held_out_file_is_named(tmp_path: Path) -> None:
    heldout = heldout_file(tmp_path)
    run_dir = make_run(heldout)
    heldout.unlink()
    async with opened(run_dir) as (pilot, screen):
        await until(pilot, lambda: "heldout.jsonl" in about(screen))
        await until(pilot, lambda: not screen.check_action("start", ()))
        # The other suites do not need it.
        await pilot.press(*["down"] * 6, "space")  # general ability
        await until(pilot, lambda: bool(screen.check_action("start", ())))


async def test_a_run_directory_that_is_no_run_is_reported_in_a_sentence(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, screen):
        assert "config.yaml" in text(screen, "#headline")


async def test_a_failed_evaluation_gives_its_reason(tmp_path: Path) -> None:
    heldout = heldout_file(tmp_path)
    run_dir = make_run(heldout)
    write_evaluation(heldout_dir(run_dir), heldout, state=RunState.FAILED, reason="out of [red]memory")
    async with opened(run_dir) as (_, screen):
        assert "evaluation failed. out of [red]memory" in text(screen, "#headline")
        assert screen.check_action("start", ())


async def test_the_base_model_alone_leads_to_the_decision(tmp_path: Path) -> None:
    async with opened(baseline_dir=measured_base(tmp_path)) as (pilot, screen):
        await until(pilot, lambda: bool(screen.query("MeasureBlock")))
        assert "Best prompt: instruction, 50%" in text(screen, "#comparison")
        assert set(screen.journey.baseline or {}) == {"base", "instruction", "examples"}
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "decide")


async def test_without_any_run_the_base_model_is_offered() -> None:
    async with opened() as (pilot, screen):
        assert "Base model embedded" in text(screen, "#headline")
        await until(pilot, lambda: "with an instruction, and with examples." in about(screen))


async def test_the_newest_trained_run_is_taken_when_none_was_chosen(tmp_path: Path) -> None:
    run_dir = evaluated_run(tmp_path)
    async with opened() as (_, screen):
        assert f"Run {run_dir.name} (the newest" in text(screen, "#headline")
        assert screen.journey.run_dir is None


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_every_size_shows_the_first_figures_and_the_sides(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(evaluated_run(tmp_path), size) as (pilot, screen):
        await until(pilot, lambda: "Full match" in drawn(screen) and "plain" in drawn(screen))
        await pilot.press("v", "v")
        await until(pilot, lambda: "Request" in drawn(screen))
        await pilot.press("pagedown")
        await until(pilot, lambda: "Expected" in drawn(screen))


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_a_tab_lists_the_suites(tmp_path: Path, size: tuple[int, int]) -> None:
    run_dir = evaluated_run(tmp_path)
    add_suite(run_dir, "tasks", "Task [bold]completion")
    async with opened(run_dir, size) as (pilot, screen):
        tabs = screen.query_one("#results", TabbedContent)
        await until(pilot, lambda: tabs.active == "figures" and bool(tabs.get_tab("suites").display))
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until(pilot, lambda: tabs.active == "suites")

        def shown() -> str:
            return str(screen.query_one("#suites-text", Prose).render())

        for words in ("Held-out rows", "Task [bold]completion", "␛[31m"):
            await until(pilot, lambda words=words: words in shown())
        assert max(map(len, shown().splitlines())) <= min(size[0] - 4, 120)


async def test_without_held_out_rows_the_other_suites_stand_alone(tmp_path: Path) -> None:
    run_dir = evaluated_run(tmp_path)
    add_suite(run_dir, "tasks", "Task completion")
    (heldout_dir(run_dir) / "summary.json").unlink()
    async with opened(run_dir) as (pilot, screen):
        tabs = screen.query_one("#results", TabbedContent)
        await until(pilot, lambda: tabs.display and tabs.active == "suites")
        await until(pilot, lambda: not tabs.get_tab("figures").display)


async def test_held_out_rows_alone_need_no_tab_of_suites(tmp_path: Path) -> None:
    async with opened(evaluated_run(tmp_path)) as (pilot, screen):
        tabs = screen.query_one("#results", TabbedContent)
        await until(pilot, lambda: tabs.display and not tabs.get_tab("suites").display)
