"""A run as lines of text, until it ends: what `tuner train` and `tuner watch --plain` print."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.metrics import eta
from tuner_tui.runs.reader import RunReader

_POLL_SECONDS = 0.5


def follow(run_dir: Path, *, quiet: bool = False) -> int:
    """Print what happens in a run from now on; `quiet` only waits.

    Returns:
        0 when the run finished or was stopped, 1 when it failed or was lost, 130 after Ctrl-C (it goes on).
    """
    reader = RunReader(run_dir)
    try:
        status = watch(run_dir, quiet=quiet)
    except KeyboardInterrupt:
        _say(
            f"\nThe run goes on. `tuner watch {reader.id}` comes back to it, "
            f"`tuner stop {reader.id}` stops it with a checkpoint."
        )
        return 130
    return int(status.state in (RunState.FAILED, RunState.LOST))


def last_words(run_id: str, status: Status) -> str:
    """How a run ended, in one line."""
    text = f"{run_id} {status.state} at step {status.step} of {status.total}"
    return f"{text}: {status.reason}" if status.reason else f"{text}."


def watch(run_dir: Path, *, quiet: bool = False) -> Status:
    """`follow` without a word about Ctrl-C, which raises KeyboardInterrupt: how the run ended."""
    reader = RunReader(run_dir)
    history: list[dict[str, Any]] = []
    phase = ""
    while True:
        # The status first: whatever was written before the last word is then still read below.
        status = reader.status()
        generation = reader.generation
        new = reader.poll_metrics()
        if reader.generation != generation:
            history, new = new, []
        history += new
        if not quiet:
            for record in sorted(
                [*reader.poll_events(), *new], key=lambda item: float(item.get("time") or 0)
            ):
                text = record["message"] if "message" in record else _line(record, history, status.total)
                _say(f"{_clock(record)}  {text}")
            if status.phase != phase and status.state is RunState.STARTING:
                _say(f"{time.strftime('%H:%M:%S')}  {status.phase} ...")
            phase = status.phase
        if not status.state.live:
            if not quiet:
                _say(last_words(reader.id, status))
            return status
        time.sleep(_POLL_SECONDS)


_FIGURES = {
    "loss": ("loss", ".4f"),
    "reward": ("reward", ".3f"),
    "accuracy": ("accuracy", ".3f"),
    "rewards/accuracies": ("accuracy", ".3f"),
    "kl": ("kl", ".3f"),
    "learning_rate": ("lr", ".2e"),
    "grad_norm": ("grad", ".2f"),
    "tokens_per_second": ("tok/s", ",.0f"),
}
"""What a line shows of a record, of whatever method: the name of the metric, its short name, its form."""


def _line(record: Mapping[str, Any], history: list[dict[str, Any]], total: int) -> str:
    step = f"step {record.get('step', 0):>5}/{total}"
    held_out = [
        f"{short} {_number(record[f'eval_{name}'], form)}"
        for name, (short, form) in _FIGURES.items()
        if f"eval_{name}" in record
    ]
    if held_out:
        return f"{step}  evaluation {'  '.join(held_out)}"
    parts = [
        f"{_number(record[name], form)} tok/s"
        if short == "tok/s"
        else f"{short} {_number(record[name], form)}"
        for name, (short, form) in _FIGURES.items()
        if name in record
    ]
    left = eta([item for item in history if "loss" in item], total)
    if left and left[1] >= 1:
        parts.append(f"{_duration(left[0])} to {_duration(left[1])} left")
    return "  ".join([step, *parts])


def _number(value: Any, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "not finite"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _clock(record: Mapping[str, Any]) -> str:
    return time.strftime("%H:%M:%S", time.localtime(float(record.get("time") or 0)))


def _say(text: str) -> None:
    from tuner_tui.cli.output import printing
    from tuner_tui.visible import visible

    with printing():
        sys.stdout.write(visible(text) + "\n")
        sys.stdout.flush()
