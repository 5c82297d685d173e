"""Pictures of every screen, at three sizes, dark and light: snapshots, and the README's screenshots.

They show recorded runs (`record_run.py`): of `tuner demo`, dpo, ppo, and one with several suites. After an
intended change: `make test PYTEST_ARGS="tests/tui/test_pictures.py --snapshot-update"`, and look at them.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec
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
# Apart from the runs of the demo's home: a picture of one says nothing of the others.
OTHERS = {"dpo": "20261122-193000-dpo", "ppo": "20261122-200000-ppo", "suites": "20261122-203000-demo"}
# Paths are part of the pictures: those of a run have this name put in for that of its own folder.
PLACE_NAME = "tuner-pictures"

Until = Callable[..., Awaitable[None]]
Show = Callable[[Pilot[None], Until], Awaitable[None]]

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
THEMES = {"dark": "dusk", "light": "paper"}


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The recorded run in a home of its own, so that two runs of the tests may go on at once; it stays where
    it is when a picture differs.
    """
    failed = request.session.testsfailed
    # A name as long as the one in the pictures: "tuner-" and eight characters.
    place = Path(tempfile.mkdtemp(prefix="tuner-", dir="/tmp"))
    assert len(place.name) == len(PLACE_NAME)
    shutil.copytree(paths.sample_data(), place / "sample_data")
    run_dir = place / "home" / "runs" / RUN_ID
    shutil.copytree(RECORDED, run_dir)
    for name, run_id in OTHERS.items():
        shutil.copytree(RECORDED.parent / f"{name}_run", place / "others" / run_id)
    recorded_id = _recorded_id()
    for file in [*run_dir.rglob("*"), *(place / "others").rglob("*")]:
        if file.is_file():
            text = file.read_text().replace("@HOME@", str(place / "home")).replace("@ROOT@", str(place))
            file.write_text(text.replace(recorded_id, RUN_ID))
    yield place
    if request.session.testsfailed == failed:
        shutil.rmtree(place, ignore_errors=True)


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


def _place() -> Path:
    return paths.sample_data().parent


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


def _named(picture: str, place: Path) -> str:
    """The picture with the name that all pictures have for the place; of a long path only the end stays."""
    picture = picture.replace(f"/{place.name}", f"/{PLACE_NAME}")
    for length in range(1, len(PLACE_NAME) + 1):
        picture = picture.replace(f"…{place.name[-length:]}/", f"…{PLACE_NAME[-length:]}/")
    return picture


async def _at_rest(pilot: Pilot[None], until: Until) -> None:
    """Wait until nothing is worked on, and what is drawn stays as it is."""
    drawn: list[str] = []

    def rests() -> bool:
        drawn.append(pilot.app.export_screenshot())
        return len(set(drawn[-3:])) == 1 and len(drawn) >= 3

    await pilot.app.workers.wait_for_complete()
    await until(pilot, rests)


async def _press(pilot: Pilot[None], until: Until, key: str) -> None:
    """Press a key that changes what is drawn."""
    before = pilot.app.export_screenshot()
    await pilot.press(key)
    await until(pilot, lambda: pilot.app.export_screenshot() != before)


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
    screen.open_file(paths.sample_data() / name)
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    words = ("nothing to mend", "error", "warning", "note")
    await until(pilot, lambda: any(w in str(screen.query_one("#data-state", Static).content) for w in words))
    # The focus is on the overview by then, and does not bring it back.
    await _at_rest(pilot, until)
    screen.query_one(TabbedContent).active = tab


async def _data(pilot: Pilot[None], until: Until) -> None:
    await _open_data(pilot, until, "train.jsonl", "overview")


async def _findings(pilot: Pilot[None], until: Until) -> None:
    await _open_data(pilot, until, "broken.jsonl", "findings")


async def _row(pilot: Pilot[None], until: Until) -> None:
    await _open_data(pilot, until, "train.jsonl", "row")
    await _at_rest(pilot, until)
    if pilot.app.screen.check_action("view", ()):
        await _press(pilot, until, "v")


async def _configure(pilot: Pilot[None], until: Until) -> None:
    app = pilot.app
    assert isinstance(app, TunerApp)
    app.journey.config = load_preset("demo")
    await _show(pilot, until, "configure")
    await _estimated(pilot, until)


async def _estimated(pilot: Pilot[None], until: Until) -> None:
    """The form looks at model and files a moment after the last change."""
    from textual.widgets import Static

    state = pilot.app.screen.query_one("#configure-state", Static)
    await until(pilot, lambda: "≈" in str(state.content))


def _of_the_run(step: str) -> Show:
    async def show(pilot: Pilot[None], until: Until) -> None:
        app = pilot.app
        assert isinstance(app, TunerApp)
        app.journey.run_dir = paths.runs_dir() / RUN_ID
        await _show(pilot, until, step)

    return show


def _of_another_run(name: str, step: str, *keys: str) -> Show:
    async def show(pilot: Pilot[None], until: Until) -> None:
        app = pilot.app
        assert isinstance(app, TunerApp)
        app.journey.run_dir = _place() / "others" / OTHERS[name]
        await _show(pilot, until, step)
        await _at_rest(pilot, until)
        for key in keys:
            await _press(pilot, until, key)

    return show


async def _configure_dpo(pilot: Pilot[None], until: Until) -> None:
    from tuner_tui.tui.screens.configure import ConfigureScreen

    app = pilot.app
    assert isinstance(app, TunerApp)
    app.journey.config = load_preset("dpo")
    await _show(pilot, until, "configure")
    screen = app.screen
    assert isinstance(screen, ConfigureScreen)
    screen.set_focus(screen.form.row("method"))
    await until(pilot, lambda: bool(screen.form.row("data.train").note[0]))
    await _estimated(pilot, until)


def _on_tab(tab: str) -> Show:
    """Evaluate, of the run with several suites, on one of its tabs."""

    async def show(pilot: Pilot[None], until: Until) -> None:
        from tuner_tui.tui.screens.evaluate_results import ResultsView
        from tuner_tui.tui.widgets.tabs import show as show_tab

        await _of_another_run("suites", "evaluate")(pilot, until)
        view = pilot.app.screen.query_one(ResultsView)
        await until(pilot, lambda: view.tabs.active == "figures")
        show_tab(view.tabs, tab)
        await until(pilot, lambda: view.tabs.active == tab)

    return show


async def _prefer(pilot: Pilot[None], until: Until) -> None:
    from tuner_tui.evaluation.preferences.judging import Judging
    from tuner_tui.tui.screens.prefer import PreferScreen

    await _show(pilot, until, "prefer")
    screen = pilot.app.screen
    assert isinstance(screen, PreferScreen)
    pairs = _place() / "pairs.jsonl"
    for path in _place().glob("pairs.*jsonl"):
        path.unlink()
    judging = Judging(paths.sample_data() / "preferences.jsonl", pairs, seed=0)
    while (comparison := judging.current) is not None and not _differ_in_part(comparison.answers):
        judging.judge("tie" if comparison.row % 5 == 0 else "left")
    screen.post_message(screen.Opened(judging))
    await until(pilot, lambda: screen.has_class("-judging"))


def _differ_in_part(answers: Any) -> bool:
    from tuner_tui.evaluation.preferences.showing import show_both

    return any(line.differs for side in show_both(*answers) for line in side)


async def _prefer_start(pilot: Pilot[None], until: Until) -> None:
    await _show(pilot, until, "prefer")


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
# What the other methods show that SFT does not: at the sizes where it matters.
MORE: dict[str, Show] = {
    "prefer": _prefer,
    "prefer_start": _prefer_start,
    "configure_dpo": _configure_dpo,
    "train_dpo": _of_another_run("dpo", "train"),
    "train_ppo": _of_another_run("ppo", "train"),
    "metrics_ppo": _of_another_run("ppo", "train", "v"),
    "report_ppo": _of_another_run("ppo", "report"),
    "measure": _on_tab("choose"),
    "all_suites": _on_tab("suites"),
    "report_suites": _of_another_run("suites", "report"),
    "report_suites_down": _of_another_run("suites", "report", "pagedown"),
}
CASES += [f"{screen}-dark-{size}" for screen in ("prefer", "train_ppo") for size in SIZES]
CASES += [f"{screen}-dark-80x24" for screen in ("prefer_start", "configure_dpo", "train_dpo")]
CASES += [f"report_suites-dark-{size}" for size in ("80x24", "120x40")] + ["report_suites_down-dark-120x40"]
CASES += [f"{screen}-light-120x40" for screen in ("prefer", "configure_dpo", "metrics_ppo", "report_ppo")]
CASES += [f"{screen}-dark-{size}" for screen in ("measure", "all_suites") for size in ("80x24", "120x40")]
CASES += ["measure-light-120x40"]
# The list of suites tells what is installed here; the pictures were taken as `make test` installs it.
AS_INSTALLED = find_spec("bfcl_eval") is not None and find_spec("tree_sitter") is None


@pytest.mark.parametrize("case", CASES)
def test_picture(
    case: str, place: Path, snap_compare: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, theme, size = case.split("-")
    if screen == "measure" and not AS_INSTALLED:
        pytest.skip("other suites can be measured here than where the picture was taken")
    monkeypatch.setenv("TUNER_THEME", THEMES[theme])
    show = (SCREENS | MORE)[screen]
    app = TunerApp()
    export = app.export_screenshot
    monkeypatch.setattr(app, "export_screenshot", lambda **options: _named(export(**options), place))

    async def shown(pilot: Pilot[None]) -> None:
        await show(pilot, until)
        await _at_rest(pilot, until)

    same = snap_compare(app, terminal_size=SIZES[size], run_before=shown)
    assert same, f"the picture of {place} differs"
