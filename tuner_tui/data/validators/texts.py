"""What stands in the texts of an example that should not: anywhere, or where it would be learned."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tuner_tui.data.examples import Message
from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.texts.checks import confidential, control_character, suspicious
from tuner_tui.data.texts.scripts import answers_in_another


def check_texts(messages: Sequence[Message], place: Callable[[int], str], row: int) -> Iterator[Finding]:
    """Control characters in any text; secrets and personal data in what is trained; languages that change."""
    for index, message in enumerate(messages):
        trained = message["role"] == "assistant" and message.get("weight") != 0
        for field, name, text in _texts(message):
            if not suspicious(text):
                continue
            if where := control_character(text):
                yield finding("control_characters", row, f"{place(index)}.{field}", f"there is {where}")
            if trained:
                for rule, what in confidential(text, name):
                    yield finding(rule, row, f"{place(index)}.{field}", f"there is {what}")
    if found := answers_in_another(messages):
        turn, asked, own = found
        text = f"the user writes {asked}, and the assistant answers in {own}"
        yield finding("mixed_languages", row, f"{place(turn)}.content", text)


def _texts(message: Message) -> Iterator[tuple[str, str, str]]:
    """Every text of a message: its field, the name of the argument that it is, and the text."""
    yield "content", "", message["content"]
    if "reasoning_content" in message:
        yield "reasoning_content", "", message["reasoning_content"]
    for index, call in enumerate(message.get("tool_calls", ())):
        field = f"tool_calls[{index}].function.arguments"
        yield from ((field, name, text) for name, text in strings(call["function"]["arguments"]))


def strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, with the nearest key over it; a stack of its own, since nesting may exceed
    Python's."""
    stack = [("", value)]
    while stack:
        name, item = stack.pop()
        if isinstance(item, str):
            yield name, item
        elif isinstance(item, dict):
            stack.extend(item.items())
        elif isinstance(item, list):
            stack.extend((name, one) for one in item)
