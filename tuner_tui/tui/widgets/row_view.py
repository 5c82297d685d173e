"""One row: what is wrong with it, its messages, and what the model will see of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tuner_tui.data.examples import Example, calls, is_preference
from tuner_tui.data.examples import Message as Turn
from tuner_tui.data.rules import Finding
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.findings import MARKS
from tuner_tui.tui.widgets.token_view import TokenView
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.preview import Rendered

_LONGEST = 20_000  # characters of one text that are shown
_ROLE_STYLES = {"system": "$quiet", "user": "$secondary", "assistant": "$good", "tool": "$warning"}


class RowPage(VerticalScroll):
    """A scrolling page of the row view; the side arrows go to the neighbouring rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Row before", key_display="←"),
        Binding("right", "step(1)", "Next row", key_display="→"),
    ]

    class Stepped(Message):
        """The person wants the row `step` places on."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def action_step(self, step: int) -> None:
        self.post_message(self.Stepped(step))


class RowView(Widget):
    """Heading with the faults; below it the messages, or the tokens, or both beside each other when wide."""

    DEFAULT_CSS = """
    RowView {
        height: 1fr;
        & #row-heading { height: auto; padding: 0 0 1 0; }
        & #row-pages { height: 1fr; }
        & RowPage { width: 1fr; height: 1fr; scrollbar-size-vertical: 1; padding: 0 2 0 0; }
        & #row-text { height: auto; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(id="row-heading", markup=False)
        with Horizontal(id="row-pages"):
            with RowPage(id="row-messages"):
                yield Static(id="row-text", markup=False)
            with RowPage(id="row-tokens"):
                yield TokenView(id="token-view", markup=False)

    def show_heading(self, number: int, count: int, kind: str, findings: Sequence[Finding]) -> None:
        """Say which row this is, and what is wrong with it."""
        lines = [Content.assemble((f"Row {number:,}", "bold"), (f" of {count:,}   {kind}", "$quiet"))]
        for each in findings:
            symbol, colour = MARKS[each.severity]
            where = f"{visible(each.field, one_line=True)}: " if each.field else ""
            lines.append(
                Content.assemble(
                    (f"{symbol} ", colour), (where, "$quiet"), visible(each.message, one_line=True)
                )
            )
        self.query_one("#row-heading", Static).update(Content("\n").join(lines))

    def show_example(self, example: Example | None, value: Mapping[str, Any] | None, problem: str) -> None:
        """Show the conversation; of a row that is no example, why, and the row as it stands in the file."""
        if example is not None:
            content = example_content(example)
        else:
            content = safe(f"✗ {problem}", "$bad")
            if value is not None:
                raw = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
                content = Content("\n\n").join([content, _limited(raw)])
        self.query_one("#row-text", Static).update(content)
        self.query_one("#row-messages").scroll_home(animate=False)

    def show_tokens(self, rendered: "Rendered", max_length: int | None, note: str = "") -> None:
        """Show the row as the model reads it; `note` is said first."""
        view = self.query_one(TokenView)
        view.show(rendered, max_length, note)
        self.query_one("#row-tokens").scroll_home(animate=False)

    def show_no_tokens(self, reason: str) -> None:
        """Say why the row cannot be rendered."""
        self.query_one(TokenView).update(safe(reason, "$quiet"))


def example_content(example: Example) -> Content:
    """The messages of an example, and the tools on offer, as text."""
    parts: list[Content] = []
    if is_preference(example):
        parts += _turns(example["prompt"])
        parts += [_heading("✓ chosen", "$good"), *_turns(example["chosen"])]
        parts += [_heading("✗ rejected", "$bad"), *_turns(example["rejected"])]
    else:
        parts += _turns(example["messages"])
    tools = example.get("tools") or []
    if tools:
        parts.append(_heading(f"{len(tools)} tool{'s' * (len(tools) > 1)} on offer", "$primary"))
        parts += [_tool(each) for each in tools]
    return Content("\n").join(parts)


def _turns(turns: Sequence[Turn]) -> list[Content]:
    return [part for turn in turns for part in _turn(turn)]


def _turn(turn: Turn) -> list[Content]:
    role = turn["role"]
    name = turn.get("name")
    title = visible(f"{role} · {name}" if name else role, one_line=True)
    parts = [Content.styled(title, f"bold {_ROLE_STYLES.get(role, '$quiet')}")]
    if turn["content"]:
        parts.append(_limited(turn["content"]))
    for call in calls(turn):
        arguments = orjson.dumps(call.arguments).decode()
        parts.append(
            Content.assemble(
                ("→ ", "$good"),
                (visible(call.name, one_line=True), "bold"),
                " ",
                _limited(arguments),
            )
        )
    return [*parts, Content()]


def _tool(tool: Mapping[str, Any]) -> Content:
    function = tool.get("function")
    inner = function if isinstance(function, Mapping) else tool
    parameters = inner.get("parameters")
    names: list[str] = []
    if isinstance(parameters, Mapping) and isinstance(parameters.get("properties"), Mapping):
        names = [str(each) for each in parameters["properties"]]
    return Content.assemble(
        (visible(str(inner.get("name", "?")), one_line=True), "bold"),
        visible(f"({', '.join(names)})", one_line=True),
        ("  " + visible(str(inner.get("description", "")), one_line=True), "$quiet"),
    )


def _heading(text: str, colour: str) -> Content:
    return Content.styled(text, f"bold {colour}")


def _limited(text: str) -> Content:
    if len(text) <= _LONGEST:
        return safe(text)
    rest = Content.styled(f"\n… and {len(text) - _LONGEST:,} characters more, which are not shown.", "$quiet")
    return Content("").join([safe(text[:_LONGEST]), rest])
