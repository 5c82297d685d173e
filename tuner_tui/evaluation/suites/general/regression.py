"""Stored items of the base and the tuned model -> what was kept of general ability, by measure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner_tui.evaluation.lines import UNJUDGED
from tuner_tui.evaluation.shapes import Kept
from tuner_tui.evaluation.subset import REPEAT
from tuner_tui.evaluation.suites.general.margin import NonInferiority, non_inferior

POINTS = 0.10
"""Margin of one rate: with 40 to 50 items no smaller loss can be ruled out, even where nothing changed."""
POINTS_IN_ALL = 0.05
"""Margin of the rate over all items that are right or wrong."""
BITS = 0.02
"""Margin of bits per byte, as a share of the base model's."""

_RATES = {
    "right": "General ability as a whole",
    "instructions": "Keeping to instructions",
    "choices": "Multiple choice",
    "chat": "Chat without calls",
}

Stored = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Regression:
    """What became of one measure: right, instructions, choices, chat or bits_per_byte."""

    measure: str
    title: str
    result: NonInferiority

    def to_json(self) -> Kept:
        """As it stands in `summary.json`."""
        result = self.result
        low, high = result.interval
        return {
            "measure": self.measure,
            "title": self.title,
            "state": result.state,
            "pairs": result.pairs,
            "delta": round(result.delta, 6),
            "interval": [round(low, 6), round(high, 6)] if math.isfinite(low) else None,
            "margin": round(result.margin, 6),
            "sentence": result.sentence,
        }


def regressions(before: Stored, after: Stored) -> list[Regression]:
    """Compare the stored lines of two arms of the suite `general`, on the items that both have.

    Of items that were answered several times the first answer counts: the others are no further items.
    """
    before = [item for item in before if REPEAT not in item["id"] or item["id"].endswith(f"{REPEAT}1")]
    later = {item["id"]: item for item in after if item["error"] not in UNJUDGED}
    pairs = [(was, later[was["id"]]) for was in before if was["id"] in later and was["error"] not in UNJUDGED]
    found = []
    for measure, title in _RATES.items():
        chosen = [
            (bool(was["verdict"]["right"]), bool(now["verdict"]["right"]))
            for was, now in pairs
            if was["category"] and measure in ("right", was["category"])
        ]
        if chosen:
            margin = POINTS_IN_ALL if measure == "right" else POINTS
            result = non_inferior([b for b, _ in chosen], [a for _, a in chosen], margin, title=title)
            found.append(Regression(measure, title, result))
    bits = [
        (was["numbers"]["bits_per_byte"], now["numbers"]["bits_per_byte"])
        for was, now in pairs
        if "bits_per_byte" in was["numbers"] and "bits_per_byte" in now["numbers"]
    ]
    if bits:
        base = [was for was, _ in bits]
        title = "Foretelling general text"
        result = non_inferior(
            base,
            [now for _, now in bits],
            max(BITS * sum(base) / len(base), 1e-9),
            title=title,
            unit="bits per byte",
        )
        found.append(Regression("bits_per_byte", title, result))
    return found
