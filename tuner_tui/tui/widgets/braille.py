"""Curves as Braille characters: 2 × 4 dots a cell, drawn with numpy, without a plotting library.

A curve is the extremes (lowest, highest value) of each dot column, NaN where there is none; so one
picture costs the same for a thousand points and for a million. Dot rows count from the top. numpy
is imported when the first curve is drawn: its import costs more than the rest of a first paint.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tuner_tui.runs.metrics import Pyramid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Unicode numbers the dots of a Braille cell down the left column, then the right one, the bottom
# pair last.
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BLANK = 0x2800
"""The code point of the empty cell; a pattern is added to it."""


class Columns:
    """Extremes of a growing series per dot column; of a window that stays only the newest are made anew."""

    def __init__(self, pyramid: Pyramid) -> None:
        self._pyramid = pyramid
        self._window: tuple[float, float, int] | None = None
        self._seen = 0
        self._low: NDArray[np.float64]
        self._high: NDArray[np.float64]

    def over(
        self, first: float, last: float, count: int
    ) -> tuple["NDArray[np.float64]", "NDArray[np.float64]"]:
        """Lowest and highest value in each of `count` columns of steps `first` to `last`; NaN for none."""
        if self._window != (first, last, count) or not self._seen:
            self._low, self._high = self._pyramid.columns(first, last, count)
            self._window = (first, last, count)
        elif len(self._pyramid) > self._seen:
            # From the column of the newest point that was there before: it may have got more points.
            step = float(self._pyramid.steps[self._seen - 1])
            column = column_of(step, first, last, count)
            if column is not None:
                begin = first + (last - first) * column / count
                fresh = self._pyramid.columns(begin, last, count - column)
                self._low[column:], self._high[column:] = fresh
        self._seen = len(self._pyramid)
        return self._low.copy(), self._high.copy()


def bridged(
    low: "NDArray[np.float64]",
    high: "NDArray[np.float64]",
    first: float,
    last: float,
    broken: Iterable[float],
) -> tuple["NDArray[np.float64]", "NDArray[np.float64]"]:
    """The columns of the steps `first` to `last` with gaps bridged by straight lines, in place.

    `broken` names steps whose value is not finite: no line is drawn across them.
    """
    import numpy as np

    columns = len(low)
    known = np.flatnonzero(np.isfinite(low))
    if len(known) > 1:
        inside = np.arange(known[0], known[-1] + 1)
        middle = np.interp(inside, known, (low[known] + high[known]) / 2)
        gap = np.isnan(low[inside])
        low[inside[gap]] = high[inside[gap]] = middle[gap]
    for step in broken:
        column = column_of(step, first, last, columns)
        if column is not None and not (known == column).any():
            low[column] = high[column] = np.nan
    return low, high


def column_of(step: float, first: float, last: float, columns: int) -> int | None:
    """The dot column of a step; None outside of the window."""
    if not first <= step <= last:
        return None
    return min(columns - 1, int((step - first) / (last - first) * columns)) if last > first else 0


def draw(
    low: "NDArray[np.float64]", high: "NDArray[np.float64]", bottom: float, top: float, rows: int
) -> "NDArray[np.uint8]":
    """Cell patterns, shape (rows, columns // 2), of a curve whose values run from `bottom` to
    `top`.

    Neighbouring columns are joined, so that a steep curve stays one line.
    """
    import numpy as np

    dots = rows * 4
    there = np.isfinite(low)
    scale = (dots - 1) / (top - bottom) if top > bottom else 0.0

    def dot(values: "NDArray[np.float64]") -> "NDArray[np.int64]":
        heights = np.where(there, values - bottom, 0.0) * scale
        return dots - 1 - np.clip(np.rint(heights), 0, dots - 1).astype(np.int64)

    upper, lower = dot(high), dot(low)
    both = there[1:] & there[:-1]
    # The later column reaches towards the earlier one.
    reach_down = np.where(both & (lower[1:] < upper[:-1]), upper[:-1] - 1, lower[1:])
    reach_up = np.where(both & (upper[1:] > lower[:-1]), lower[:-1] + 1, upper[1:])
    lower[1:], upper[1:] = np.maximum(lower[1:], reach_down), np.minimum(upper[1:], reach_up)
    height = np.arange(dots)[:, None]
    canvas = (height >= upper) & (height <= lower) & there
    cells = canvas.reshape(rows, 4, -1, 2) * np.array(_BITS)[None, :, None, :]
    patterns: NDArray[np.uint8] = cells.sum(axis=(1, 3)).astype(np.uint8)
    return patterns
