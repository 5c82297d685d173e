"""What this machine can do, what it cannot, and how to mend it: the twin of `tuner doctor`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Label, Static
from textual.worker import Worker, WorkerState

from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.prose import Prose, hanging
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.doctor import Check

_SIGNS = {
    "ok": ("✓", "$good"),
    "warning": ("!", "$warning"),
    "missing": ("–", "$warning"),
    "error": ("✗", "$bad"),
}
_STATE, _NAME = 10, 21  # cells


@dataclass
class Checked(Message):
    """The checks are done."""

    checks: Sequence["Check"]


class DoctorScreen(ModalScreen[None]):
    """The checks take some seconds: they ask a process of its own what PyTorch sees."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#help-text"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,o,q,enter", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-text", classes="dialog"):
            yield Label("Doctor: what works on this machine", classes="title")
            yield Static("Looking: GPU, driver, libraries, disk, terminal …", id="looking", markup=False)
            yield Prose(id="checks")
            yield Static("Esc closes", classes="hint")

    def on_mount(self) -> None:
        self._check()

    @work(thread=True, group="doctor", exit_on_error=False)
    def _check(self) -> None:
        from tuner_tui.doctor import run_checks

        self.post_message(Checked(run_checks()))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            text = f"The machine could not be looked at: {event.worker.error!r}"
            self.query_one("#looking", Static).update(safe(text, one_line=True))

    def on_checked(self, message: Checked) -> None:
        self.query_one("#looking").display = False
        self.query_one("#checks", Prose).show(partial(_table, message.checks))


def _table(checks: Sequence["Check"], width: int) -> Content:
    """For each check its state, its name and what was found: behind the name, or below where it is long."""
    lines: list[Content] = []
    for check in checks:
        symbol, colour = _SIGNS.get(check.state, ("·", "$quiet"))
        found = visible(check.detail, one_line=True)
        short = _STATE + _NAME + len(found) <= width
        lines.append(
            Content.assemble(
                (f"{symbol} {check.state}".ljust(_STATE), colour),
                (check.name.ljust(_NAME), "bold"),
                found if short else f"\n{_indented(found, width)}",
            )
        )
        if check.mend:
            mend = _indented(visible(f"→ {check.mend}", one_line=True), width)
            lines.append(Content.styled(mend, "$quiet"))
    return Content("\n").join(lines)


def _indented(text: str, width: int) -> str:
    return " " * _STATE + hanging(text, width, _STATE)
