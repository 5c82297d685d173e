"""A line at the bottom of a pane in which one thing is asked for: what to search, which row to go to."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class PromptLine(Horizontal):
    """Hidden until `ask`; Enter answers, Escape answers with nothing, and both hide it."""

    DEFAULT_CSS = """
    PromptLine {
        height: 1;
        display: none;
        & > Static { width: auto; color: $primary; text-style: bold; padding: 0 1 0 0; }
        & > Input { width: 1fr; background: $panel; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel")]

    class Answered(Message):
        """`answer` is None when the person changed their mind."""

        def __init__(self, purpose: str, answer: str | None) -> None:
            super().__init__()
            self.purpose = purpose
            self.answer = answer

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._purpose = ""

    def compose(self) -> ComposeResult:
        yield Static(id="prompt-label", markup=False)
        line = Input(id="prompt-input", compact=True)
        line.cursor_blink = False
        yield line

    def ask(self, purpose: str, label: str, value: str = "") -> None:
        """Show the line; `purpose` comes back with the answer."""
        self._purpose = purpose
        self.query_one(Static).update(label)
        line = self.query_one(Input)
        line.value = value
        line.select_all()
        self.display = True
        self.screen.set_focus(line)

    def action_leave(self) -> None:
        """Hide the line, and answer with nothing."""
        self._answer(None)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer(event.value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()

    def _answer(self, answer: str | None) -> None:
        self.display = False
        self.post_message(self.Answered(self._purpose, answer))
