"""What a comparison lets one claim: better, worse, or no evidence; kept, lost, or unclear. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.evaluation.statistics import Z95, detectable_difference, mcnemar
from tuner_tui.report.text import p_value, points

SIGNIFICANT = 0.05

MARGIN = 0.05
"""The loss of a rate of general ability that a person would accept for a gain in tool calls: 5 points."""

LOSS_MARGIN = 0.05
"""The rise of bits per byte that would be accepted, as a share of the base model's."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values by Holm's step-down method (Holm 1979, Scand. J. Statist. 6:65), in the given order."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


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
    """Whether a gain stands if every item that overlaps with the training data is taken from the fixed ones."""
    left = max(0, change["fixed"] - overlapping)
    return left > change["broken"] and mcnemar(left, change["broken"]) < SIGNIFICANT


def paired_interval(fixed: int, broken: int, pairs: int) -> tuple[float, float]:
    """95% interval of a difference of paired rates (Agresti and Min 2005, Statist. Med. 24:729).

    Half an item is added to each cell of the table before Wald's formula, so that it does not shrink to a
    point where no item changed, as the bootstrap does: non-inferiority must not be had for free.
    """
    total = pairs + 2.0
    up, down = fixed + 0.5, broken + 0.5
    delta = (up - down) / total
    half = Z95 * math.sqrt(up + down - (up - down) ** 2 / total) / total
    return max(-1.0, delta - half), min(1.0, delta + half)


def rate_kept(measure: str, title: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a rate of general ability is kept within MARGIN.

    Returns:
        `state`: kept (the interval's lower end is above -MARGIN), lost (the estimate is not, and the whole
        interval is below 0), or unclear; `name`, `title`, `unit`, `delta`, `interval`, `margin`, `sentence`.
    """
    low, high = paired_interval(change["fixed"], change["broken"], change["pairs"])
    found = {"name": measure, "title": title, "unit": "rate", "margin": MARGIN, "items": change["pairs"]}
    figures = f"{points(change['delta'])} points [{points(low)} to {points(high)}]"
    state = _state(-change["delta"], -high, -low, MARGIN)
    return {
        **found,
        "delta": change["delta"],
        "interval": [round(low, 4), round(high, 4)],
        "state": state,
        "sentence": f"{title}: {figures}; {_words(state)} of {100 * MARGIN:.0f} points.",
    }


def loss_kept(name: str, title: str, base: float, delta: float, interval: tuple[float, float]) -> dict[str, Any]:
    """The same for a figure of which less is better, in `base`'s unit; the margin is LOSS_MARGIN of `base`."""
    margin = LOSS_MARGIN * base
    state = _state(delta, interval[0], interval[1], margin)
    return {
        "name": name,
        "title": title,
        "unit": "loss",
        "margin": round(margin, 4),
        "delta": round(delta, 4),
        "interval": [round(interval[0], 4), round(interval[1], 4)],
        "state": state,
        "sentence": (
            f"{title}: {delta:+.3f} [{interval[0]:+.3f} to {interval[1]:+.3f}] on {base:.3f} (less is better); "
            f"{_words(state)} of {margin:.3f}."
        ),
    }


def _state(worse: float, low: float, high: float, margin: float) -> str:
    """`worse` is how much worse it became, `low` and `high` its interval."""
    if high < margin:
        return "kept"
    return "lost" if worse >= margin and low > 0 else "unclear"


def _words(state: str) -> str:
    return {
        "kept": "not worse, within a margin",
        "lost": "worse than before, beyond a margin",
        "unclear": "a loss cannot be ruled out within a margin",
    }[state]
