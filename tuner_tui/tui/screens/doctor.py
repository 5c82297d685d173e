"""What this machine can do, what it cannot, and how to mend it: the twin of `tuner doctor`."""

from collections.abc import Sequence
from dataclasses import dataclass
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

if TYPE_CHECKING:
    from tuner_tui.doctor import Check

_SIGNS = {
    "ok": ("✓", "$good"),
    "warning": ("!", "$warning"),
    "missing": ("–", "$warning"),
    "error": ("✗", "$bad"),
}


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
            yield Static("Looking: GPU, driver, libraries, disk, terminal …", id="checks", markup=False)
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
            self.query_one("#checks", Static).update(safe(text, one_line=True))

    def on_checked(self, message: Checked) -> None:
        lines: list[Content] = []
        for check in message.checks:
            symbol, colour = _SIGNS.get(check.state, ("·", "$quiet"))
            lines.append(
                Content.assemble(
                    (f"{symbol} {check.state:<8}", colour),
                    (f"{check.name:<20} ", "bold"),
                    safe(check.detail, one_line=True),
                )
            )
            if check.mend:
                lines.append(safe(f"{'':10}→ {check.mend}", "$quiet", one_line=True))
        self.query_one("#checks", Static).update(Content("\n").join(lines))
