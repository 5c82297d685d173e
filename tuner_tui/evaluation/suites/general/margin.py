"""Non-inferiority: whether what was measured after training is not worse than before by more than a margin.

"No significant difference" does not say that nothing was lost; a lower bound above minus the margin does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tuner_tui.evaluation.statistics import Z95, t_quantile

_FEWEST = 6
"""Pairs of numbers below which nothing is said: the t interval rests on their scatter."""


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """`delta` is after minus before, better being positive, and `interval` its two-sided 95% interval, so
    that its lower bound is one-sided 97.5%. `state`: kept (the lower bound is above -margin), lost (the upper
    bound is below it), or undecided."""

    state: Literal["kept", "lost", "undecided"]
    pairs: int
    delta: float
    interval: tuple[float, float]
    margin: float
    sentence: str


def non_inferior(
    before: Sequence[bool] | Sequence[float],
    after: Sequence[bool] | Sequence[float],
    margin: float,
    *,
    title: str = "The rate",
    unit: Literal["points", "bits per byte"] = "points",
) -> NonInferiority:
    """Compare the same items before and after.

    Yes-or-no outcomes get Tango's score interval (Statistics in Medicine 17:891, 1998), which does not shrink
    to nothing when no item changed, as a bootstrap does; numbers get the paired t interval.

    Args:
        before, after: one outcome for each item; True is better, and of numbers (bits per byte) the smaller.
        margin: the loss that would still be acceptable, above 0, in the unit of the outcomes.
        title: what was measured, for the sentence.
        unit: that of the sentence.

    Raises:
        ValueError: the lengths differ, or the margin is not above 0.
    """
    if len(before) != len(after):
        raise ValueError("a paired comparison needs as many items before as after")
    if not margin > 0:
        raise ValueError("the margin must be above 0")
    pairs = list(zip(before, after, strict=True))
    if unit == "points":
        fixed = sum(bool(now) and not was for was, now in pairs)
        broken = sum(bool(was) and not now for was, now in pairs)
        delta = (fixed - broken) / len(pairs) if pairs else 0.0
        interval = paired_interval(fixed, broken, len(pairs))
    else:
        gains = [float(was) - float(now) for was, now in pairs]
        delta = sum(gains) / len(gains) if gains else 0.0
        interval = _mean_interval(gains)
    low, high = interval
    state: Literal["kept", "lost", "undecided"] = (
        "kept" if low > -margin else "lost" if high < -margin else "undecided"
    )
    return NonInferiority(
        state, len(pairs), delta, interval, margin, _sentence(title, state, delta, interval, margin, unit)
    )


def paired_interval(fixed: int, broken: int, pairs: int) -> tuple[float, float]:
    """Tango's 95% score interval of the difference (fixed - broken) / pairs; (-1, 1) without pairs.

    The bounds are the differences at which the score test just rejects; each is found by bisection.
    """
    if pairs == 0:
        return -1.0, 1.0
    delta = (fixed - broken) / pairs

    def bound(end: float) -> float:
        inside, outside = delta, end
        for _ in range(60):
            middle = (inside + outside) / 2
            if abs(_score(fixed, broken, pairs, middle)) <= Z95:
                inside = middle
            else:
                outside = middle
        return inside

    return bound(-1.0), bound(1.0)


def _score(fixed: int, broken: int, pairs: int, delta: float) -> float:
    """The score statistic under the hypothesis that the true difference is `delta`."""
    a = 2 * pairs
    b = -fixed - broken + (2 * pairs - fixed + broken) * delta
    c = -broken * delta * (1 - delta)
    # The share of broken items that is likeliest under the hypothesis.
    share = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = pairs * (2 * share + delta * (1 - delta))
    distance = fixed - broken - pairs * delta
    if variance <= 0:
        return 0.0 if abs(distance) < 1e-12 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def _mean_interval(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < _FEWEST:
        return -math.inf, math.inf
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    half = t_quantile(len(values) - 1) * spread / math.sqrt(len(values))
    return mean - half, mean + half


def _sentence(
    title: str, state: str, delta: float, interval: tuple[float, float], margin: float, unit: str
) -> str:
    low, high = interval
    if not math.isfinite(low):
        return f"{title}: too few items to say whether it was kept."

    def shown(value: float, sign: str = "+") -> str:
        return f"{100 * value:{sign}.1f}" if unit == "points" else f"{value:{sign}.3f}"

    found = f"{shown(delta)} {unit} (95% {shown(low)} to {shown(high)})"
    if state == "kept":
        less = ", though it did get worse" if high < 0 else ""
        return f"{title} was kept: {found}, a loss of more than {shown(margin, '')} is ruled out{less}."
    if state == "lost":
        return f"{title} was lost: {found}, certainly more than the {shown(margin, '')} that were acceptable."
    if high < 0:
        return f"{title} did get worse: {found}; whether by more than {shown(margin, '')} is undecided."
    return f"{title} is undecided: {found}, a loss of more than {shown(margin, '')} cannot be ruled out."
