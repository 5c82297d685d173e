"""The trainer's hand on its run directory: status with a heartbeat, metrics, events."""

import fcntl
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from tuner_tui.errors import UserError
from tuner_tui.runs import files, layout, process
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import read_status

_LOCK = ".lock"
_FLUSH_SECONDS = 0.5


class RunWriter:
    """The one writer of `status.json`, `metrics.jsonl` and `events.jsonl` of a run. To the `manifest.json`
    that the launcher has left it adds what the launcher cannot know: the device.

    A thread rewrites the status: within half a second of a change, and every `HEARTBEAT_SECONDS` in any case,
    so that a run that loads a large model is not taken for a dead one. A change of state or phase is written
    at once.
    """

    def __init__(self, run_dir: Path) -> None:
        """Take the run.

        Raises:
            UserError: another process has it, or the folder cannot be written.
        """
        self.run_dir = run_dir
        self._lock = _locked(run_dir)
        pid, started, host = process.identity()
        now = time.time()
        try:  # a resumed run shows how far it had come while it loads
            before = read_status(run_dir)
        except UserError:
            before = Status(RunState.STARTING)
        self._status = Status(
            RunState.STARTING,
            step=before.step,
            total=before.total,
            pid=pid,
            pid_start=started,
            host=host,
            started=now,
            heartbeat=now,
        )
        self._guard = threading.Lock()
        self._dirty = False
        self._closed = threading.Event()
        self._write()
        self._beat = threading.Thread(target=self._keep_fresh, name="heartbeat", daemon=True)
        self._beat.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._beat.join()
        os.close(self._lock)

    @property
    def status(self) -> Status:
        """What was last said."""
        return self._status

    def update(self, **changes: Any) -> None:
        """Change fields of the status; see `Status`."""
        with self._guard:
            before, self._status = self._status, replace(self._status, **changes)
            self._dirty = True
        if (before.state, before.phase) != (self._status.state, self._status.phase):
            self._write()

    def end(self, state: RunState, reason: str | None = None) -> None:
        """The last word: `stopped`, `finished` or `failed`, and why."""
        self.update(state=state, phase="", reason=reason, ended=time.time())

    def event(self, code: str, message: str, **details: Any) -> None:
        """Append an event: a code for programs, a sentence for a person."""
        record = {"time": time.time(), "code": code, "step": self._status.step, "message": message}
        files.append_line(self.run_dir / layout.EVENTS, {**record, **details})

    def metrics(self, step: int, values: dict[str, Any]) -> None:
        """Append the metrics of one log."""
        record = {"step": step, "time": time.time(), **values}
        files.append_line(self.run_dir / layout.METRICS, record)

    def resumed(self, step: int) -> None:
        """Say that the metrics after `step` are made anew, by this process."""
        files.append_line(self.run_dir / layout.METRICS, {"resumed": step, "step": step, "time": time.time()})

    def device(self, facts: Mapping[str, Any]) -> None:
        """Add what trains from here on to the manifest's `devices`: a resumed run may have another."""
        path = self.run_dir / layout.MANIFEST
        try:
            manifest = json.loads(path.read_bytes())
        except (OSError, ValueError):
            manifest = None
        if not isinstance(manifest, dict):
            manifest = {}
        devices = manifest.get("devices") or []
        if not devices or devices[-1] != facts:
            files.write_json(path, {**manifest, "devices": [*devices, dict(facts)]})

    def _write(self) -> None:
        with self._guard:
            self._status = replace(self._status, heartbeat=time.time())
            self._dirty = False
            files.write_json(self.run_dir / layout.STATUS, self._status.to_json())

    def _keep_fresh(self) -> None:
        while not self._closed.wait(_FLUSH_SECONDS):
            stale = time.time() - self._status.heartbeat > layout.HEARTBEAT_SECONDS
            if self._dirty or stale:
                # A disk that is full for a moment must not end the heartbeat for ever.
                try:
                    self._write()
                except OSError:
                    continue


def _locked(run_dir: Path) -> int:
    try:
        descriptor = os.open(run_dir / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UserError(f"{run_dir} cannot be written: {error}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise UserError(f"another process is training in {run_dir}.") from error
    return descriptor
