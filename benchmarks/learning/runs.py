"""A run from start to end, and its last figures."""

import time
from functools import cache
from pathlib import Path

from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import read_metrics, read_status
from tuner_tui.training.config import TrainConfig, parse_config, to_yaml
from tuner_tui.training.launchers import local
from tuner_tui.training.presets import load_preset

SETTINGS: dict[str, list[str]] = {}
"""Method -> `section.field=value`: what is tried instead of its preset's values."""


def run(config: TrainConfig) -> Path:
    """Train, with what `SETTINGS` says of the method, and return the run directory.

    Raises:
        RuntimeError: the run did not finish; with its reason.
    """
    if tried := SETTINGS.get(config.method):
        config = parse_config(to_yaml(config), config.name, tried)
    run_dir = local.launch(config)
    while (status := read_status(run_dir)).state.live:
        time.sleep(0.2)
    if status.state is not RunState.FINISHED:
        raise RuntimeError(f"{run_dir}: {status.state}: {status.reason}")
    return run_dir


def last(run_dir: Path, name: str) -> float:
    """The last value of a metric."""
    return float(next(record[name] for record in reversed(read_metrics(run_dir)) if name in record))


@cache
def begun(seed: int) -> str:
    """The adapter with which the preference methods begin, as is the practice: six steps of the demo, about a
    hundred right answers; it calls in the right form, and goes wrong in a quarter of all cases."""
    config = load_preset("demo")
    config.name, config.seed, config.quantization.bits = f"begun-{seed}", seed, None
    config.optimization.max_steps, config.logging.eval_every = 6, 0
    return str(run(config) / "adapter")
