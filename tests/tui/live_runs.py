"""Run directories for the tests of the window, written by the trainer's own writer."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner_tui.runs import layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.store import create_run
from tuner_tui.runs.writer import RunWriter


def log_steps(writer: RunWriter, first: int, last: int, *, broken: int | None = None) -> None:
    """Metrics of the steps `first` to `last`, with an eval loss every fifth; `broken` diverges."""
    for step in range(first, last + 1):
        loss = math.nan if step == broken else 2.0 * math.exp(-step / 10) + 0.1
        writer.metrics(
            step,
            {
                "loss": loss,
                "learning_rate": 2e-3,
                "grad_norm": 0.7,
                "num_tokens": step * 1000,
                "tokens_per_second": 950.0,
                "memory_allocated": 3 * 2**30,
            },
        )
        if step % 5 == 0:
            writer.metrics(step, {"eval_loss": 2.0 * math.exp(-step / 10) + 0.2})
    writer.update(step=last, epoch=last / 20)


def log_tried_out(writer: RunWriter, first: int, last: int) -> None:
    """Metrics as those of PPO: a reward that rises, also on held-out prompts, and a KL that grows."""
    for step in range(first, last + 1):
        writer.metrics(
            step,
            {
                "reward": step / 10,
                "reward_std": 1.0,
                "kl": step / 100,
                "entropy": 1.0,
                "clip_fraction": 0.125,
                "value_loss": 0.5,
                "grad_norm": 0.7,
                "memory_allocated": 3 * 2**30,
                "odd/metric[red]": 7.0,
            },
        )
        if step % 5 == 0:
            writer.metrics(step, {"eval_reward": step / 10 - 0.25})
    writer.update(step=last)


@contextmanager
def live_run(
    name: str = "trial", total: int = 40, steps: int = 12, method: str = "sft"
) -> Iterator[tuple[Path, RunWriter]]:
    """A run whose trainer is this process, for as long as the block lasts."""
    run_dir = create_run(name, f"name: trial\nmethod: {method}\n", {})
    with RunWriter(run_dir) as writer:
        writer.update(state=RunState.RUNNING, phase="training", total=total)
        writer.event("started", "Training began.")
        (log_tried_out if method == "ppo" else log_steps)(writer, 1, steps)
        yield run_dir, writer


def ended_run(name: str, state: RunState, reason: str | None = None, log: str = "") -> Path:
    """A run that has ended."""
    with live_run(name) as (run_dir, writer):
        (run_dir / layout.LOG).write_text(log, encoding="utf-8")
        if state is RunState.FINISHED:
            (run_dir / layout.ADAPTER).mkdir()
        writer.end(state, reason)
    return run_dir
