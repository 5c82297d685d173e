"""The worker's side of `status.json`: kept fresh by a thread, changed by the worker."""

import threading
import time
from pathlib import Path
from typing import Any

from tuner_tui.evaluation import layout
from tuner_tui.runs import files, process
from tuner_tui.runs import layout as runs_layout
from tuner_tui.runs.layout import RunState


def write_starting(eval_dir: Path) -> None:
    """Say that a worker is about to be started: its first heartbeat comes some seconds later."""
    now = time.time()
    status = {
        "schema": layout.SCHEMA_VERSION,
        "state": str(RunState.STARTING),
        "phase": "starting the process",
        "heartbeat": now,
    }
    files.write_json(eval_dir / layout.STATUS, status)


class Heartbeat:
    """Writes the status now and every few seconds until `end`."""

    def __init__(self, eval_dir: Path, arms: dict[str, tuple[int, int]]) -> None:
        pid, pid_start, host = process.identity()
        self._path = eval_dir / layout.STATUS
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._status: dict[str, Any] = {
            "schema": layout.SCHEMA_VERSION,
            "state": str(RunState.STARTING),
            "phase": "starting",
            "reason": None,
            "arm": None,
            "arms": arms,
            "generated": 0,
            "generating_since": None,
            "pid": pid,
            "pid_start": pid_start,
            "host": host,
            "started": time.time(),
            "ended": None,
        }
        self.update()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def update(self, **changes: Any) -> None:
        """Change fields of the status and write it."""
        with self._lock:
            self._status.update(changes)
            files.write_json(self._path, {**self._status, "heartbeat": time.time()})

    def progress(self, arm: str, done: int, total: int, fresh: int) -> None:
        """`done` of `total` items of an arm are stored, `fresh` of them just now."""
        self.update(
            arms={**self._status["arms"], arm: (done, total)}, generated=self._status["generated"] + fresh
        )

    def end(self, state: RunState, reason: str | None = None) -> None:
        """The last word."""
        self._over.set()
        self._thread.join()
        self.update(state=str(state), phase="", reason=reason, arm=None, ended=time.time())

    def _beat(self) -> None:
        while not self._over.wait(runs_layout.HEARTBEAT_SECONDS):
            self.update()
