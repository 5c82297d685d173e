"""Two answers as lines, those that differ marked: the same for the window and for a plain terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from tuner_tui.data.examples import Message

Kind = Literal["text", "reasoning", "call", "argument", "result"]


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One line of an answer; `differs` when the other answer has no such line."""

    kind: Kind
    text: str
    differs: bool = False


def show_both(
    first: Sequence[Message], second: Sequence[Message]
) -> tuple[list[AnswerLine], list[AnswerLine]]:
    """The lines of both answers; those that the other one lacks are marked, if they share any.

    Calls are compared argument by argument, so that neither the order of the arguments nor the spacing of
    JSON makes a difference; texts line by line.
    """
    lines = [list(_lines(answer)) for answer in (first, second)]
    marks = [{mark for mark, _, _ in side} for side in lines]
    alike = not marks[0].isdisjoint(marks[1])
    one, two = (
        [AnswerLine(kind, text, alike and mark not in other) for mark, kind, text in side]
        for side, other in zip(lines, reversed(marks), strict=True)
    )
    return one, two


def _lines(answer: Sequence[Message]) -> Iterator[tuple[object, Kind, str]]:
    """What a line is compared by, its kind, and its text."""
    seen: Counter[str] = Counter()
    for message in answer:
        if message["role"] == "tool":
            name = message.get("name", "tool")
            yield ("result", name, message["content"]), "result", f"{name}: {message['content']}"
            continue
        for kind, text in (("reasoning", message.get("reasoning_content", "")), ("text", message["content"])):
            for line in text.splitlines():
                yield (kind, line.strip()), "reasoning" if kind == "reasoning" else "text", line
        for call in message.get("tool_calls", ()):
            function = call["function"]
            name = function["name"]
            place = (name, seen[name])
            seen[name] += 1
            yield ("call", place), "call", name
            for argument, value in function["arguments"].items():
                said = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
                yield ("argument", place, argument, said), "argument", f"{argument} = {said}"
    if not any(message["content"].strip() or message.get("tool_calls") for message in answer):
        yield ("nothing",), "text", "(nothing)"
