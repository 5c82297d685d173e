"""A row as blocks of text, one for each message, call and tool, with the faults marked where they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from textual.content import Content

from tuner_tui.data.examples import Example, Message, is_preference, is_unpaired
from tuner_tui.data.rules import Finding
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.findings import MARKS
from tuner_tui.tui.widgets.marked_json import Span, dump, is_inside, nearest
from tuner_tui.visible import visible

_LONGEST = 20_000  # characters of one text that are shown
_BEFORE = 2_000  # of them, those before a mark that lies further on
_MARKED_WHOLE = 200  # a text that a finding names as a whole is marked up to this length
_ROLE_STYLES = {"system": "$quiet", "user": "$secondary", "assistant": "$good", "tool": "$warning"}


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of text, and whether the finding that was chosen is in them."""

    content: Content
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """The findings of a row, and the one of them that was chosen."""

    findings: Sequence[Finding] = ()
    chosen: Finding | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """A block that is to be: the field that it shows, and how to draw it with these findings in it."""

    field: str
    draw: Callable[[Sequence[Finding]], Content]


@dataclass(frozen=True, slots=True)
class RowBlocks:
    """The blocks of a row. Only a preference pair has two answers, `chosen` and `rejected`."""

    messages: list[Block]
    chosen: list[Block]
    rejected: list[Block]
    tools: list[Block]


def example_blocks(example: Example, marks: Marks) -> RowBlocks:
    """The messages of an example, and the tools on offer."""
    chosen: list[_Part] = []
    rejected: list[_Part] = []
    if is_preference(example):
        messages = _turns(example["prompt"], "prompt")
        chosen = [_title("✓ chosen", "chosen", "$good"), *_turns(example["chosen"], "chosen")]
        rejected = [_title("✗ rejected", "rejected", "$bad"), *_turns(example["rejected"], "rejected")]
    elif is_unpaired(example):
        good = example["label"]
        label = ("✓ labelled good: to be written more often", "$good")
        if not good:
            label = ("✗ labelled bad: to be written less often", "$bad")
        messages = _turns(example["prompt"], "prompt")
        messages += [_title(label[0], "label", label[1]), *_turns(example["completion"], "completion")]
    else:
        messages = _turns(example["messages"], "messages")
    tools = _tools(example)
    everywhere = [*messages, *chosen, *rejected, *tools]
    where = [nearest(each.field or "", [part.field for part in everywhere]) for each in marks.findings]

    def finish(parts: Sequence[_Part]) -> list[Block]:
        return [
            _finish(part, [f for f, at in zip(marks.findings, where, strict=True) if at == part.field], marks)
            for part in parts
        ]

    return RowBlocks(finish(messages), finish(chosen), finish(rejected), finish(tools))


def raw_blocks(value: Mapping[str, Any] | None, problem: str, marks: Marks) -> RowBlocks:
    """A row that is no example: why, and the row as it stands in the file."""
    blocks = [Block(safe(f"✗ {problem}\n", "$bad"), chosen=marks.chosen is not None)]
    if value is not None:
        text, spans = dump(value, "", [each.field for each in marks.findings if each.field], indent=True)
        places = [(_span(each, spans), each) for each in marks.findings if each.field]
        blocks.append(Block(_marked(text, places)))
    return RowBlocks(blocks, [], [], [])


def _finish(part: _Part, findings: Sequence[Finding], marks: Marks) -> Block:
    content = part.draw(findings)
    notes = [_note(each, each is marks.chosen) for each in findings]
    return Block(Content("\n").join([content, *notes]), any(each is marks.chosen for each in findings))


def _note(finding: Finding, chosen: bool) -> Content:
    """What is wrong, on a line of its own right below the place."""
    symbol, colour = MARKS[finding.severity]
    pointer = "▸" if chosen else " "
    message = visible(finding.message, one_line=True)
    return Content.styled(f"  {pointer} {symbol} {message}", f"bold {colour}" if chosen else colour)


def _turns(turns: Sequence[Message], field: str) -> list[_Part]:
    return [part for index, turn in enumerate(turns) for part in _turn(turn, f"{field}[{index}]")]


def _turn(turn: Message, field: str) -> list[_Part]:
    role = turn["role"]
    title = " · ".join([role, *filter(None, [turn.get("name")])])
    if turn.get("weight") == 0:
        title += " · weight 0, not trained"
    parts = [_title(title, field, _ROLE_STYLES.get(role, "$quiet"))]
    if reasoning := turn.get("reasoning_content"):
        parts.append(_text(reasoning, f"{field}.reasoning_content", "$quiet italic"))
    if turn["content"]:
        parts.append(_text(turn["content"], f"{field}.content"))
    for index, call in enumerate(turn.get("tool_calls", ())):
        parts.append(_call(call["function"], f"{field}.tool_calls[{index}]"))
    parts.append(_Part("-", lambda findings: Content()))
    return parts


def _title(text: str, field: str, colour: str) -> _Part:
    def draw(findings: Sequence[Finding]) -> Content:
        return Content.styled(visible(text, one_line=True), f"bold {'underline ' * bool(findings)}{colour}")

    return _Part(field, draw)


def _text(text: str, field: str, style: str = "") -> _Part:
    def draw(findings: Sequence[Finding]) -> Content:
        if not findings or len(text) > _MARKED_WHOLE:
            return _limited(text, style)
        return _marked(text, [((0, len(text)), findings[0])])

    return _Part(field, draw)


def _call(function: Mapping[str, Any], field: str) -> _Part:
    place = f"{field}.function.arguments"

    def draw(findings: Sequence[Finding]) -> Content:
        inside = [each for each in findings if is_inside(each.field or "", place)]
        text, spans = dump(
            function["arguments"], place, [each.field for each in inside if each.field], indent=False
        )
        name = visible(function["name"], one_line=True)
        named = next((each for each in findings if each not in inside), None)
        return Content.assemble(
            ("→ ", "$good"),
            Content.styled(name, _mark_style(named) if named else "bold"),
            " ",
            _marked(text, [(_span(each, spans), each) for each in inside]),
        )

    return _Part(field, draw)


def _tools(example: Example) -> list[_Part]:
    tools = example.get("tools") or []
    parts: list[_Part] = []
    if tools:
        title = f"{len(tools)} tool{'s' * (len(tools) > 1)} on offer"
        parts.append(_title(title, "tools", "$primary"))
        parts += [_tool(each, f"tools[{index}]") for index, each in enumerate(tools)]
    if originals := example.get("original_tools"):
        texts = [dump(each, "", (), indent=False)[0] for each in originals]
        parts.append(_Part("-", lambda findings: Content()))
        parts.append(_title("As they stand in the file", "original_tools", "$primary"))
        parts.append(_Part("-", lambda findings: _limited("\n".join(texts), "$quiet")))
    return parts


def _tool(tool: Mapping[str, Any], field: str) -> _Part:
    def draw(findings: Sequence[Finding]) -> Content:
        summary = _summary(tool)
        if not findings:
            return summary
        text, spans = dump(tool, field, [each.field for each in findings if each.field], indent=True)
        places = [(_span(each, spans), each) for each in findings]
        return Content("\n").join([summary, _marked(text, places)])

    return _Part(field, draw)


def _summary(tool: Mapping[str, Any]) -> Content:
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


def _span(finding: Finding, spans: Mapping[str, Span]) -> Span:
    """Where the field of a finding stands, or, when it is missing, what it is missing from."""
    place = nearest(finding.field or "", spans)
    return (0, 0) if place is None else spans[place]


def _marked(text: str, places: Sequence[tuple[Span, Finding]]) -> Content:
    """`text` with the places marked, the innermost mark on top; a long text is cut around the first."""
    first = min((start for (start, _), _ in places), default=0)
    begin = first - _BEFORE if first > _LONGEST - _BEFORE else 0
    end = min(begin + _LONGEST, len(text))
    edges = sorted({begin, end, *(min(max(at, begin), end) for span, _ in places for at in span)})
    parts = [_left_out(begin, "before")] if begin else []
    for start, stop in pairwise(edges):
        holding = [each for each in places if each[0][0] <= start and stop <= each[0][1]]
        inner = min(holding, key=lambda each: each[0][1] - each[0][0], default=None)
        style = _mark_style(inner[1]) if inner else ""
        parts.append(safe(text[start:stop], style))
    if end < len(text):
        parts.append(_left_out(len(text) - end, "more"))
    return Content("").join(parts)


def _mark_style(finding: Finding) -> str:
    return f"bold underline {MARKS[finding.severity][1]}"


def _limited(text: str, style: str = "") -> Content:
    if len(text) <= _LONGEST:
        return safe(text, style)
    return Content("").join([safe(text[:_LONGEST], style), _left_out(len(text) - _LONGEST, "more")])


def _left_out(count: int, where: str) -> Content:
    note = f"… {count:,} characters {where}, which are not shown …"
    return Content.styled(f"{note}\n" if where == "before" else f"\n{note}", "$quiet")
