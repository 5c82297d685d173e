"""Supervised fine-tuning as in the demo: the share of held-out items that are answered right."""

import json
from typing import Any

from benchmarks.learning.answers import outcomes, rate
from benchmarks.learning.runs import run
from tuner_tui import paths
from tuner_tui.training.presets import load_preset


def measure(seed: int) -> dict[str, Any]:
    """Base and tuned on `sample_data/heldout.jsonl`."""
    config = load_preset("demo")
    config.seed, config.logging.eval_every = seed, 0
    adapter = run(config) / "adapter"
    text = (paths.sample_data() / "heldout.jsonl").read_text("utf-8")
    items = [json.loads(line) for line in text.splitlines()]
    bits = config.quantization.bits
    before, after = (rate(outcomes(path, items, bits=bits), "right") for path in (None, adapter))
    return {"right before": before, "right after": after, "holds": after >= 0.75 and after > before}
