"""Home and the list of runs."""

from collections.abc import Callable
from pathlib import Path

from conftest import shows
from live_runs import ended_run, live_run

from tuner_tui.runs.layout import RunState
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.screens.home import HomeScreen
from tuner_tui.tui.screens.runs import RunsScreen
from tuner_tui.tui.screens.train import TrainScreen
from tuner_tui.tui.widgets.prose import Prose
from tuner_tui.tui.widgets.run_list import RunList
from tuner_tui.tui.widgets.steps_list import StepsList

Until = Callable[..., object]


def listed(app: TunerApp) -> list[str]:
    """The lines of the list of runs that is shown."""
    if not app.screen.body_ready:
        return []
    runs = app.screen.query_one(RunList)
    return [str(runs.get_option_at_index(index).prompt) for index in range(runs.option_count)]


async def test_home_tells_what_is_next_and_goes_there(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        steps = app.screen.query_one(StepsList)
        assert "› next" in str(steps.get_option_at_index(0).prompt)
        await until(pilot, lambda: bool(app.screen.query_one("#no-runs").display))
        await pilot.press("down", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))


async def test_home_lists_runs_by_state_and_opens_one(until: Until) -> None:
    ended_run("first", RunState.FAILED, "no memory")
    with live_run("second", total=40, steps=12) as (run_dir, _):
        app = TunerApp()
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: len(listed(app)) == 2 and "12/40" in listed(app)[0])
            assert "● running" in listed(app)[0]
            assert "✗ failed" in listed(app)[1]
            app.screen.set_focus(app.screen.query_one(RunList))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, TrainScreen))
            assert app.journey.run_dir == run_dir


async def test_a_name_with_markup_is_a_name(until: Until) -> None:
    ended_run("[bold]x[/]", RunState.FINISHED)
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(listed(app)))
        assert "[bold]x[/]" in listed(app)[0]


async def test_a_run_is_deleted_after_a_question(until: Until) -> None:
    run_dir = ended_run("old", RunState.STOPPED)
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.painted)
        app.journey.run_dir = run_dir
        app.go("runs")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and bool(listed(app)))
        await pilot.press("x")
        await until(pilot, lambda: shows(app, ConfirmScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert run_dir.exists()
        await pilot.press("x")
        await until(pilot, lambda: shows(app, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: not run_dir.exists())
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and not listed(app))
        await until(pilot, lambda: app.journey.run_dir is None)
        await until(pilot, lambda: app.screen.query_one("#runs-empty").display)


async def test_a_live_run_cannot_be_deleted(until: Until) -> None:
    with live_run() as (run_dir, _):
        app = TunerApp()
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.painted)
            app.go("runs")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen) and bool(listed(app)))
            await pilot.press("x")
            await pilot.pause()
            assert isinstance(app.screen, RunsScreen)
            assert run_dir.exists()


async def test_the_cursor_stays_on_its_run_when_another_appears(until: Until) -> None:
    first = ended_run("first", RunState.FINISHED)
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.painted)
        app.go("runs")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and len(listed(app)) == 1)
        ended_run("second", RunState.FINISHED)
        await until(pilot, lambda: len(listed(app)) == 2)

        def chosen() -> Path | None:
            run = app.screen.query_one(RunList).chosen
            return None if run is None else run.path

        await until(pilot, lambda: chosen() == first)


async def test_home_does_nothing_on_escape(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, HomeScreen)


async def test_the_doctor_looks_at_the_machine_from_inside_the_app(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        await pilot.press("o")

        def checks() -> str:
            return "".join(found.render().plain for found in app.screen.query("#checks").results(Prose))

        await until(pilot, lambda: "✓ ok" in checks(), seconds=90)
        assert "Python" in checks()
        assert not app.screen.query_one("#looking").display
        found = app.screen.query_one("#checks")
        await until(pilot, lambda: max(map(len, checks().splitlines())) <= found.size.width)
