"""F1: what the screen that is shown is for, and every key that works on it."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Markdown, Static

from tuner_tui.tui.bindings import EVERYWHERE
from tuner_tui.tui.step import StepScreen


class HelpScreen(ModalScreen[None]):
    """The help of one screen, over it."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#help-text"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,f1,q,enter", "dismiss", "Close")]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._title = screen.title or screen.TITLE or "Help"
        text = screen.HELP if isinstance(screen, StepScreen) else ""
        self._text = f"{text}\n\n{_keys(screen)}\n\n{EVERYWHERE}"

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help-text", classes="dialog"):
            yield Markdown(self._text, open_links=False)
            yield Static("↑ ↓ scroll · Esc closes", classes="hint")


def _keys(screen: Screen[Any]) -> str:
    """The keys of this screen as a Markdown list."""
    lines = [
        f"- **{screen.app.get_key_display(binding)}** {binding.description}"
        for node, binding, _, _ in screen.active_bindings.values()
        if binding.show and binding.description and node is not screen.app
    ]
    return "### Keys here\n\n" + "\n".join(lines) if lines else ""
