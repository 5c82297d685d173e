"""What a run has measured: one metric as a large chart, those that tell most as small ones."""

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from tuner_tui.runs.metric_names import EVAL, charts, note
from tuner_tui.tui.train_notes import points
from tuner_tui.tui.widgets.curve_chart import CurveChart
from tuner_tui.tui.widgets.gauges import Gauges
from tuner_tui.tui.widgets.metric_bar import MetricBar
from tuner_tui.visible import visible

_SMOOTHINGS = (0.0, 0.6, 0.9, 0.97)

Record = dict[str, Any]


class RunCurves(Widget):
    """Takes metric records, and draws what they say for the method of the run."""

    DEFAULT_CSS = """
    RunCurves { height: 1fr; layout: vertical; }
    """

    def __init__(self, *, smoothing: float, log_scale: bool, id: str | None = None) -> None:
        super().__init__(id=id)
        self._smoothing, self._log_scale = smoothing, log_scale
        self.method = "sft"
        self.records: list[Record] = []
        self._present: set[str] = set()
        self._metric = ""

    def compose(self) -> ComposeResult:
        yield MetricBar(id="metric-bar")
        with Horizontal(id="charts"):
            yield CurveChart(smoothing=self._smoothing, log_scale=self._log_scale, id="chart")
            yield Gauges(id="gauges")
        yield Static(id="figures", markup=False)

    @property
    def chart(self) -> CurveChart:
        """The large chart."""
        return self.query_one(CurveChart)

    @property
    def metric(self) -> str:
        """The metric on the large chart: the method's main one until another is chosen."""
        return self._metric or charts(self.method, self._present)[0]

    async def set_method(self, method: str) -> None:
        """Show what tells most about a method."""
        self.method = method
        await self.query_one(Gauges).set_method(method, self.records)
        self._draw([])

    def extend(self, records: list[Record]) -> None:
        """Append new records."""
        self.records.extend(records)
        for record in records:
            self._present.update(record)
        self._draw(records)
        if records:
            gauges = self.query_one(Gauges)
            gauges.extend(records)
            self.query_one("#figures", Static).update(visible(gauges.figures(), one_line=True))

    def clear(self, *, metric: bool = False) -> None:
        """Forget all records; with `metric` also which one was chosen."""
        self.records, self._present = [], set()
        if metric:
            self._metric = ""
        self.chart.clear()
        self.query_one(Gauges).clear()

    def show_metric(self, name: str) -> None:
        """Put a metric on the large chart."""
        self._metric = name
        self.chart.clear()
        self._draw(self.records)

    def step_metric(self, step: int) -> None:
        """Put the neighbouring metric on the large chart."""
        names = charts(self.method, self._present)
        at = names.index(self.metric) if self.metric in names else 0
        self.show_metric(names[(at + step) % len(names)])

    def change_scale(self) -> None:
        """Between a linear and a logarithmic axis."""
        self.chart.log_scale = not self.chart.log_scale

    def change_smoothing(self) -> None:
        """The next strength of smoothing: none, light, medium, strong."""
        stronger = [value for value in _SMOOTHINGS if value > self.chart.smoothing]
        self.chart.smoothing = stronger[0] if stronger else _SMOOTHINGS[0]

    def on_metric_bar_chosen(self, event: MetricBar.Chosen) -> None:
        event.stop()
        self.show_metric(event.name)

    def _draw(self, records: list[Record]) -> None:
        """Add what these records say of the charted metric to the chart."""
        name = self.metric
        self.query_one(MetricBar).show(charts(self.method, self._present), name)
        self.chart.title = note(name).title
        self.chart.extend("train", *points(records, name))
        self.chart.extend("eval", *points(records, EVAL + name))
