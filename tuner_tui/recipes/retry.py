"""A run that runs out of memory goes on with less at once, from its last good step. No torch here.

The next try is a process of its own in the same place (`exec`): only that gives back all memory. What it
takes instead of the configuration's values lies in `retry.json` beside it, which stays what the person wrote.
"""

import os
import sys
from pathlib import Path
from typing import Any

import orjson

from tuner_tui.runs import files, layout
from tuner_tui.training.config import TrainConfig


def apply(config: TrainConfig, run_dir: Path) -> TrainConfig:
    """The configuration with what earlier tries of this run had to change."""
    changed = _read(run_dir)
    return config.model_copy(update={"optimization": config.optimization.model_copy(update=changed)})


def reduce(config: TrainConfig, run_dir: Path) -> str | None:
    """Halve what is computed at once, for the next try; a sentence that says how, None if nothing is left.

    The effective batch stays: the micro-batch is halved and the accumulation doubled; where it is one row
    already, activations are computed again instead of kept.
    """
    wanted = config.optimization
    if wanted.micro_batch > 1:
        smaller = next(n for n in range(wanted.micro_batch // 2, 0, -1) if wanted.effective_batch % n == 0)
        changed: dict[str, Any] = {"micro_batch": smaller}
        text = f"{smaller} instead of {wanted.micro_batch} rows at once; the effective batch stays"
    elif wanted.gradient_checkpointing != "full":
        changed = {"gradient_checkpointing": "full"}
        text = "activations computed again instead of kept (gradient checkpointing)"
    else:
        return None
    files.write_json(run_dir / layout.RETRY, {**_read(run_dir), **changed})
    return text


def again() -> None:
    """Begin this process anew; does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    arguments = sys.orig_argv[1:]
    os.execv(sys.executable, [sys.executable, *arguments])


def _read(run_dir: Path) -> dict[str, Any]:
    try:
        value = orjson.loads((run_dir / layout.RETRY).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
