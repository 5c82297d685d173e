"""How whole numbers are spread: their figures, and a histogram whose edges can be read."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

_STEPS = (1, 2, 5)  # a bin is 1, 2 or 5 times a power of ten wide


@dataclass(frozen=True, slots=True)
class Bin:
    """How many values are at least `low` and at most `high`, both whole numbers."""

    low: int
    high: int
    count: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How a count is spread over `count` rows (or turns); all figures are 0 when there are none.

    `median` and `p95` are values that occur: the smallest that half, or 95 %, of the values do not exceed.
    """

    count: int
    total: int
    minimum: int
    median: int
    p95: int
    maximum: int

    @property
    def mean(self) -> float:
        """The average; 0 of nothing."""
        return self.total / self.count if self.count else 0.0

    def to_json(self) -> dict[str, float]:
        """All figures, with the mean."""
        return {**asdict(self), "mean": round(self.mean, 3)}


def spread(counts: Mapping[int, int]) -> Spread:
    """The spread of values that are counted: `{value: how often}`, values whole."""
    number = sum(counts.values())
    if not number:
        return Spread(0, 0, 0, 0, 0, 0)
    total = sum(value * often for value, often in counts.items())
    values = sorted(value for value, often in counts.items() if often)
    return Spread(
        number, total, values[0], _quantile(counts, number, 50), _quantile(counts, number, 95), values[-1]
    )


def bins(values: Mapping[int, int] | Sequence[int], count: int) -> list[Bin]:
    """A histogram of whole numbers: adjoining bins of one width, at most `count` of them, none of the outer
    ones empty.

    The width is 1, 2 or 5 times a power of ten, and each bin begins at a multiple of it, so that the edges
    can be read; a width of 1 shows each value by itself.

    Args:
        values: the numbers, or a mapping of each to how often it occurs.
        count: the most bins, at least 2.

    Raises:
        ValueError: `count` is less than 2.
    """
    if count < 2:
        raise ValueError("a histogram needs two bins at least")
    counts = values if isinstance(values, Mapping) else count_each(values)
    present = [value for value, often in counts.items() if often]
    if not present:
        return []
    low, high = min(present), max(present)
    width = _width(low, high, count)
    first = low // width
    heights = [0] * (high // width - first + 1)
    for value in present:
        heights[value // width - first] += counts[value]
    return [
        Bin((first + place) * width, (first + place + 1) * width - 1, height)
        for place, height in enumerate(heights)
    ]


def count_each(values: Sequence[int]) -> Mapping[int, int]:
    """Each value with how often it occurs; in C for the flat arrays of a tally."""
    import numpy as np

    found, often = np.unique(np.asarray(values), return_counts=True)
    return dict(zip(found.tolist(), often.tolist(), strict=True))


def _width(low: int, high: int, count: int) -> int:
    power = 1
    while True:
        for step in _STEPS:
            width = step * power
            if high // width - low // width < count:
                return width
        power *= 10


def _quantile(counts: Mapping[int, int], number: int, percent: int) -> int:
    wanted = -(-number * percent // 100)  # rounded up, in whole numbers
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= wanted:
            return value
    raise AssertionError("the counts add up to less than their number")
