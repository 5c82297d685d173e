"""A few real steps before the run: measured memory and speed, beside the estimate.

The probe is a run like any other, of the same recipe, in a folder of its own that vanishes afterwards:
nothing is measured that a run would not do. It trains on the longest rows of the data, so that the peak of
memory is the peak of the run.
"""

import heapq
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from tuner_tui.data.dataset import load_dataset
from tuner_tui.errors import UserError
from tuner_tui.runs import control
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import RunReader, read_metrics
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local

_POLL = 0.2


@dataclass(frozen=True, slots=True)
class Probe:
    """What was measured.

    Args:
        allocated: bytes, the peak of what PyTorch had in use; on a CPU, of the process's resident memory.
        reserved: bytes, the peak of what its allocator held; None on a CPU.
        seconds_per_step: the median without the first step, which warms up.
        tokens_per_second: of all processes of the run together; None when the method does not say.
        startup: seconds from the start to the end of the first step.
        steps: optimizer steps that were made.
        device: what computed.
    """

    allocated: int
    reserved: int | None
    seconds_per_step: float
    tokens_per_second: float | None
    startup: float
    steps: int
    device: str

    @property
    def peak(self) -> int:
        """Bytes that the device must have."""
        return self.reserved or self.allocated


def probe(
    config: TrainConfig,
    steps: int = 4,
    watch: Callable[[Status], None] = lambda status: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Probe:
    """Train `steps` steps on the longest rows, and measure.

    Args:
        config: the run's configuration; its batch and all else that costs memory or time are kept.
        steps: two at least.
        watch: gets the status of the probe, again and again.
        cancelled: whether to give up.

    Raises:
        UserError: the run cannot be started, it failed (the reason is its own), or it was cancelled.
    """
    config = local.absolute(config)
    local.check_inputs(config)
    with TemporaryDirectory(prefix="tuner-probe-") as folder:
        data = Path(folder) / "longest.jsonl"
        _write_longest(config, data, rows=steps * config.optimization.effective_batch)
        config.data.train, config.data.eval, config.data.eval_fraction = [data], None, 0.0
        config.optimization.max_steps = steps
        config.logging.log_every, config.logging.eval_every = 1, 0
        config.logging.save_every = 10**6
        config.launch.slurm = None
        started = time.time()
        run_dir = local.launch(config, Path(folder) / "runs")
        status = _follow(run_dir, watch, cancelled)
        if cancelled():
            raise UserError("the probe was cancelled.")
        if status.state is not RunState.FINISHED:
            raise UserError(f"the probe of this configuration {status.state}: {status.reason}")
        return _measured(run_dir, started)


def _follow(run_dir: Path, watch: Callable[[Status], None], cancelled: Callable[[], bool]) -> Status:
    reader = RunReader(run_dir)
    asked = False
    while (status := reader.status()).state.live:
        watch(status)
        if cancelled() and not asked:
            control.request_stop(run_dir)
            asked = True
        time.sleep(_POLL)
    return status


def _measured(run_dir: Path, started: float) -> Probe:
    records = [record for record in read_metrics(run_dir) if record.get("memory_allocated")]
    if not records:
        raise UserError("the probe made no step.")
    times = [record["time"] for record in records]
    between = [later - earlier for earlier, later in pairwise(times)]
    speeds = [record["tokens_per_second"] for record in records[1:] if record.get("tokens_per_second")]
    facts: dict[str, Any] = next(
        (event for event in RunReader(run_dir).poll_events() if event["code"] == "started"), {}
    )
    reserved = max(record.get("memory_reserved") or 0 for record in records)
    return Probe(
        allocated=max(record["memory_allocated"] for record in records),
        reserved=reserved or None,
        seconds_per_step=statistics.median(between) if between else times[0] - started,
        tokens_per_second=statistics.median(speeds) if speeds else None,
        startup=times[0] - started,
        steps=records[-1]["step"],
        device=str(facts.get("device", "")),
    )


def _write_longest(config: TrainConfig, path: Path, rows: int) -> None:
    """The longest rows of the training files, by the length of their text, again and again up to `rows`."""
    examples = (example for file in config.data.train for example in load_dataset(file).examples)
    lines = heapq.nlargest(rows, map(orjson.dumps, examples), key=len)
    if not lines:
        raise UserError("data.train: no row can be read; `tuner inspect` says why.")
    with path.open("wb") as out:
        for number in range(rows):
            out.write(lines[number % len(lines)] + b"\n")
