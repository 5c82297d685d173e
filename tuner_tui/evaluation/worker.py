"""The evaluator, a process of its own: `python -m tuner_tui.evaluation.worker EVAL_DIR`.

Reads `request.json`, answers every item with every arm, and writes `<arm>.jsonl` and `summary.json`.
What is stored already is not generated again, so that a stopped evaluation goes on where it was.
"""

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tuner_tui.evaluation import layout
from tuner_tui.evaluation.arms import PROMPT_ARMS
from tuner_tui.evaluation.door import Door, open_door, prepare
from tuner_tui.evaluation.driver import converse
from tuner_tui.evaluation.earlier import answers_key, read_marks, sort_out
from tuner_tui.evaluation.ending import see_through
from tuner_tui.evaluation.heartbeat import Heartbeat
from tuner_tui.evaluation.layout import Request
from tuner_tui.evaluation.progress import load_items, stored_arms
from tuner_tui.evaluation.subset import Limited, Limits
from tuner_tui.evaluation.suites import open_suite
from tuner_tui.evaluation.summary import write_summary
from tuner_tui.evaluation.tasks import Harness, Item, Task
from tuner_tui.runs import files
from tuner_tui.runs.layout import RunState

_LOCK_TRIES, _LOCK_PAUSE = 20, 0.1
"""Two seconds: a worker that has said its last word lets go of the lock at once."""


class Worker:
    """One evaluation, from the request to the summary."""

    def __init__(self, eval_dir: Path, request: Request, task: Task, heartbeat: Heartbeat) -> None:
        self._dir = eval_dir
        self._request = request
        self._task = task
        self._heartbeat = heartbeat
        self._terminated = False
        signal.signal(signal.SIGTERM, self._terminate)

    def run(self) -> None:
        """Raises Stopped when it was asked to end, UserError for what a person can mend."""
        wanted = {item.id for item in self._task.items}
        marks = read_marks(self._dir)
        for arm in {*stored_arms(self._dir), *self._request.arms}:
            key = answers_key(self._request.fingerprint, marks.get(arm, ""))
            sort_out(self._dir, arm, key, wanted)
        for arm in self._request.arms:
            self._take_from_cache(arm)
        if any(self._missing(arm) for arm in self._request.arms):
            self._heartbeat.update(phase="loading the model")
            door = open_door(self._request)
            self._heartbeat.update(
                state=str(RunState.RUNNING), phase="generating", generating_since=time.time()
            )
            for arm in self._request.arms:
                self._answer(arm, door)
        write_summary(self._dir, self._request, self._task)
        for arm in self._request.arms:
            self._give_to_cache(arm)

    def _answer(self, arm: str, door: Door) -> None:
        items = self._missing(arm)
        if not items:
            return
        done, total = len(self._task.items) - len(items), len(self._task.items)
        self._heartbeat.update(arm=arm)
        began = time.perf_counter()
        tokens = 0
        with self._lines(arm, door, items) as (engine, parts):
            for lines in parts:
                files.append_lines(layout.arm_file(self._dir, arm), lines)
                done += len(lines)
                tokens += sum(line["tokens"] for line in lines)
                self._heartbeat.progress(arm, done, total, len(lines))
        seconds = time.perf_counter() - began
        speed = f"{len(items)} items in {seconds:.1f} s, {tokens / seconds:.0f} tokens/s"
        sys.stderr.write(f"{arm}: {speed} ({engine})\n")

    @contextmanager
    def _lines(
        self, arm: str, door: Door, items: Sequence[Item]
    ) -> Iterator[tuple[str, Iterable[list[dict[str, Any]]]]]:
        """What answers, and the lines to store as they come."""
        task = self._task.whole if isinstance(self._task, Limited) else self._task
        if isinstance(task, Harness):
            yield task.title, task.ask(items, door.spoken(arm), self._request.batch, self._stop_asked)
            return
        with closing(door.speaker(arm, self._stop_asked)) as speaker:
            messages = prepare(arm, self._request.training)
            yield speaker.engine, converse(self._task, items, speaker, messages, self._stop_asked)

    def _missing(self, arm: str) -> list[Item]:
        stored = {item["id"] for item in load_items(self._dir, arm)}
        return [item for item in self._task.items if item.id not in stored]

    def _take_from_cache(self, arm: str) -> None:
        cache = self._request.cache
        if cache is not None and arm in PROMPT_ARMS and self._missing(arm):
            wanted = {item.id for item in self._task.items}
            if {item["id"] for item in load_items(cache, arm)} >= wanted:
                files.write_atomic(layout.arm_file(self._dir, arm), layout.arm_file(cache, arm).read_bytes())
        total = len(self._task.items)
        self._heartbeat.progress(arm, total - len(self._missing(arm)), total, 0)

    def _give_to_cache(self, arm: str) -> None:
        cache = self._request.cache
        if cache is None or arm not in PROMPT_ARMS or layout.arm_file(cache, arm).exists():
            return
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_atomic(layout.arm_file(cache, arm), layout.arm_file(self._dir, arm).read_bytes())

    def _stop_asked(self) -> bool:
        return self._terminated or (self._dir / layout.STOP).exists()

    def _terminate(self, _signal: int, _frame: object) -> None:
        self._terminated = True


def main(arguments: Sequence[str]) -> int:
    """Evaluate; the exit status is 0 when it finished or was stopped, 1 when it failed."""
    # The window's terminal may hang up at any time; that is no reason to end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    eval_dir = Path(arguments[0])
    lock = _take_lock(eval_dir / layout.LOCK)
    if lock is None:
        return 0  # another worker is at it, and its status is the one that counts
    request = Request.from_json(json.loads((eval_dir / layout.REQUEST).read_bytes()))
    heartbeat = Heartbeat(eval_dir, dict.fromkeys(request.arms, (0, 0)))
    status = see_through(
        lambda: Worker(eval_dir, request, _task(request), heartbeat).run(), eval_dir, heartbeat
    )
    # Now and not when the process has gone, which takes a while: the next worker may be waiting for it.
    os.close(lock)
    return status


def _take_lock(path: Path) -> int | None:
    """The descriptor of the lock that one worker at a time holds; None when another keeps it."""
    lock = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE)
    os.close(lock)
    return None


def _task(request: Request) -> Task:
    return open_suite(request.suite, request.heldout, Limits(request.limit, request.seed, request.repeats))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
