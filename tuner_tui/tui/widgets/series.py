"""One curve: its points, its smoothed points, and the steps where it was not finite."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuner_tui.runs.metrics import Pyramid, Smoother
from tuner_tui.tui.widgets import braille

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Extremes = tuple[NDArray[np.float64], NDArray[np.float64]]


class Series:
    """Points that are only ever appended to; windows onto them cost the same at any length."""

    def __init__(self, smoothing: float = 0.0) -> None:
        self._smoothing = smoothing
        self.clear()

    def clear(self) -> None:
        """Forget all points."""
        self._raw: Pyramid | None = None
        self._smooth: Pyramid | None = None
        self._raw_columns: braille.Columns | None = None
        self._smooth_columns: braille.Columns | None = None
        self._average = Smoother(self._smoothing)
        self.broken: list[float] = []
        """Steps whose value is not finite."""
        self.last_step = -1.0
        """The largest step so far; -1 before the first."""
        self.last_value: float | None = None
        """The newest finite value."""
        self.last_smooth: float | None = None

    @property
    def smoothing(self) -> float:
        """Weight of the past in the smoothed curve; 0 for none."""
        return self._smoothing

    @smoothing.setter
    def smoothing(self, value: float) -> None:
        self._smoothing = value
        self._average = Smoother(value)
        self._smooth = None
        self.last_smooth = None
        if self._raw is not None:
            self._extend_smooth(self._raw.steps.tolist(), self._raw.values.tolist())

    def extend(self, steps: Sequence[float], values: Sequence[float | None]) -> None:
        """Append points; None and what is not finite count as broken, steps that go back are passed
        over.
        """
        if self._raw is None:
            self._raw = Pyramid()
            self._raw_columns = braille.Columns(self._raw)
        kept_steps: list[float] = []
        kept_values: list[float] = []
        for step, value in zip(steps, values, strict=True):
            if step < self.last_step:
                continue
            self.last_step = float(step)
            if value is None or not math.isfinite(value):
                self.broken.append(float(step))
                value = math.nan
            else:
                self.last_value = float(value)
            kept_steps.append(float(step))
            kept_values.append(float(value))
        self._raw.extend(kept_steps, kept_values)
        self._extend_smooth(kept_steps, kept_values)

    def points(self) -> list[tuple[float, float]]:
        """All points, NaN where broken: for a short series such as the evaluation loss."""
        if self._raw is None:
            return []
        return list(zip(self._raw.steps.tolist(), self._raw.values.tolist(), strict=True))

    def raw_window(self, first: float, last: float, columns: int) -> "Extremes":
        """Extremes per dot column, as measured."""
        return self._drawn(self._raw_columns, first, last, columns)

    def smooth_window(self, first: float, last: float, columns: int) -> "Extremes":
        """Extremes per dot column of the smoothed curve (of the raw one when there is no
        smoothing).
        """
        if not self._smoothing:
            return self.raw_window(first, last, columns)
        return self._drawn(self._smooth_columns, first, last, columns)

    def _drawn(self, source: braille.Columns | None, first: float, last: float, columns: int) -> "Extremes":
        source = source or braille.Columns(Pyramid())
        return braille.bridged(*source.over(first, last, columns), first, last, self.broken)

    def _extend_smooth(self, steps: list[float], values: list[float]) -> None:
        if not self._smoothing or not values:
            return
        if self._smooth is None:
            self._smooth = Pyramid()
            self._smooth_columns = braille.Columns(self._smooth)
        averages = self._average.extend(values)
        self._smooth.extend(steps, averages)
        if averages[-1] == averages[-1]:  # not NaN: there was a finite value by now
            self.last_smooth = averages[-1]
