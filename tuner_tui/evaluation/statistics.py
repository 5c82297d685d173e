"""Rates, intervals and tests for paired yes-or-no outcomes."""

import math
from collections.abc import Sequence

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


def bootstrap_difference(
    before: Sequence[bool], after: Sequence[bool], draws: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval (95%) of the mean of `after - before`, resampling whole items.

    Each difference is -1, 0 or +1, so that a resample of the items is a multinomial draw of three
    counts: the same distribution, without drawing the items. Over no items it is (-1, 1).

    Raises:
        ValueError: the lengths differ.
    """
    if len(before) != len(after):
        raise ValueError("a paired comparison needs as many items before as after")
    total = len(before)
    if total == 0:
        return -1.0, 1.0
    import numpy as np

    fixed = sum(not b and a for b, a in zip(before, after, strict=True))
    broken = sum(b and not a for b, a in zip(before, after, strict=True))
    shares = np.array([fixed, broken, total - fixed - broken]) / total
    counts = np.random.default_rng(seed).multinomial(total, shares, size=draws)
    low, high = np.quantile((counts[:, 0] - counts[:, 1]) / total, [0.025, 0.975])
    return float(low), float(high)


def detectable_difference(total: int, discordant: float = 0.1) -> float:
    """The smallest net change of a rate that `total` pairs show with 80% power at a two-sided 5%.

    The normal approximation of McNemar's test: (z_97.5 + z_80) * sqrt(discordant / total), where
    `discordant` is the share of items whose verdict differs between the arms. 1 at most.
    """
    if total <= 0:
        return 1.0
    return min(1.0, (Z95 + _Z80) * math.sqrt(discordant / total))
