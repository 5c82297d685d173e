"""Every test has a place for runs of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tuner_tui.runs import store


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TUNER_HOME."""
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def new_run() -> Callable[[], Path]:
    """Makes a run that no process has taken yet."""
    return lambda: store.create_run("trial", "name: trial\n", {"seed": 0})
