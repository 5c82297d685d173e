"""Every test of the window has a home of its own, and waits for conditions, never for time."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for runs, settings and themes."""
    place = tmp_path / "home"
    monkeypatch.setenv("TUNER_HOME", str(place))
    monkeypatch.delenv("TUNER_THEME", raising=False)
    return place


async def until(pilot: Pilot[None], condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Let the app work until `condition` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await pilot.pause(0.02)


def shows(app: App[None], kind: type[Screen[Any]]) -> bool:
    """Whether a screen of this kind is shown, with something that has the focus: earlier keys are lost."""
    return isinstance(app.screen, kind) and app.screen.focused is not None


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., object]:
    """See `until`."""
    return until
