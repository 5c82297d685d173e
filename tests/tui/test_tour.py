"""The guided demo: its panel on the real screens, at the person's pace (processes: tests/test_demo.py)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import until
from evaluations import heldout_file, make_run, measured_base, write_evaluation
from textual.pilot import Pilot

from tuner_tui.errors import UserError
from tuner_tui.evaluation.layout import heldout_dir
from tuner_tui.tui import tour
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.journey import Journey
from tuner_tui.tui.tour_stops import STOPS, Stop
from tuner_tui.tui.widgets.tour_panel import TourPanel, TourText


def panel(app: TunerApp) -> TourPanel:
    return app.screen.query_one(TourPanel)


def said(app: TunerApp) -> TourText:
    found = panel(app).said
    assert found is not None
    return found


def on_stop(app: TunerApp, number: int) -> bool:
    return bool(app.screen.query(TourPanel)) and said(app).number == number and panel(app).has_focus


@asynccontextmanager
async def touring(size: tuple[int, int] = (100, 30)) -> AsyncIterator[tuple[Pilot[None], TunerApp]]:
    app = TunerApp(tour=True)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: on_stop(app, 1))
        yield pilot, app


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tour with its three processes already run: what they leave on disk is there at once."""
    heldout = heldout_file(tmp_path)

    def trained(journey: Journey) -> Path:
        return make_run(heldout)

    def evaluated(journey: Journey) -> Path:
        assert journey.run_dir is not None
        write_evaluation(heldout_dir(journey.run_dir), heldout)
        return heldout_dir(journey.run_dir)

    starts = {3: lambda journey: measured_base(tmp_path), 6: trained, 7: evaluated}
    stops: list[Stop] = [
        replace(stop, work=replace(stop.work, start=starts[index])) if stop.work else stop
        for index, stop in enumerate(STOPS)
    ]
    monkeypatch.setattr(tour, "STOPS", tuple(stops))
    return tmp_path


async def test_enter_goes_through_every_stop_with_real_results(prepared: Path) -> None:
    async with touring() as (pilot, app):
        steps = []
        for number, stop in enumerate(STOPS, 1):
            await until(pilot, lambda number=number: on_stop(app, number), 40)
            steps.append(app.current_mode)
            if stop.work is not None:
                before = said(app).text
                await pilot.press("enter")
                await until(pilot, lambda stop=stop: said(app).action == stop.onward, 40)
                await until(pilot, lambda before=before: said(app).text != before)
                assert not said(app).trouble
            await pilot.press("enter")
        assert steps == [stop.step for stop in STOPS]
        await until(pilot, lambda: not app.screen.query(TourPanel))
        assert not app.journey.tour
        assert app.journey.baseline and app.journey.run_dir


async def test_the_measured_figures_are_told(prepared: Path) -> None:
    async with touring() as (pilot, app):
        for number in (1, 2, 3):
            await until(pilot, lambda number=number: on_stop(app, number), 40)
            await pilot.press("enter")
        await until(pilot, lambda: on_stop(app, 4), 40)
        await pilot.press("enter")
        await until(pilot, lambda: "Plain prompt: 0%" in said(app).text)
        assert "Instruction: 50%" in said(app).text


async def test_escape_leaves_the_tour_and_not_the_app() -> None:
    async with touring() as (pilot, app):
        await pilot.press("enter")
        await until(pilot, lambda: on_stop(app, 2))
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query(TourPanel))
        assert app.is_running and app.current_mode == "decide"
        await pilot.press("h")
        await until(pilot, lambda: app.current_mode == "home")
        await pilot.pause()
        assert not app.screen.query(TourPanel)


async def test_looking_around_keeps_the_keys_and_f2_comes_back() -> None:
    async with touring() as (pilot, app):
        await pilot.press("r")
        await until(pilot, lambda: app.current_mode == "runs" and bool(app.screen.query(TourPanel)))
        await until(pilot, lambda: "back to Home" in said(app).action)
        app.screen.set_focus(None)
        await pilot.press("f2")
        await until(pilot, lambda: panel(app).has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "home" and on_stop(app, 1))


async def test_a_start_that_fails_is_told_and_can_be_tried_again(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    def start(journey: Journey) -> Path:
        attempts.append(1)
        if len(attempts) == 1:
            raise UserError("the disk is [bold]full[/].")
        return measured_base(prepared)

    work = tour.STOPS[3].work
    assert work is not None
    stops = list(tour.STOPS)
    stops[3] = replace(stops[3], work=replace(work, start=start))
    monkeypatch.setattr(tour, "STOPS", tuple(stops))
    async with touring() as (pilot, app):
        for number in (1, 2, 3, 4):
            await until(pilot, lambda number=number: on_stop(app, number), 40)
            await pilot.press("enter")
        await until(pilot, lambda: said(app).trouble == "the disk is [bold]full[/].")
        assert said(app).action == "retry"
        await pilot.press("enter")
        await until(pilot, lambda: said(app).action == STOPS[3].onward)
        assert not said(app).trouble


async def test_the_tour_starts_again_from_its_beginning(prepared: Path) -> None:
    async with touring() as (pilot, app):
        await pilot.press("enter")
        await until(pilot, lambda: on_stop(app, 2))
        app.start_tour()
        await until(pilot, lambda: app.current_mode == "home" and on_stop(app, 1))
        assert len(app.screen.query(TourPanel)) == 1


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_panel_leaves_room_for_the_screen(size: tuple[int, int]) -> None:
    async with touring(size) as (pilot, app):
        await until(pilot, lambda: panel(app).size.height > 0)
        assert panel(app).size.height <= size[1] // 3

        def drawn() -> str:
            return "\n".join(strip.text for strip in app.screen._compositor.render_strips())

        await until(pilot, lambda: "Enter begin" in drawn() and "Esc leave the tour" in drawn())
