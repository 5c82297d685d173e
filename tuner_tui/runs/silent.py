"""The hand of a process that must not write: of the many that train one run, one alone writes."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from tuner_tui.runs import process
from tuner_tui.runs.layout import RunState, Status


class SilentRun:
    """As `RunWriter`, and writes nothing."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        pid, started, host = process.identity()
        self._status = Status(RunState.STARTING, pid=pid, pid_start=started, host=host, started=time.time())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def status(self) -> Status:
        """What was last said."""
        return self._status

    def update(self, **changes: Any) -> None:
        """Remembered."""
        self._status = replace(self._status, **changes)

    def end(self, state: RunState, reason: str | None = None) -> None:
        """Remembered."""
        self.update(state=state, reason=reason)

    def event(self, code: str, message: str, **details: Any) -> None:
        """Not written."""

    def metrics(self, step: int, values: dict[str, Any]) -> None:
        """Not written."""

    def device(self, facts: Mapping[str, Any]) -> None:
        """Not written."""

    def resumed(self, step: int) -> None:
        """Not written."""
