"""The chart of one metric as rows of text, each a sequence of runs in one style: no widget, no screen."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from tuner_tui.tui.widgets import axes, braille
from tuner_tui.tui.widgets.series import Series
from tuner_tui.visible import visible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuner_tui.tui.widgets.series import Extremes

# A row of the chart: runs of (text, component class).
Row = tuple[tuple[str, str], ...]

GUTTER = 7
"""Cells left of the plot: six for a label, one for the axis."""


@dataclass(frozen=True, slots=True)
class CurvePicture:
    """What is drawn: the points in training and on held-out rows, `total` steps of the whole run (0: not
    known), on a linear or a logarithmic y axis."""

    train: Series
    evaluation: Series
    title: str
    total: int
    log_scale: bool

    def rows(self, width: int, height: int) -> list[Row]:
        """The legend, the plot with its y axis, and the x axis: exactly `height` rows."""
        last = max(self.train.last_step, self.evaluation.last_step)
        rows = [self._legend(width)]
        plot_rows, plot_columns = height - 2, width - GUTTER - 1
        if last < 0:
            return [*rows, *_empty(width, height - 1)]
        first, last = 0.0, self._last_column_step(last)
        curves = self._curves(first, last, plot_columns * 2, max(2, plot_rows // 3))
        if curves is None:
            return [*rows, *_empty(width, height - 1, "no value can be drawn on this axis")]
        tick_values, bottom, top, (raw, smooth, evaluation) = curves
        layers = [
            ("chart--raw", braille.draw(*raw, bottom, top, plot_rows)),
            ("chart--train", braille.draw(*smooth, bottom, top, plot_rows)),
            ("chart--eval", braille.draw(*evaluation, bottom, top, plot_rows)),
        ]
        marks: dict[int, dict[int, tuple[str, str]]] = {}
        for y, column, mark in self._marks(first, last, bottom, top, plot_rows, plot_columns):
            marks.setdefault(y, {})[column] = mark
        labels = _label_rows(
            [(axes.number(value), self._scaled(value)) for value in tick_values],
            bottom,
            top,
            plot_rows,
        )
        for y in range(plot_rows):
            label = labels.get(y)
            cells = _cells([(name, pattern[y]) for name, pattern in layers], marks.get(y, {}))
            rows.append(
                (
                    (f"{label or '':>{GUTTER - 1}}", "chart--label"),
                    ("┤" if label else "│", "chart--axis"),
                    *_runs(cells),
                )
            )
        rows.append(self._x_axis(first, last, plot_columns))
        return rows

    def _last_column_step(self, last: float) -> float:
        """The right end of the x axis: doubling, so that old columns stay where they are; at most
        the total.
        """
        end = max(16.0, 2.0 ** math.ceil(math.log2(max(1.0, last))))
        return max(last, min(end, float(self.total))) if self.total else end

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log_scale else value

    def _curves(
        self, first: float, last: float, columns: int, ticks: int
    ) -> "tuple[list[float], float, float, list[Extremes]] | None":
        """Tick values, the scaled range, and the curves (raw, smoothed, eval) on the chosen scale."""
        import numpy as np

        curves = [
            self.train.raw_window(first, last, columns),
            self.train.smooth_window(first, last, columns),
            self.evaluation.raw_window(first, last, columns),
        ]
        if self.log_scale:
            curves = [
                (np.where(low > 0, low, np.nan), np.where(low > 0, high, np.nan)) for low, high in curves
            ]
        lows = np.concatenate([low for low, _ in curves])
        highs = np.concatenate([high for _, high in curves])
        if not np.isfinite(lows).any():
            return None
        bottom, top = float(np.nanmin(lows)), float(np.nanmax(highs))
        tick_values = (axes.log_ticks if self.log_scale else axes.ticks)(bottom, top, ticks)
        if self.log_scale:
            curves = [(np.log10(low), np.log10(high)) for low, high in curves]
        return tick_values, self._scaled(tick_values[0]), self._scaled(tick_values[-1]), curves

    def _marks(
        self, first: float, last: float, bottom: float, top: float, rows: int, columns: int
    ) -> Iterator[tuple[int, int, tuple[str, str]]]:
        """Cells with a sign of their own: eval points, while they have room."""
        points = self.evaluation.points()
        if len(points) > columns // 3:
            return
        for step, value in points:
            column = braille.column_of(step, first, last, columns)
            if column is None or not math.isfinite(value) or (self.log_scale and value <= 0):
                continue
            share = (self._scaled(value) - bottom) / (top - bottom)
            dot = rows * 4 - 1 - round(share * (rows * 4 - 1))
            yield min(rows - 1, max(0, dot // 4)), column, ("◆", "chart--eval")

    def _x_axis(self, first: float, last: float, columns: int) -> Row:
        """Step labels; ✗ where a value was not finite."""
        line = [" "] * columns
        for tick in axes.ticks(first, last, max(2, columns // 16)):
            column = braille.column_of(tick, first, last, columns)
            text = f"{tick:,.0f}"
            if column is None or tick != int(tick):
                continue
            start = min(max(0, column - len(text) // 2), columns - len(text))
            if all(cell == " " for cell in line[max(0, start - 1) : start + len(text) + 1]):
                line[start : start + len(text)] = text
        cells = [(cell, "chart--label") for cell in line]
        for series in (self.train, self.evaluation):
            for step in series.broken:
                if (column := braille.column_of(step, first, last, columns)) is not None:
                    cells[column] = ("✗", "chart--bad")
        return (("step".rjust(GUTTER - 1) + " ", "chart--label"), *_runs(cells))

    def _legend(self, width: int) -> Row:
        """Current values, as much of them as there is room for, and how the curve is drawn."""
        train, evaluation = self.train, self.evaluation
        entries: list[Row] = []
        if (value := train.last_value) is not None:
            shown = train.last_smooth if train.smoothing else value
            text = f" train {axes.number(shown if shown is not None else value)}"
            entries.append((("━━", "chart--train"), (text, "chart--text")))
            if train.smoothing:
                entries.append((("⠒⠒", "chart--raw"), (f" now {axes.number(value)}", "chart--label")))
        if (value := evaluation.last_value) is not None:
            entries.append((("◆", "chart--eval"), (f" eval {axes.number(value)}", "chart--text")))
        broken = sorted({*train.broken, *evaluation.broken})
        if broken:
            text = f"✗ {len(broken)} not finite from step {broken[0]:,.0f}"
            entries.insert(0, ((text, "chart--bad"),))
        scale = "log" if self.log_scale else "linear"
        smoothing = f"smoothed {train.smoothing:g}" if train.smoothing else "not smoothed"
        entries.append(((f"{scale} · {smoothing}", "chart--label"),))
        title = f"{visible(self.title, one_line=True):>{GUTTER - 1}}  "
        row: list[tuple[str, str]] = [(title, "chart--label")]
        room = width - len(title)
        for entry in entries:
            length = sum(len(text) for text, _ in entry) + 3
            if length <= room + 3:
                row += [*entry, ("   ", "")]
                room -= length
        return tuple(row)


def _empty(width: int, height: int, text: str = "waiting for the first step") -> list[Row]:
    rows: list[Row] = [() for _ in range(height)]
    rows[height // 2] = ((text.center(width), "chart--label"),)
    return rows


def _label_rows(labels: Iterable[tuple[str, float]], bottom: float, top: float, rows: int) -> dict[int, str]:
    """Plot row to label; `labels` pairs a text with its height on the scale of `bottom` to `top`."""
    found: dict[int, str] = {}
    for text, height in labels:
        row = (rows * 4 - 1 - round((height - bottom) / (top - bottom) * (rows * 4 - 1))) // 4
        if 0 <= row < rows and not {row - 1, row, row + 1} & found.keys():
            found[row] = text
    return found


def _cells(
    layers: "Sequence[tuple[str, NDArray[np.uint8]]]", marks: Mapping[int, tuple[str, str]]
) -> list[tuple[str, str]]:
    """One plot row: the topmost layer that has dots in a cell owns it, a mark stands over all of
    them.
    """
    cells = [(" ", "")] * len(layers[0][1])
    for name, patterns in layers:
        for column in patterns.nonzero()[0].tolist():
            cells[column] = (chr(braille.BLANK + int(patterns[column])), name)
    for column, mark in marks.items():
        cells[column] = mark
    return cells


def _runs(cells: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Neighbouring cells of one style as one run of text."""
    for name, group in groupby(cells, key=lambda cell: cell[1]):
        yield "".join(text for text, _ in group), name
