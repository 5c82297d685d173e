"""What a run directory says at this moment: every watcher reads here, and never writes."""

import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tuner_tui.errors import UserError
from tuner_tui.runs import layout, process, slurm
from tuner_tui.runs.layout import RunState, Status

_FIRST_LOG_BYTES = 256 * 1024
"""A window that opens on a long run shows the end of its log, not megabytes of it."""

_METHOD = re.compile(r"^method:\s*[\"']?(\w+)", re.MULTILINE)


class Tail:
    """Whole new lines of a file that another process appends to.

    A last line without a newline waits until it is whole. A file that became shorter, or another
    file of the same name, is read from its start again.
    """

    def __init__(self, path: Path, *, last_bytes: int | None = None) -> None:
        self._path = path
        self._last_bytes = last_bytes
        self._offset: int | None = None
        self._inode = 0

    def poll(self) -> list[bytes]:
        """Lines completed since the last call, without newlines; [] while there is no file."""
        try:
            with self._path.open("rb") as file:
                return self._new_lines(file)
        except FileNotFoundError:
            return []

    def _new_lines(self, file: BinaryIO) -> list[bytes]:
        stat = os.fstat(file.fileno())
        if self._offset is None:
            self._inode = stat.st_ino
            self._offset = max(0, stat.st_size - self._last_bytes) if self._last_bytes else 0
            if self._offset:
                file.seek(self._offset)
                self._offset += len(file.readline())
        elif stat.st_ino != self._inode or stat.st_size < self._offset:
            self._inode, self._offset = stat.st_ino, 0
        if stat.st_size == self._offset:
            return []
        file.seek(self._offset)
        block = file.read(stat.st_size - self._offset)
        whole = block.rfind(b"\n") + 1
        self._offset += whole
        return block[:whole].split(b"\n")[:-1]


class RunReader:
    """Incremental reader of one run directory.

    `generation` grows by one whenever what `poll_metrics` gave before is no longer true: the run
    was resumed from a checkpoint, and the steps that the dead process made after it are made anew.
    That call returns the whole history again; a chart that sees a new generation clears itself
    first.
    """

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.id = run_dir.name
        self.generation = 0
        self._metrics = Tail(run_dir / layout.METRICS)
        self._events = Tail(run_dir / layout.EVENTS)
        self._log = Tail(run_dir / layout.LOG, last_bytes=_FIRST_LOG_BYTES)
        self._history: list[dict[str, Any]] = []
        self._method: str | None = None

    def status(self) -> Status:
        """The status, with `lost` in place of a live state behind which no process stands.

        Raises:
            UserError: there is no readable status.json.
        """
        return read_status(self.run_dir)

    def config_text(self) -> str:
        """The YAML of the run's configuration.

        Raises:
            UserError: the file cannot be read.
        """
        path = self.run_dir / layout.CONFIG
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"cannot read the configuration of run {self.id}: {error}.") from error

    def method(self) -> str:
        """The method of the run's configuration, such as "sft"; read once."""
        if self._method is None:
            try:
                found = _METHOD.search(self.config_text())
            except UserError:
                found = None
            self._method = found[1] if found else "sft"
        return self._method

    def manifest(self) -> dict[str, Any]:
        """Versions, fingerprints and command of the run; empty when it has none."""
        try:
            value = orjson.loads((self.run_dir / layout.MANIFEST).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        return value if isinstance(value, dict) else {}

    def poll_metrics(self) -> list[dict[str, Any]]:
        """New metric records, oldest first; `generation` tells when old ones come again."""
        new: list[dict[str, Any]] = []
        rewound = False
        for record in _objects(self._metrics.poll()):
            if "resumed" not in record:
                new.append(record)
                continue
            step = int(record["resumed"])
            kept = [item for item in self._history if item.get("step", 0) <= step]
            rewound |= len(kept) < len(self._history)
            self._history = kept
            new = [item for item in new if item.get("step", 0) <= step]
        self._history += new
        if rewound:
            self.generation += 1
            return list(self._history)
        return new

    def poll_events(self) -> list[dict[str, Any]]:
        """New events: `time`, `code`, `message`, `step` and what belongs to the code."""
        return _objects(self._events.poll())

    def poll_log(self) -> list[str]:
        """New lines that the process printed, as they are: control characters included."""
        return [line.decode("utf-8", "replace") for line in self._log.poll()]


def read_status(run_dir: Path) -> Status:
    """See `RunReader.status`."""
    path = run_dir / layout.STATUS
    try:
        status = Status.from_json(orjson.loads(path.read_bytes()))
    except (OSError, orjson.JSONDecodeError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{run_dir} is not a readable run: {path.name}: {error}.") from error
    preempted = status.state is RunState.STOPPED and (status.reason or "").startswith(layout.BY_SLURM)
    silent = status.state.live and (status.pid is None or not _is_live(status))
    if (preempted or silent) and (waiting := _waiting(run_dir)):
        return replace(status, state=RunState.STARTING, phase=waiting, reason=None)
    if status.state.live and not _is_live(status):
        return replace(status, state=RunState.LOST, reason=status.reason or _lost_reason(status))
    return status


def read_metrics(run_dir: Path) -> list[dict[str, Any]]:
    """All metric records of a run, without those that a resumed run superseded."""
    return RunReader(run_dir).poll_metrics()


def _is_live(status: Status) -> bool:
    fresh = time.time() - status.heartbeat < layout.STALE_SECONDS
    if status.pid is None:
        # Created, and its process has not given its first sign yet.
        return fresh
    return fresh and process.is_alive(status.pid, status.pid_start, status.host) is not False


def _waiting(run_dir: Path) -> str:
    """What a run that shows no sign of life waits for; empty if it is no job of Slurm, or one that has ended.

    A preempted job shows none either, until Slurm starts it again.
    """
    job = slurm.job_of(run_dir)
    if job is None:
        return ""
    state = slurm.job_state(job)
    if state in ("RUNNING", "COMPLETING", "CONFIGURING"):
        return f"starting as Slurm job {job}"
    return f"queued as Slurm job {job}" if state in ("PENDING", "REQUEUED", "SUSPENDED") else ""


def _lost_reason(status: Status) -> str:
    if status.pid is None:
        return "its process ended before its first sign of life; train.log may say why."
    where = f" on {status.host}" if status.host else ""
    return f"process {status.pid}{where} gave no last word (killed, or the machine went down)."


def _objects(lines: list[bytes]) -> list[dict[str, Any]]:
    found = []
    for line in lines:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # the fragment of a writer that was killed in mid-line
        if isinstance(value, dict):
            found.append(value)
    return found
