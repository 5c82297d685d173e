"""One row: what is wrong with it, its messages, and what the model will see of it."""

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tuner_tui.data.examples import Example
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.findings import MARKS
from tuner_tui.tui.widgets.message_blocks import Block, Marks, RowBlocks, example_blocks, raw_blocks
from tuner_tui.tui.widgets.token_view import TokenView
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.rendering.preview import Rendered

_HEADED = 2  # findings that the heading tells in full; all of them stand beside their fields
_ABOVE = 2  # lines that stay in sight above a fault
_SIDE_BY_SIDE = 88  # cells from which two answers stand beside each other


class RowPage(VerticalScroll):
    """A scrolling page of the row view; the side arrows go to the neighbouring rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Row before", show=False),
        Binding("right", "step(1)", "Other rows", key_display="← →"),
        Binding("e", "finding(1)", "Next fault"),
        Binding("E", "finding(-1)", "Fault before", show=False),
    ]

    class Stepped(Message):
        """The person wants the row `step` places on."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class FindingStepped(Stepped):
        """The person wants the finding `step` places on, in this row or another."""

    def action_step(self, step: int) -> None:
        self.post_message(self.Stepped(step))

    def action_finding(self, step: int) -> None:
        self.post_message(self.FindingStepped(step))


class MessagesPage(RowPage):
    """The messages of a row; two answers of a pair beside each other where there is room."""

    DEFAULT_CSS = """
    MessagesPage {
        & Static { height: auto; }
        & #row-pair { height: auto; layout: vertical; }
        &.-beside #row-pair { layout: horizontal; }
        &.-beside #row-chosen { width: 1fr; margin: 0 2 0 0; }
        &.-beside #row-rejected { width: 1fr; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._blocks: dict[str, list[Block]] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="row-text", markup=False)
        with Horizontal(id="row-pair"):
            yield Static(id="row-chosen", markup=False)
            yield Static(id="row-rejected", markup=False)
        yield Static(id="row-tools", markup=False)

    def show(self, blocks: RowBlocks) -> None:
        """Show a row, from its beginning or from the fault that was chosen."""
        self._blocks = {
            "row-text": blocks.messages,
            "row-chosen": blocks.chosen,
            "row-rejected": blocks.rejected,
            "row-tools": blocks.tools,
        }
        for name, shown in self._blocks.items():
            static = self.query_one(f"#{name}", Static)
            static.update(Content("\n").join([block.content for block in shown]))
            static.display = bool(shown)
        self.query_one("#row-pair").display = bool(blocks.chosen or blocks.rejected)
        if any(block.chosen for block in chain(*self._blocks.values())):
            # Where it stands is known when the new text has been laid out.
            self.call_after_refresh(self._scroll_to_chosen)
        else:
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        self.set_class(self.content_size.width >= _SIDE_BY_SIDE, "-beside")

    def _scroll_to_chosen(self) -> None:
        for name, shown in self._blocks.items():
            index = next((index for index, block in enumerate(shown) if block.chosen), None)
            if index is not None:
                static = self.query_one(f"#{name}", Static)
                width = max(static.content_size.width, 1)
                above = sum(block.content.get_height({}, width) for block in shown[:index])
                top = static.region.y - self.region.y + self.scroll_offset.y
                self.scroll_to(y=max(top + above - _ABOVE, 0), animate=False, immediate=True)
                return


class RowView(Widget):
    """Heading with the faults; below it the messages, or the tokens, or both beside each other when wide."""

    DEFAULT_CSS = """
    RowView {
        height: 1fr;
        & #row-heading { height: auto; padding: 0 0 1 0; }
        & #row-pages { height: 1fr; }
        & RowPage { width: 1fr; height: 1fr; scrollbar-size-vertical: 1; padding: 0 2 0 0; }
        &.-pair #row-messages { width: 2fr; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(id="row-heading", markup=False)
        with Horizontal(id="row-pages"):
            yield MessagesPage(id="row-messages")
            with RowPage(id="row-tokens"):
                yield TokenView(id="token-view", markup=False)

    def show_heading(self, where: str, kind: str, marks: Marks) -> None:
        """Say which row this is (`where`: "Row 5 of 12"), and what is wrong with it."""
        findings, chosen = marks.findings, marks.chosen
        lines = [Content.assemble((visible(where, one_line=True), "bold"), (f"   {kind}", "$quiet"))]
        first = [] if chosen is None else [chosen]
        ordered = [*first, *(each for each in findings if each is not chosen)]
        for each in ordered[:_HEADED]:
            symbol, colour = MARKS[each.severity]
            field = visible(each.field or "", one_line=True)
            message = visible(each.message, one_line=True)
            lines.append(Content.assemble((f"{symbol} ", colour), message, (f"  {field}", "$quiet")))
        if len(ordered) > _HEADED:
            lines.append(Content.styled(f"… and {len(ordered) - _HEADED} more; e goes to the next", "$quiet"))
        self.query_one("#row-heading", Static).update(Content("\n").join(lines))

    def show_row(
        self, example: Example | None, value: Mapping[str, Any] | None, problem: str, marks: Marks
    ) -> None:
        """Show the messages; of a row that is no example, why, and the row as it stands in the file."""
        blocks = raw_blocks(value, problem, marks) if example is None else example_blocks(example, marks)
        self.set_class(bool(blocks.chosen or blocks.rejected), "-pair")
        self.query_one(MessagesPage).show(blocks)

    def show_tokens(self, rendered: "Rendered", max_length: int | None, note: str = "") -> None:
        """Show the row as the model reads it; `note` is said first."""
        view = self.query_one(TokenView)
        view.show(rendered, max_length, note)
        self.query_one("#row-tokens").scroll_home(animate=False)

    def show_no_tokens(self, reason: str) -> None:
        """Say why the row cannot be rendered."""
        self.query_one(TokenView).update(safe(reason, "$quiet"))
