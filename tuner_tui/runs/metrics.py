"""Arithmetic over metric records: smoothing, time left, an incremental min-max pyramid."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RECENT = 50
"""Log intervals that the time left is judged by: the speed of now, not that of an hour ago."""


class Smoother:
    """Exponential moving average of a growing series.

    Unbiased at its start, as in Adam (arXiv:1412.6980, section 3).
    """

    def __init__(self, alpha: float) -> None:
        """`alpha` is the weight of the past, 0 (no smoothing) to less than 1."""
        self._alpha = alpha
        self._sum = 0.0
        self._weight = 0.0

    def extend(self, values: Iterable[float]) -> list[float]:
        """The averages at the new values; a NaN is passed over, and the average stays."""
        out, alpha = [], self._alpha
        for value in values:
            if value == value:  # not NaN
                self._sum = alpha * self._sum + (1 - alpha) * value
                self._weight = alpha * self._weight + (1 - alpha)
            out.append(self._sum / self._weight if self._weight else float("nan"))
        return out


def ema(values: Iterable[float], alpha: float) -> list[float]:
    """The whole series, smoothed at once: see `Smoother`."""
    return Smoother(alpha).extend(values)


def eta(records: Sequence[Mapping[str, Any]], total: int) -> tuple[float, float] | None:
    """Seconds left, as a range: the quartiles of the recent seconds per step, times the steps left.

    Args:
        records: metric records with `step` and `time` (seconds since the epoch), oldest first.
        total: optimizer steps of the whole run.

    Returns:
        (low, high), or None before two records with different steps.
    """
    points = [(record["step"], record["time"]) for record in records if "step" in record]
    recent = points[-_RECENT - 1 :]
    rates = sorted(
        (after[1] - before[1]) / (after[0] - before[0])
        for before, after in pairwise(recent)
        if after[0] > before[0]
    )
    if not rates:
        return None
    left = max(0, total - points[-1][0])
    last = len(rates) - 1
    return left * rates[last // 4], left * rates[last - last // 4]


class Pyramid:
    """Extremes of a growing series over any window, at a cost that hardly grows with its length.

    Level k holds the extremes of blocks of `FANOUT**k` points; appending n points touches about n
    entries. Steps must not decrease. NaN values are kept out of the extremes.
    """

    FANOUT = 8

    def __init__(self) -> None:
        import numpy as np

        self._np = np
        self._length = 0
        self._steps: NDArray[np.float64] = np.empty(1024)
        self._low: list[NDArray[np.float64]] = [np.empty(1024)]
        self._high: list[NDArray[np.float64]] = [np.empty(1024)]

    def __len__(self) -> int:
        return self._length

    @property
    def steps(self) -> "NDArray[np.float64]":
        """The steps, shape (n,): a view, not to be written."""
        return self._steps[: self._length]

    @property
    def values(self) -> "NDArray[np.float64]":
        """The values, shape (n,): a view, not to be written."""
        return self._low[0][: self._length]

    def extend(self, steps: Sequence[float], values: Sequence[float]) -> None:
        """Append points.

        Raises:
            ValueError: the lengths differ, or a step is smaller than the one before.
        """
        np = self._np
        new_steps, new_values = np.asarray(steps, np.float64), np.asarray(values, np.float64)
        if new_steps.shape != new_values.shape:
            raise ValueError("as many values as steps")
        if not len(new_steps):
            return
        first = self._steps[self._length - 1] if self._length else new_steps[0]
        if new_steps[0] < first or (np.diff(new_steps) < 0).any():
            raise ValueError("steps must not decrease")
        start, self._length = self._length, self._length + len(new_steps)
        self._steps = self._grown(self._steps, self._length)
        self._steps[start : self._length] = new_steps
        self._low[0] = self._grown(self._low[0], self._length)
        self._low[0][start : self._length] = new_values
        self._high[0] = self._low[0]
        self._raise(start)

    def columns(
        self, first: float, last: float, count: int
    ) -> tuple["NDArray[np.float64]", "NDArray[np.float64]"]:
        """Extremes of the values in each of `count` equal intervals of [first, last].

        Returns:
            (minima, maxima), shape (count,) each; NaN where an interval has no point.
        """
        np = self._np
        edges = np.linspace(first, last, count + 1)
        bounds = np.searchsorted(self.steps, edges, side="left")
        bounds[-1] = np.searchsorted(self.steps, last, side="right")
        low, high = np.full(count, np.nan), np.full(count, np.nan)
        for column in np.flatnonzero(np.diff(bounds)):
            low[column], high[column] = self._extremes(int(bounds[column]), int(bounds[column + 1]))
        return low, high

    def _raise(self, start: int) -> None:
        """Bring the higher levels up to date from point `start` on."""
        np, level, length = self._np, 0, self._length
        while length > self.FANOUT:
            block, start = start // self.FANOUT, start // self.FANOUT
            length = -(-length // self.FANOUT)
            below = self._low[level], self._high[level]
            level += 1
            if level == len(self._low):
                self._low.append(np.empty(64))
                self._high.append(np.empty(64))
                block = start = 0
            self._low[level] = self._grown(self._low[level], length)
            self._high[level] = self._grown(self._high[level], length)
            size_below = self._size(level - 1)
            cuts = np.arange(block * self.FANOUT, size_below, self.FANOUT)
            self._low[level][block:length] = np.fmin.reduceat(below[0][:size_below], cuts)
            self._high[level][block:length] = np.fmax.reduceat(below[1][:size_below], cuts)

    def _size(self, level: int) -> int:
        length = self._length
        for _ in range(level):
            length = -(-length // self.FANOUT)
        return length

    def _extremes(self, start: int, stop: int) -> tuple[float, float]:
        """Of points start..stop-1: whole blocks from high levels, edges from low ones."""
        np, low, high, level = self._np, float("nan"), float("nan"), 0
        while start < stop:
            top = level + 1 == len(self._low)
            head = stop if top else min(stop, -(-start // self.FANOUT) * self.FANOUT)
            tail = head if top else max(head, stop // self.FANOUT * self.FANOUT)
            for begin, end in ((start, head), (tail, stop)):
                if begin < end:
                    low = np.fmin(low, np.fmin.reduce(self._low[level][begin:end]))
                    high = np.fmax(high, np.fmax.reduce(self._high[level][begin:end]))
            start, stop, level = head // self.FANOUT, tail // self.FANOUT, level + 1
        return float(low), float(high)

    def _grown(self, array: "NDArray[np.float64]", length: int) -> "NDArray[np.float64]":
        if length <= len(array):
            return array
        larger: NDArray[np.float64] = self._np.empty(max(length, 2 * len(array)))
        larger[: len(array)] = array
        return larger
