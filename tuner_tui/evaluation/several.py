"""Several suites, one after the other, led by a process that outlives whoever asked for them.

`python -m tuner_tui.evaluation.several FOLDER` starts the evaluator of each suite, as `tuner eval` does, and
waits for its end. All that it knows is in files: `orders.json` (what was asked for), `begun.json` (where each
suite is measured, and why one could not be), and the `status.json` that every evaluation has.
"""

import json
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.driver import Stopped
from tuner_tui.evaluation.ending import see_through
from tuner_tui.evaluation.heartbeat import Heartbeat, write_starting
from tuner_tui.evaluation.launch import stop_evaluation
from tuner_tui.evaluation.orders import Model, Order, begin
from tuner_tui.evaluation.progress import EvalProgress, read_progress
from tuner_tui.runs import files, process
from tuner_tui.runs import layout as runs_layout
from tuner_tui.runs.layout import RunState

ORDERS = "orders.json"
BEGUN = "begun.json"
_FOLDER = "queue"
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Queue:
    """What was asked for of `subject` (a run's id, or a model's name), and how far it is: `progress.phase` is
    the suite at work. `folders` maps each suite that has been begun to where it is measured, `faults` each
    that could not be to the reason."""

    subject: str
    orders: tuple[Order, ...]
    progress: EvalProgress
    folders: dict[str, Path] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def waiting(self) -> list[str]:
        """The suites whose turn has not come yet; [] once it has ended."""
        if not self.progress.state.live:
            return []
        seen = {*self.folders, *self.faults, self.progress.phase}
        return [order.suite for order in self.orders if order.suite not in seen]


def queue_dir(what: Path | Model) -> Path:
    """Where the queue of a run (its directory) lies, or that of a model; all models have one together."""
    if isinstance(what, Path):
        return what / runs_layout.EVALUATIONS / _FOLDER
    return paths.baselines_dir() / _FOLDER


def read_queue(folder: Path) -> Queue | None:
    """The queue in a folder; None when nothing was asked for there."""
    try:
        asked = json.loads((folder / ORDERS).read_bytes())
    except (OSError, ValueError):
        return None
    begun: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        begun = json.loads((folder / BEGUN).read_bytes())
    return Queue(
        subject=asked["subject"],
        orders=tuple(map(Order.from_json, asked["orders"])),
        progress=read_progress(folder),
        folders={suite: Path(path) for suite, path in begun.get("folders", {}).items()},
        faults=begun.get("faults", {}),
    )


def start_suites(what: Path | Model, orders: Sequence[Order]) -> Path:
    """Measure suites in this order, in a process of its own; returns the queue's folder, at once, also when
    these very suites are being measured already.

    Args:
        what: a run directory, or a model that is measured alone.
        orders: at least one, each suite once.

    Raises:
        UserError: others are under way.
    """
    folder = queue_dir(what)
    asked = {
        "run": str(what.absolute()) if isinstance(what, Path) else None,
        "model": None if isinstance(what, Path) else what.to_json(),
        "subject": what.name,
        "orders": [order.to_json() for order in orders],
    }
    previous = read_queue(folder)
    if previous is not None and previous.progress.state.live:
        if _wish(json.loads((folder / ORDERS).read_bytes())) == _wish(asked):
            return folder
        raise UserError("suites are being measured already; wait for their end, or stop them first.")
    for each in (folder, folder / layout.CONTROL):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (layout.STOP, BEGUN):
        (folder / name).unlink(missing_ok=True)
    files.write_json(folder / ORDERS, asked)
    write_starting(folder)
    process.start_detached(
        [sys.executable, "-m", "tuner_tui.evaluation.several", str(folder)], folder / layout.LOG
    )
    return folder


def _wish(asked: dict[str, Any]) -> dict[str, Any]:
    """What is to be measured. Whether anew is no part of it: who comes back does not mean to begin again."""
    return {**asked, "orders": [{**order, "fresh": False} for order in asked["orders"]]}


def stop_suites(folder: Path) -> None:
    """Ask for the end: the suite at work keeps what it has stored, and the others are not begun."""
    queue = read_queue(folder)
    if queue is None:
        return
    if queue.progress.state.live:
        stop_evaluation(folder)
    for eval_dir in queue.folders.values():
        if read_progress(eval_dir).state.live:
            stop_evaluation(eval_dir)


class _Leader:
    """The one writer of a queue's folder, apart from the orders and the request to stop."""

    def __init__(self, folder: Path, heartbeat: Heartbeat) -> None:
        self._folder = folder
        self._heartbeat = heartbeat
        self._terminated = False
        self._folders: dict[str, str] = {}
        self._faults: dict[str, str] = {}
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._terminate)

    def lead(self) -> None:
        """All suites, one after the other; one that fails does not keep the others from being measured.

        Raises:
            Stopped: a stop was asked for, of the queue or of the suite at work.
            UserError: a suite could not be measured.
        """
        request = json.loads((self._folder / ORDERS).read_bytes())
        what = Path(request["run"]) if request["run"] else Model.from_json(request["model"])
        for order in map(Order.from_json, request["orders"]):
            if self._stopping:
                raise Stopped
            self._heartbeat.update(state=str(RunState.RUNNING), phase=order.suite)
            try:
                eval_dir = begin(what, order)
            except UserError as error:
                self._note(self._faults, order.suite, str(error))
                continue
            self._note(self._folders, order.suite, str(eval_dir))
            self._see_through(order.suite, eval_dir)
        if self._faults:
            raise UserError(" ".join(f"{suite}: {why}" for suite, why in self._faults.items()))

    @property
    def _stopping(self) -> bool:
        return self._terminated or (self._folder / layout.STOP).exists()

    def _see_through(self, suite: str, eval_dir: Path) -> None:
        asked = False
        while (progress := read_progress(eval_dir)).state.live:
            if self._stopping and not asked:
                stop_evaluation(eval_dir)
                asked = True
            time.sleep(_POLL_SECONDS)
        if progress.state is RunState.STOPPED:
            raise Stopped
        if progress.state is not RunState.FINISHED:
            self._note(self._faults, suite, progress.error or f"the evaluation {progress.state}.")

    def _note(self, notes: dict[str, str], suite: str, words: str) -> None:
        notes[suite] = words
        files.write_json(self._folder / BEGUN, {"folders": self._folders, "faults": self._faults})

    def _terminate(self, _signal: int, _frame: object) -> None:
        self._terminated = True


def main(arguments: Sequence[str]) -> int:
    """Lead the queue; the exit status is 1 when a suite could not be measured."""
    # The window's terminal may hang up at any time; that is no reason to end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    folder = Path(arguments[0])
    heartbeat = Heartbeat(folder, {})
    return see_through(_Leader(folder, heartbeat).lead, folder, heartbeat)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
