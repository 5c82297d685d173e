"""DPO, IPO and KTO after a short SFT: reward accuracy on held-out pairs, right answers in free generation."""

from pathlib import Path
from typing import Any

from benchmarks.learning.answers import held_out_pairs, outcomes, pair_file, rate
from benchmarks.learning.pair_rewards import accuracy
from benchmarks.learning.runs import begun, last, run
from tuner_tui import paths
from tuner_tui.training.presets import load_preset

FAULTS = ("missing_call", "needless_call", "wrong_tool", "unknown_argument", "unparsable_call")
"""What the rejected answers do."""


def measure(method: str, seed: int) -> dict[str, Any]:
    """Begin with a model that has seen a few right answers, and show it better and worse ones.

    Args:
        method: "dpo", "ipo" or "kto".
    """
    start = begun(seed)
    config = load_preset("kto" if method == "kto" else "dpo")
    config.name, config.seed, config.model.adapter = f"{method}-{seed}", seed, start
    config.preference.loss = "ipo" if method == "ipo" else "sigmoid"
    config.quantization.bits = None
    config.logging.eval_every = 0
    config.data.eval = pair_file(paths.home())
    run_dir = run(config)
    adapter = run_dir / "adapter"
    before = outcomes(Path(start), held_out_pairs())
    after = outcomes(adapter, held_out_pairs(), before=start)
    found = {
        "accuracy": accuracy(adapter, held_out_pairs(), before=start),
        "margin": last(run_dir, "eval_rewards/margins"),
        "right before": rate(before, "right"),
        "right after": rate(after, "right"),
        "faults before": rate(before, *FAULTS),
        "faults after": rate(after, *FAULTS),
    }
    holds = found["accuracy"] >= 0.8 and found["right after"] > found["right before"]
    return {**found, "holds": holds}
