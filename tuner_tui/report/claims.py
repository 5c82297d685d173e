"""What a comparison lets one claim: better, worse, or no evidence of a difference. Pure."""

import math
from collections.abc import Mapping
from typing import Any

from tuner_tui.evaluation.statistics import detectable_difference, mcnemar
from tuner_tui.report.text import p_value, points

SIGNIFICANT = 0.05


def claim(change: Mapping[str, Any], adjusted: float, family: int) -> dict[str, Any]:
    """What one comparison shows.

    Args:
        change: a `Difference`, base first.
        adjusted: its p-value after Holm's correction.
        family: how many comparisons it was corrected for.

    Returns:
        `state` (better, worse, no_evidence), `p_holm`, `family`, and a `sentence`.
    """
    low, high = change["interval"]
    figures = f"{points(change['delta'])} points [{points(low)} to {points(high)}]"
    tested = f"{p_value(adjusted)}{f' after Holm over {family}' if family > 1 else ''}"
    counts = f"{change['fixed']} fixed, {change['broken']} broken of {change['pairs']}"
    if adjusted < SIGNIFICANT:
        state = "better" if change["delta"] > 0 else "worse"
        sentence = f"{state.capitalize()}: {figures}, {counts}, {tested}."
    else:
        state = "no_evidence"
        shown = detectable_difference(change["pairs"])
        sentence = (
            f"No evidence of a difference: {figures}, {counts}, {tested}. So many items show a net change of "
            f"about {math.ceil(100 * shown)} points or more."
        )
    return {"state": state, "p_holm": adjusted, "family": family, "sentence": sentence}


def survives_overlap(change: Mapping[str, Any], overlapping: int) -> bool:
    """Whether a gain stands when every item that is in the training data is taken from the fixed ones."""
    left = max(0, change["fixed"] - overlapping)
    return left > change["broken"] and mcnemar(left, change["broken"]) < SIGNIFICANT
