"""The small charts beside the large one: those that tell most about a method."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from textual.containers import Vertical

from tuner_tui.runs.metric_names import note, small_charts
from tuner_tui.tui import words
from tuner_tui.tui.train_notes import points
from tuner_tui.tui.widgets import axes
from tuner_tui.tui.widgets.small_chart import SmallChart

FORMS: Mapping[str, Callable[[float], str]] = {
    "number": axes.number,
    "share": lambda value: f"{value:.1%}",
    "count": words.count,
    "bytes": words.size,
}


def written(name: str, value: float) -> str:
    """A value of a metric as it is written."""
    return FORMS[note(name).form](value)


class Gauges(Vertical):
    """A column of small charts; another method brings others."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._charts: dict[str, SmallChart] = {}

    async def set_method(self, method: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Show the charts of a method, with these records in them."""
        names = small_charts(method)
        if tuple(self._charts) == names:
            self.clear()
        else:
            await self.remove_children()
            self._charts = {name: _chart(name) for name in names}
            await self.mount(*self._charts.values())
        self.extend(records)

    def extend(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Append what new records say."""
        held = list(records)
        for name, chart in self._charts.items():
            chart.extend(*points(held, name))

    def clear(self) -> None:
        """Forget all points."""
        for chart in self._charts.values():
            chart.clear()

    def figures(self) -> str:
        """The newest values on one line, for a window without room for the charts."""
        said: Sequence[str] = [
            f"{chart.title} {chart.last_text}" for chart in self._charts.values() if chart.last_text
        ]
        return " · ".join(said)


def _chart(name: str) -> SmallChart:
    known = note(name)
    return SmallChart(known.title, FORMS[known.form], id=name.replace("/", "-"))
