"""What a suite counts and does not judge (steps, bits per byte): means and paired differences."""

from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.evaluation.arms import in_order

_TITLES = {
    "bits_per_byte": "Bits per byte",
    "steps": "Steps",
    "calls": "Calls",
    "invalid_calls": "Invalid calls",
}
_LESS_IS_BETTER = ("bits_per_byte", "loss", "perplexity")
_DRAWS, _SEED = 10_000, 0


def number_rows(
    stored: Mapping[str, Any], items: Mapping[str, Sequence[Mapping[str, Any]]], best: str | None
) -> list[dict[str, Any]]:
    """One row for each number: `name`, `title`, `less_is_better`, `base`, `best`, `tuned` (mean, interval,
    items; or None) and `change` (tuned minus base on the same items: mean, interval, pairs; or None).

    Args:
        stored: `numbers` of a summary, by arm and name.
        items: the stored items of each arm.
        best: the best prompt arm.
    """
    names = list(dict.fromkeys(name for arm in in_order(stored) for name in stored.get(arm, {})))
    return [
        {
            "name": name,
            "title": _TITLES.get(name, name.replace("_", " ").capitalize()),
            "less_is_better": name.startswith(_LESS_IS_BETTER),
            "base": stored.get("base", {}).get(name),
            "best": stored.get(best, {}).get(name) if best and best != "base" else None,
            "tuned": stored.get("tuned", {}).get(name),
            "change": _change(items.get("base", ()), items.get("tuned", ()), name),
        }
        for name in names
    ]


def paired_mean(differences: Sequence[float]) -> tuple[float, float, float]:
    """The mean of paired differences and its 95% percentile bootstrap interval, resampling items."""
    import numpy as np

    values = np.asarray(differences, dtype=float)
    generator = np.random.default_rng(_SEED)
    means = [
        values[generator.integers(0, len(values), size=(500, len(values)))].mean(axis=1)
        for _ in range(_DRAWS // 500)
    ]
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def _change(
    base: Sequence[Mapping[str, Any]], tuned: Sequence[Mapping[str, Any]], name: str
) -> dict[str, Any] | None:
    before = {item["id"]: (item.get("numbers") or {}).get(name) for item in base}
    pairs = [
        float(now) - float(was)
        for item in tuned
        if (now := (item.get("numbers") or {}).get(name)) is not None
        and (was := before.get(item["id"])) is not None
    ]
    if not pairs:
        return None
    mean, low, high = paired_mean(pairs)
    return {"mean": round(mean, 4), "interval": [round(low, 4), round(high, 4)], "pairs": len(pairs)}
