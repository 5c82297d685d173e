"""A prompt, and two answers to it side by side, each in a pane that scrolls."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tuner_tui.evaluation.preferences.comparisons import Comparison
from tuner_tui.tui.widgets.answer_text import answers, prompt
from tuner_tui.visible import visible


class Pane(VerticalScroll, inherit_bindings=False):
    """Scrolls a long text; the side arrows are left to the screen, which takes them for a verdict."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False),
        Binding("down", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "Top", show=False),
        Binding("end", "scroll_end", "Bottom", show=False),
    ]


class AnswerPair(Widget):
    """Answer A on the left, answer B on the right; nothing tells where they come from."""

    DEFAULT_CSS = """
    AnswerPair {
        height: 1fr;
        min-height: 14;
        layout: vertical;
        & Static { height: auto; }
        & Pane { scrollbar-size-vertical: 1; padding: 0 1; background: $surface; }
        & Pane:focus { background: $panel; }
        & #pane-prompt { height: auto; max-height: 34%; margin-bottom: 1; }
        &.-tools #pane-prompt { max-height: 55%; }
        & #answers { height: 1fr; }
        & .side { width: 1fr; height: 1fr; }
        & .side Pane { height: 1fr; }
        & .side:first-of-type { margin-right: 2; }
        & .side-title { text-style: bold; color: $primary; height: 1; padding: 0 1; }
        & #prefer-note { height: 1; padding: 0 1; }
    }
    """

    def compose(self) -> ComposeResult:
        with Pane(id="pane-prompt"):
            yield Static(id="prompt", markup=False)
        with Horizontal(id="answers"):
            for side in ("a", "b"):
                with Vertical(classes="side"):
                    yield Static(f"Answer {side.upper()}", classes="side-title", markup=False)
                    with Pane(id=f"pane-{side}"):
                        yield Static(id=f"answer-{side}", markup=False)
        yield Static(id="prefer-note", markup=False)

    def show(self, comparison: Comparison, sides: tuple[int, int], note: str) -> None:
        """Show a comparison; `sides` says which answer stands left and right, `note` what was noted."""
        in_full = self.has_class("-tools")
        self.query_one("#prompt", Static).update(prompt(comparison.prompt, comparison.tools, in_full))
        shown = answers(comparison.answers[sides[0]], comparison.answers[sides[1]])
        for side, content in zip(("a", "b"), shown, strict=True):
            self.query_one(f"#answer-{side}", Static).update(content)
            self.query_one(f"#pane-{side}", Pane).scroll_home(animate=False)
        said = Content.assemble(("note  ", "$quiet"), visible(note, one_line=True))
        self.query_one("#prefer-note", Static).update(said if note else "")
        pane = self.query_one("#pane-prompt", Pane)
        # Of a long conversation the request that is answered counts most; of the tools, the first.
        self.call_after_refresh(pane.scroll_home if in_full else pane.scroll_end, animate=False)
