"""The panel of the guided demo: where one is, what one sees and why it matters, and the key that
goes on.
"""

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class TourText:
    """What the panel says. `progress` is a line about work that goes on; `trouble` says what
    failed.
    """

    number: int
    count: int
    title: str
    text: str
    action: str
    progress: str = ""
    trouble: str = ""


class TourPanel(Widget, can_focus=True):
    """Below the body of a screen. Enter goes on and Escape leaves while it has the focus; F2 gives
    it back.
    """

    DEFAULT_CSS = """
    TourPanel {
        height: auto;
        padding: 0 2;
        background: $surface;
        border-left: wide $border-blurred;
        color: $foreground;
    }
    TourPanel:focus { border-left: wide $primary; }
    .-tall TourPanel { padding: 1 3; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        # The panel names them itself; the footer keeps its room for the keys of the screen.
        Binding("enter", "go_on", "Go on", show=False),
        Binding("escape", "leave", "Leave the tour", show=False),
    ]

    said: reactive[TourText | None] = reactive(None, layout=True)

    class GoOn(Message):
        """The person pressed Enter."""

    class Leave(Message):
        """The person pressed Escape."""

    def render(self) -> Content:
        said = self.said
        if said is None:
            return Content("")
        parts: list[Content] = [
            Content.assemble(
                (f"Guided demo {said.number}/{said.count}  ", "$quiet"), (said.title, "bold $primary")
            ),
            Content(said.text),
        ]
        if said.progress:
            parts.append(Content.assemble(("● ", "$primary"), said.progress))
        if said.trouble:
            parts.append(Content.assemble(("✗ ", "$bad"), (said.trouble, "$bad")))
        parts.append(self._keys(said))
        return Content("\n").join(parts)

    def action_go_on(self) -> None:
        self.post_message(self.GoOn())

    def action_leave(self) -> None:
        self.post_message(self.Leave())

    def on_click(self) -> None:
        self.focus()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.refresh()

    def _keys(self, said: TourText) -> Content:
        if not self.has_focus:
            return Content.assemble(("F2", "bold $primary"), (" comes back to the guide", "$quiet"))
        parts: list[tuple[str, str]] = []
        if said.action:
            parts += [("Enter", "bold $primary"), (f" {said.action}   ", "")]
        parts += [("Tab", "bold $primary"), (" look around   ", "$quiet")]
        parts += [("Esc", "bold $primary"), (" leave the tour", "$quiet")]
        return Content.assemble(*parts)
