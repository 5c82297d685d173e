"""Chunks to tallies, in order, in this process or in several."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any

from tuner_tui.data.engine.chunks import ChunkInspector
from tuner_tui.data.engine.task import Task
from tuner_tui.data.engine.worker import COMMAND
from tuner_tui.data.readers import Chunk
from tuner_tui.data.tally import Tally
from tuner_tui.errors import UserError

_POLL = 0.05  # seconds between two looks at `stopped` while the workers work
_AHEAD = 4  # tallies for each worker that may wait for an earlier one
_PATIENCE = 5.0  # seconds until a worker that was told to end is killed
# numpy's OpenBLAS starts a thread for each core, which spins for a while and takes the workers' time; no
# matrix is multiplied here.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def tallies(
    chunks: Iterator[Chunk], task: Task, workers: int, stopped: Callable[[], bool]
) -> Iterator[Tally]:
    """The tallies of the chunks, in their order; fewer when `stopped` says so.

    With `workers` of 0 the work is done here; else in that many processes, of which none outlives this
    generator. Where no process can be started, it is done here, too.

    Raises:
        UserError: a chunk, the model or a companion cannot be read, or a worker was killed.
    """
    with ExitStack() as stack:
        try:
            started = [stack.enter_context(_Worker(task)) for _ in range(workers)]
        except OSError:
            started = []
        yield from _shared(chunks, started, stopped) if started else _alone(chunks, task, stopped)


def _alone(chunks: Iterator[Chunk], task: Task, stopped: Callable[[], bool]) -> Iterator[Tally]:
    inspector = ChunkInspector(task)
    for chunk in chunks:
        yield inspector.tally(chunk, stopped)
        if stopped():
            return


def _shared(
    chunks: Iterator[Chunk], workers: list["_Worker"], stopped: Callable[[], bool]
) -> Iterator[Tally]:
    """Each worker has one chunk at a time; the next one is made ready while they work."""
    waiting = list(workers)
    given: dict[Any, tuple[_Worker, int]] = {}  # by the worker's connection
    done: dict[int, Tally] = {}
    sent = merged = 0
    ready = next(chunks, None)
    while not stopped():
        while ready is not None and waiting and sent - merged < _AHEAD * len(workers):
            worker = waiting.pop()
            worker.send(ready)
            given[worker.connection] = (worker, sent)
            sent += 1
            ready = next(chunks, None)
        if not given:
            return
        for connection in wait(list(given), _POLL):
            worker, number = given.pop(connection)
            done[number] = worker.receive()
            waiting.append(worker)
        while merged in done:
            yield done.pop(merged)
            merged += 1


class _Worker:
    """A process of `worker.main`, ended when the context is left."""

    def __init__(self, task: Task) -> None:
        self.connection, theirs = Pipe()
        try:
            flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
            command = COMMAND.format(path=sys.path, fd=theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, *flags, "-c", command],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_ONE_THREAD},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()
        self.send(task)

    def send(self, message: Any) -> None:
        try:
            self.connection.send(message)
        except OSError:
            raise self._death() from None

    def receive(self) -> Tally:
        try:
            result = self.connection.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, Tally)
        return result

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self.connection.close()

    def _death(self) -> UserError:
        try:
            status = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            status = 0
        why = f"signal {-status}" if status < 0 else f"status {status}"
        return UserError(
            f"a process of the inspection ended with {why}, perhaps for want of memory; "
            "try fewer of them (--workers 1)."
        )


def sensible_workers(size: int) -> int:
    """How many processes a source of `size` bytes on disk is worth; 0 for none but this one."""
    return min(_processors(), _MOST_WORKERS) if size >= _WORTH_IT else 0


_WORTH_IT = 8 << 20  # bytes; with fewer, starting processes takes longer than the work
_MOST_WORKERS = 8


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
