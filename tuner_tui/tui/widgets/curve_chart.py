"""The chart of one metric, such as the loss: what was measured in training as a dim band under its smoothed
line, the same on held-out rows as marked points.

It sends only the rows that changed: a full repaint of a chart a second is what makes terminal apps
stall on a slow line. What keeps rows still is an x axis that grows by doubling, and a y axis that
moves from one round value to the next.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tuner_tui.tui.widgets.curve_picture import GUTTER, CurvePicture, Row
from tuner_tui.tui.widgets.series import Series


class CurveChart(Widget):
    """A metric in training and on held-out rows over steps, of any length.

    `extend` takes the points of "train" or "eval"; a value that is not finite is kept out of the
    curve, marked ✗ on the axis at its step, and counted in the legend.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--raw",
        "chart--train",
        "chart--eval",
        "chart--axis",
        "chart--label",
        "chart--text",
        "chart--bad",
    }
    DEFAULT_CSS = """
    CurveChart {
        min-height: 6;
        & > .chart--raw { color: $chart-dim; }
        & > .chart--train { color: $chart-train; text-style: bold; }
        & > .chart--eval { color: $chart-eval; text-style: bold; }
        & > .chart--axis { color: $quiet 50%; }
        & > .chart--label { color: $quiet; }
        & > .chart--text { color: $foreground; }
        & > .chart--bad { color: $bad; text-style: bold; }
    }
    """

    def __init__(self, *, smoothing: float = 0.6, log_scale: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._series = {"train": Series(smoothing), "eval": Series(0.0)}
        self._log_scale = log_scale
        self._total = 0
        self._title = "loss"
        self._rows: list[Row] = []

    @property
    def title(self) -> str:
        """The metric, in words."""
        return self._title

    @title.setter
    def title(self, value: str) -> None:
        if value != self._title:
            self._title = value
            self._redraw()

    @property
    def log_scale(self) -> bool:
        """Whether the y axis is logarithmic; values that are not positive are left out then."""
        return self._log_scale

    @log_scale.setter
    def log_scale(self, value: bool) -> None:
        self._log_scale = value
        self._redraw()

    @property
    def smoothing(self) -> float:
        """Weight of the past in the smoothed line, 0 (no line) to less than 1."""
        return self._series["train"].smoothing

    @smoothing.setter
    def smoothing(self, value: float) -> None:
        self._series["train"].smoothing = value
        self._redraw()

    @property
    def total(self) -> int:
        """Steps of the whole run; the x axis never grows past it. 0 when unknown."""
        return self._total

    @total.setter
    def total(self, value: int) -> None:
        if value != self._total:
            self._total = value
            self._redraw()

    def extend(self, series: str, steps: Sequence[float], values: Sequence[float | None]) -> None:
        """Append points to "train" or "eval"; a step smaller than the last one of its series is
        passed over.
        """
        if steps:
            self._series[series].extend(steps, values)
            self._redraw()

    def clear(self) -> None:
        """Forget all points."""
        for series in self._series.values():
            series.clear()
        self._redraw()

    def text(self) -> str:
        """The chart as plain text, for tests and for a clipboard."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self._rows)

    def on_resize(self, event: events.Resize) -> None:
        self._redraw()

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y >= len(self._rows):
            return Strip.blank(self.size.width, base)
        segments = [
            Segment(text, self.get_component_rich_style(name) if name else base)
            for text, name in self._rows[y]
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _redraw(self) -> None:
        width, height = self.size
        if not self.is_mounted or width <= GUTTER + 4 or height < 4:
            return
        picture = CurvePicture(
            self._series["train"], self._series["eval"], self._title, self._total, self._log_scale
        )
        rows = picture.rows(width, height)
        if len(rows) != len(self._rows):
            self._rows = rows
            self.refresh()
            return
        changed = [y for y, row in enumerate(rows) if row != self._rows[y]]
        self._rows = rows
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))
