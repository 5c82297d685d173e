"""Rates, intervals and tests for paired yes-or-no outcomes."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

from tuner_tui.evaluation.shapes import Rate

Z95 = 1.959963984540054
"""The 97.5% quantile of the normal distribution."""
_Z80 = 0.8416212335729143


def wilson(count: int, total: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22:209).

    Unlike the normal approximation it stays within [0, 1] and is honest at 0 and at `total`.
    Over no items it is (0, 1).

    Raises:
        ValueError: not 0 <= count <= total.
    """
    if not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is no proportion")
    if total == 0:
        return 0.0, 1.0
    share, spread = count / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == total else min(1.0, centre + half)
    return low, high


def rate(count: int, total: int) -> Rate:
    """`count` of `total` with its interval, in the shape of the JSON files."""
    low, high = wilson(count, total)
    return {
        "count": count,
        "total": total,
        "rate": round(count / total, 4) if total else None,
        "interval": [round(low, 4), round(high, 4)],
    }


def mcnemar(fixed: int, broken: int) -> float:
    """Exact two-sided p-value of McNemar's test: a fair coin for each discordant pair.

    Args:
        fixed: pairs wrong before and right after.
        broken: pairs right before and wrong after.
    """
    discordant = fixed + broken
    if discordant == 0:
        return 1.0
    tail = sum(math.comb(discordant, k) for k in range(min(fixed, broken) + 1))
    return float(min(1.0, 2 * tail / 2**discordant))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for looking at all of them (Holm 1979, Scand. J. Statist. 6:65), in their order.

    Whoever calls a difference real where the adjusted value is below 5% is wrong about any of them in at most
    5% of cases, however they hang together.
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def bootstrap_difference(
    before: Sequence[bool],
    after: Sequence[bool],
    draws: int = 10_000,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> tuple[float, float]:
    """Percentile interval (95%) of the mean of `after - before`, resampling whole items, or whole groups.

    Items of one tool or one task are alike: resampled one by one they would count as more evidence than they
    are. A resample of groups weighs each by its items, and its percentiles are widened for their number
    (Hesterberg 2015, Am. Statistician 69:371, section 3.4), since there are few of them.

    A resample is drawn as a multinomial count of the distinct (sum of differences, items) of its units: the
    same distribution, without drawing the units. Over no items, or one group, it is (-1, 1).

    Args:
        groups: the group of each item, "" for one that is its own.

    Raises:
        ValueError: the lengths differ.
    """
    if len(before) != len(after) or (groups is not None and len(groups) != len(before)):
        raise ValueError("a paired comparison needs as many items before as after")
    units = _units([int(a) - int(b) for b, a in zip(before, after, strict=True)], groups or ())
    count = sum(units.values())
    clustered = any(size > 1 for _, size in units)
    if not units or (clustered and count == 1):
        return -1.0, 1.0
    import numpy as np

    kinds = sorted(units)
    shares = np.array([units[kind] for kind in kinds]) / count
    drawn = np.random.default_rng(seed).multinomial(count, shares, size=draws)
    nets, sizes = np.array(kinds, dtype=float).T
    tail = 0.025
    if clustered:
        tail = NormalDist().cdf(-math.sqrt(count / (count - 1)) * t_quantile(count - 1))
    low, high = np.quantile((drawn @ nets) / (drawn @ sizes), [tail, 1 - tail])
    return float(low), float(high)


def _units(differences: Sequence[int], groups: Sequence[str]) -> Counter[tuple[int, int]]:
    """How many groups have each (sum of differences, items)."""
    if not any(groups):
        return Counter((difference, 1) for difference in differences)
    found: dict[object, tuple[int, int]] = {}
    for index, (difference, group) in enumerate(zip(differences, groups, strict=True)):
        net, size = found.get(group or index, (0, 0))
        found[group or index] = net + difference, size + 1
    return Counter(found.values())


def t_quantile(freedom: int) -> float:
    """The 97.5% quantile of Student's t, by the expansion of Abramowitz and Stegun 26.7.5; within 0.3% from 5
    degrees of freedom on, and exact at 1 to 4."""
    if exact := {1: 12.706205, 2: 4.302653, 3: 3.182446, 4: 2.776445}.get(freedom):
        return exact
    z, v = Z95, float(freedom)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def detectable_difference(total: int, discordant: float = 0.1) -> float:
    """The smallest net change of a rate that `total` pairs show with 80% power at a two-sided 5%.

    The normal approximation of McNemar's test: (z_97.5 + z_80) * sqrt(discordant / total), where
    `discordant` is the share of items whose verdict differs between the arms. 1 at most.
    """
    if total <= 0:
        return 1.0
    return min(1.0, (Z95 + _Z80) * math.sqrt(discordant / total))


def design_effect(groups: Sequence[str], correlation: float = 0.1) -> float:
    """By how much groups of alike items swell the variance of a rate: 1 + (m - 1) * correlation, with m the
    mean size of the group that an item is in (Kish 1965, section 8.2). An approximation: nobody knows the
    correlation within groups before a run, and 0.1 is an assumption.

    Args:
        groups: the group of each item, "" for one that is its own.
        correlation: of two items of one group, 0 to 1.
    """
    if not groups:
        return 1.0
    sizes = Counter(group for group in groups if group)
    squares = sum(size**2 for size in sizes.values()) + (len(groups) - sum(sizes.values()))
    return 1 + (squares / len(groups) - 1) * correlation


def detectable_clustered(groups: Sequence[str], discordant: float = 0.1, correlation: float = 0.1) -> float:
    """As `detectable_difference`, approximately, for items that come in groups (see `design_effect`)."""
    if not groups:
        return 1.0
    swollen = detectable_difference(len(groups), discordant) * math.sqrt(design_effect(groups, correlation))
    return min(1.0, swollen)
