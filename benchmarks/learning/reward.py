"""A reward model on the sample pairs: how often the better of two held-out answers scores higher."""

from typing import Any

from benchmarks.learning.answers import pair_file
from benchmarks.learning.runs import last, run
from tuner_tui import paths
from tuner_tui.training.presets import load_preset


def measure(seed: int) -> dict[str, Any]:
    """On held-out pairs about tools that no training pair names."""
    config = load_preset("reward")
    config.name, config.seed = f"reward-{seed}", seed
    config.quantization.bits = None
    config.logging.eval_every = 0
    config.data.eval = pair_file(paths.home())
    run_dir = run(config)
    accuracy = last(run_dir, "eval_accuracy")
    return {"accuracy": accuracy, "margin": last(run_dir, "eval_margin"), "holds": accuracy >= 0.8}
