"""Runs as lines: state, name, progress, loss, age. Enter chooses one."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tuner_tui.runs.store import RunSummary
from tuner_tui.tui import words
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets import axes
from tuner_tui.visible import visible

_WIDE = 110
"""Cells from which the run's id is shown as well."""


class RunList(OptionList):
    """One line per run; the cursor stays on its run while others come and go."""

    DEFAULT_CSS = """
    RunList { height: auto; max-height: 100%; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Watch")]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._runs: Sequence[RunSummary] = ()
        self._drawn: list[Content] = []

    @property
    def chosen(self) -> RunSummary | None:
        """The run under the cursor."""
        if self.highlighted is None or self.highlighted >= len(self._runs):
            return None
        return self._runs[self.highlighted]

    def show(self, runs: Sequence[RunSummary]) -> None:
        """Show these runs; what is unchanged is not drawn again."""
        lines = [self._line(run) for run in runs]
        if lines == self._drawn and [run.id for run in runs] == [run.id for run in self._runs]:
            self._runs = runs
            return
        before = self.chosen
        self._runs, self._drawn = runs, lines
        self.clear_options()
        self.add_options(Option(line, id=run.id) for line, run in zip(lines, runs, strict=True))
        if runs:
            ids = [run.id for run in runs]
            self.highlighted = ids.index(before.id) if before is not None and before.id in ids else 0

    def on_resize(self, event: events.Resize) -> None:
        self.show(self._runs)

    def _line(self, run: RunSummary) -> Content:
        status = run.status
        name_width = 24 if self.size.width >= 90 else 16
        name = visible(run.name, one_line=True)
        if len(name) > name_width:
            name = name[: name_width - 1] + "…"
        steps = f"{status.step:,}/{status.total:,}" if status.total else "–"
        loss = f"loss {axes.number(run.last_loss)}" if run.last_loss is not None else ""
        parts: list[str | Content] = [
            words.state(status.state),
            " " * (12 - len(f"? {status.state}")),
            safe(name.ljust(name_width + 2)),
            f"{steps:>11}  ",
            Content.styled(f"{loss:<11} {words.age(run.created):>10}", "$quiet"),
        ]
        if self.size.width >= _WIDE:
            parts.append(safe(f"   {run.id}", "$quiet", one_line=True))
        return Content.assemble(*parts)
