"""All metrics of a run: the last value of each, in training and on held-out rows, and what it means."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuner_tui.runs.metric_names import EVAL, charts, note
from tuner_tui.tui.widgets.gauges import written
from tuner_tui.tui.widgets.prose import hanging
from tuner_tui.visible import visible

_TITLE, _VALUE = 24, 12


class MetricsScreen(ModalScreen[str | None]):
    """The name of the metric to chart, or None."""

    CSS = """
    MetricsScreen .dialog { width: 90; }
    MetricsScreen OptionList { height: auto; max-height: 24; background: $surface; }
    MetricsScreen.-short OptionList { max-height: 12; }
    MetricsScreen #metrics-head { color: $quiet; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,v", "dismiss(None)", "Close")]

    def __init__(self, method: str, records: Sequence[Mapping[str, Any]], shown: str) -> None:
        super().__init__()
        self._last = last_values(records)
        self._names = [name for name in charts(method, self._last) if {name, EVAL + name} & self._last.keys()]
        self._shown = shown
        self._step = max((int(record.get("step", 0)) for record in records), default=0)

    @property
    def _room(self) -> int:
        """Cells of a line inside the dialog, beside its scrollbar."""
        return min(76, self.app.size.width * 94 // 100 - 10)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"Metrics at step {self._step:,}", classes="title", markup=False)
            yield Static(
                f"{'':<{_TITLE}}{'training':>{_VALUE}}{'held out':>{_VALUE}}", id="metrics-head", markup=False
            )
            yield OptionList(*[Option(self._line(name)) for name in self._names], compact=True, markup=False)
            yield Static("↑ ↓ choose · Enter puts it on the chart · Esc closes", classes="hint")

    def on_mount(self) -> None:
        choices = self.query_one(OptionList)
        choices.highlighted = self._names.index(self._shown) if self._shown in self._names else 0
        choices.focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])

    def _line(self, name: str) -> Content:
        known = note(name)
        values = [self._last.get(each, _ABSENT) for each in (name, EVAL + name)]
        shown = [
            "" if value is _ABSENT else "✗ not finite" if value is None else written(name, value)
            for value in values
        ]
        style = "bold $bad" if None in values else "bold"
        title = visible(known.title, one_line=True, limit=_TITLE - 1)
        lines = [
            Content.assemble(
                (f"{title:<{_TITLE}}", "bold"), (f"{shown[0]:>{_VALUE}}{shown[1]:>{_VALUE}}", style)
            )
        ]
        explained = f"{known.text} [{visible(name, one_line=True)}]" if known.text else ""
        if explained:
            lines.append(Content.styled(hanging(f"  {explained}", self._room, 2), "$quiet"))
        return Content("\n").join(lines)


_ABSENT: Any = object()


def last_values(records: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """The newest value of every metric; None where it was not finite."""
    found: dict[str, float | None] = {}
    for record in records:
        for name, value in record.items():
            if name in ("step", "time", "nonfinite"):
                continue
            if value is None or isinstance(value, int | float):
                found[name] = value
    return found
