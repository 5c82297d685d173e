"""Pictures of every screen, at three sizes, dark and light: snapshots, and the README's screenshots.

They show a recorded run of `tuner demo` (`record_demo_run.py`). After an intended change:
`make test PYTEST_ARGS="tests/tui/test_pictures.py --snapshot-update"`, and look at them.
"""

import json
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tuner_tui import paths
from tuner_tui.demo import ANSWERS
from tuner_tui.training.presets import load_preset
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.step import StepScreen

RECORDED = Path(__file__).parent / "demo_run"
RUN_ID = "20261122-190000-demo"
PLACE = Path("/tmp/tuner-pictures")  # a fixed place: paths are part of the pictures

Until = Callable[..., Awaitable[None]]
Show = Callable[[Pilot[None], Until], Awaitable[None]]

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
THEMES = {"dark": "dusk", "light": "paper"}


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """The recorded run in a home of its own."""
    shutil.rmtree(PLACE, ignore_errors=True)
    shutil.copytree(paths.sample_data(), PLACE / "sample_data")
    run_dir = PLACE / "home" / "runs" / RUN_ID
    shutil.copytree(RECORDED, run_dir)
    recorded_id = _recorded_id()
    for file in run_dir.rglob("*"):
        if file.is_file():
            text = file.read_text().replace("@HOME@", str(PLACE / "home")).replace("@ROOT@", str(PLACE))
            file.write_text(text.replace(recorded_id, RUN_ID))
    yield PLACE
    shutil.rmtree(PLACE, ignore_errors=True)


@pytest.fixture(autouse=True)
def home(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the empty home of the other tests; and the clock says that the run ended a moment ago."""
    ended = json.loads((RECORDED / "eval" / "heldout" / "status.json").read_text())["ended"]
    ago, clock = time.time() - (ended + 65), time.time
    monkeypatch.setattr(time, "time", lambda: clock() - ago)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setenv("TUNER_HOME", str(place / "home"))
    monkeypatch.setattr(paths, "sample_data", lambda: place / "sample_data")
    shutil.rmtree(place / "home" / "config", ignore_errors=True)


def _recorded_id() -> str:
    request = json.loads((RECORDED / "eval" / "heldout" / "request.json").read_text())
    return Path(request["adapter"]).parent.name


async def _show(pilot: Pilot[None], until: Until, step: str) -> None:
    app = pilot.app
    assert isinstance(app, TunerApp)
    app.go(step)

    def ready() -> bool:
        screen = app.screen
        return isinstance(screen, StepScreen) and step == screen.STEP and screen.body_ready

    await until(pilot, ready)
    await app.workers.wait_for_complete()
    await pilot.pause()


async def _home(pilot: Pilot[None], until: Until) -> None:
    await _show(pilot, until, "home")


async def _decide(pilot: Pilot[None], until: Until) -> None:
    app = pilot.app
    assert isinstance(app, TunerApp)
    app.journey.answers.update(ANSWERS)
    await _show(pilot, until, "decide")


async def _open_data(pilot: Pilot[None], until: Until, name: str, tab: str) -> None:
    from textual.widgets import Static, TabbedContent

    from tuner_tui.tui.screens.data import DataScreen

    await _show(pilot, until, "data")
    screen = pilot.app.screen
    assert isinstance(screen, DataScreen)
    screen.open_file(PLACE / "sample_data" / name)
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    words = ("nothing to mend", "error", "warning", "note")
    await until(pilot, lambda: any(w in str(screen.query_one("#data-state", Static).content) for w in words))
    screen.query_one(TabbedContent).active = tab
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def _data(pilot: Pilot[None], until: Until) -> None:
    await _open_data(pilot, until, "train.jsonl", "overview")


async def _findings(pilot: Pilot[None], until: Until) -> None:
    await _open_data(pilot, until, "broken.jsonl", "findings")


async def _row(pilot: Pilot[None], until: Until) -> None:
    await _open_data(pilot, until, "train.jsonl", "row")
    await pilot.press("v")
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def _configure(pilot: Pilot[None], until: Until) -> None:
    app = pilot.app
    assert isinstance(app, TunerApp)
    app.journey.config = load_preset("demo")
    await _show(pilot, until, "configure")


def _of_the_run(step: str) -> Show:
    async def show(pilot: Pilot[None], until: Until) -> None:
        app = pilot.app
        assert isinstance(app, TunerApp)
        app.journey.run_dir = paths.runs_dir() / RUN_ID
        await _show(pilot, until, step)

    return show


SCREENS: dict[str, Show] = {
    "home": _home,
    "decide": _decide,
    "data": _data,
    "findings": _findings,
    "row": _row,
    "configure": _configure,
    "train": _of_the_run("train"),
    "evaluate": _of_the_run("evaluate"),
    "report": _of_the_run("report"),
    "runs": _of_the_run("runs"),
}
CASES = [f"{screen}-dark-{size}" for screen in SCREENS for size in SIZES] + [
    f"{screen}-light-120x40" for screen in SCREENS
]


@pytest.mark.parametrize("case", CASES)
def test_picture(case: str, snap_compare: Any, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    screen, theme, size = case.split("-")
    monkeypatch.setenv("TUNER_THEME", THEMES[theme])
    show = SCREENS[screen]
    assert snap_compare(TunerApp(), terminal_size=SIZES[size], run_before=lambda pilot: show(pilot, until))
