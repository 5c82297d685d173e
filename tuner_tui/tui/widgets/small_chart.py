"""A small curve under its name and its newest value: learning rate, gradient norm, speed, memory."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tuner_tui.tui.widgets import axes, braille
from tuner_tui.tui.widgets.series import Series


class SmallChart(Widget):
    """One series, two or more rows high, without axes: the shape, the newest value, the range."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"small--title", "small--value", "small--line"}
    DEFAULT_CSS = """
    SmallChart {
        height: 3;
        & > .small--title { color: $quiet; }
        & > .small--value { color: $foreground; text-style: bold; }
        & > .small--line { color: $chart-train; }
    }
    """

    def __init__(
        self, title: str, form: Callable[[float], str] = axes.number, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.title = title
        self._form = form
        self._series = Series()
        self._lines: list[str] = []

    @property
    def last_text(self) -> str | None:
        """The newest value, as it is written; None before the first."""
        value = self._series.last_value
        return None if value is None else self._form(value)

    def extend(self, steps: Sequence[float], values: Sequence[float | None]) -> None:
        """Append points."""
        if steps:
            self._series.extend(steps, values)
            self._redraw()

    def clear(self) -> None:
        """Forget all points."""
        self._series.clear()
        self._redraw()

    def on_resize(self, event: events.Resize) -> None:
        self._redraw()

    def _redraw(self) -> None:
        width, rows = self.size.width, self.size.height - 1
        self._lines = []
        if width > 2 and rows > 0 and self._series.last_value is not None:
            import numpy as np

            low, high = self._series.raw_window(0.0, max(1.0, self._series.last_step), width * 2)
            # From zero: all of these are amounts, and a small change must not look like a large one.
            bottom, top = min(0.0, float(np.nanmin(low))), max(0.0, float(np.nanmax(high)))
            patterns = braille.draw(low, high, bottom, top, rows)
            self._lines = [
                "".join(chr(braille.BLANK + cell) if cell else " " for cell in row)
                for row in patterns.tolist()
            ]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if y == 0:
            value = self.last_text or "–"
            title = self.title[: max(0, width - len(value) - 1)]
            segments = [
                Segment(title, self.get_component_rich_style("small--title")),
                Segment(" " * (width - len(title) - len(value)), base),
                Segment(value, self.get_component_rich_style("small--value")),
            ]
        elif y <= len(self._lines):
            segments = [Segment(self._lines[y - 1], self.get_component_rich_style("small--line"))]
        else:
            segments = []
        return Strip(segments).adjust_cell_length(width, base)
