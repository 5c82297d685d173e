"""A prompt, and two answers to it, as content: calls readable, differences marked."""

from collections.abc import Sequence

from textual.content import Content

from tuner_tui.data.examples import Message, Tool
from tuner_tui.evaluation.preferences.showing import AnswerLine, show_both
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.message_blocks import Marks, example_blocks

_LONGEST = 20_000  # characters of one line that are shown
_SIGNS = {"call": "→ ", "argument": "    ", "result": "← ", "reasoning": "", "text": ""}
_STYLES = {"call": "bold", "argument": "", "result": "$quiet", "reasoning": "$quiet italic", "text": ""}


def prompt(messages: Sequence[Message], tools: Sequence[Tool], in_full: bool) -> Content:
    """The conversation up to the answers; the tools on offer by name, or `in_full`."""
    example = {"messages": list(messages), "tools": list(tools)}
    blocks = example_blocks(example, Marks())
    parts = [block.content for block in (*(blocks.tools if in_full else ()), *blocks.messages)]
    if tools and not in_full:
        names = ", ".join(str(tool["function"].get("name", "?")) for tool in tools)
        parts.insert(
            0, Content.assemble((f"{len(tools)} on offer: ", "$quiet"), safe(names, "$quiet", one_line=True))
        )
    return Content("\n").join(parts).rstrip()


def answers(first: Sequence[Message], second: Sequence[Message]) -> tuple[Content, Content]:
    """Both answers; ≠ and a colour stand where they differ."""
    one, two = show_both(first, second)
    return _answer(one), _answer(two)


def _answer(lines: Sequence[AnswerLine]) -> Content:
    return Content("\n").join(_line(each) for each in lines)


def _line(line: AnswerLine) -> Content:
    text = safe(
        _SIGNS[line.kind] + line.text[:_LONGEST], f"{_STYLES[line.kind]} {'$warning' if line.differs else ''}"
    )
    return Content.assemble(("≠ ", "bold $warning") if line.differs else ("  ", ""), text)
