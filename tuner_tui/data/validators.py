"""What is wrong inside one canonical example: its tools, its calls, the order of its turns."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner_tui.data.examples import Example, Message, ToolCall, conversation, is_preference
from tuner_tui.data.rules import RULES, Finding, Rule, Severity, finding
from tuner_tui.data.schemas import ArgumentChecker, SchemaError, checker

__all__ = ["RULES", "Finding", "Rule", "Severity", "validate"]

# C0 and C1 but for tab and line ends, and the marks that reorder text (a known way to hide some).
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_LONGEST_NAME = 64
_ROLE_BEFORE: Mapping[str, tuple[str | None, ...]] = {
    "system": (None,),
    "user": (None, "system", "assistant"),
    "assistant": ("user", "tool"),
    "tool": ("assistant", "tool"),
}


def validate(example: Example, row: int) -> list[Finding]:
    """Every finding inside one converted example; `row` is its number in the file, from 1.

    Of a preference pair the chosen side is checked in full; the rejected side is meant to be wrong,
    so that only its being there counts.
    """
    turns = list(zip(_fields(example), conversation(example), strict=True))
    checkers: dict[str, ArgumentChecker | None] = {}
    found = list(_check_tools(example["tools"], row, checkers))
    for field, message in turns:
        for index, call in enumerate(message.get("tool_calls", ())):
            place = f"{field}.tool_calls[{index}].function"
            found.extend(_check_call(call, place, row, checkers))
    found.extend(_check_roles(turns, row))
    found.extend(_check_results(turns, row))
    found.extend(_check_turns(turns, row))
    if is_preference(example):
        found.extend(_check_pair(example, row))
    return found


def _fields(example: Example) -> Iterator[str]:
    for key in ("prompt", "chosen") if is_preference(example) else ("messages",):
        yield from (f"{key}[{index}]" for index in range(len(example[key])))


def _check_tools(
    tools: Sequence[Mapping[str, Any]], row: int, checkers: dict[str, ArgumentChecker | None]
) -> Iterator[Finding]:
    """Check the declarations, and fill `checkers`: tool name to the checker of its arguments, None
    where they cannot be checked."""
    for index, tool in enumerate(tools):
        field = f"tools[{index}].function"
        function = tool["function"]
        name = function.get("name")
        if not isinstance(name, str) or not name:
            yield finding("invalid_tool", row, f"{field}.name", "the tool has no name")
            continue
        if name in checkers:
            yield finding("duplicate_tool", row, f"{field}.name", f"{_quoted(name)} is declared twice")
        checkers[name] = None
        parameters = function.get("parameters")
        if parameters is None:
            continue
        try:
            if not isinstance(parameters, dict):
                raise SchemaError("parameters are not an object")
            checkers[name] = checker(parameters)
        except SchemaError as error:
            yield finding("invalid_tool", row, f"{field}.parameters", f"{_quoted(name)}: {error}")


def _check_call(
    call: ToolCall, field: str, row: int, checkers: Mapping[str, ArgumentChecker | None]
) -> Iterator[Finding]:
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    if name not in checkers:
        offered = ", ".join(_quoted(tool) for tool in list(checkers)[:8]) or "none"
        message = f"{_quoted(name)} is not among the tools of the row ({offered})"
        yield finding("undeclared_tool", row, f"{field}.name", message)
        return
    check = checkers[name]
    if check is None:
        return
    try:
        mismatches = check.check(arguments)
    except ValueError:  # nested deeper than jsonschema-rs follows
        message = f"{_quoted(name)}: the arguments are nested too deeply to be checked"
        yield finding("wrong_type", row, f"{field}.arguments", message)
        return
    for mismatch in mismatches:
        place = f"{field}.arguments{mismatch.path}"
        yield finding(mismatch.rule, row, place, f"{_quoted(name)}: {mismatch.message}")


def _check_roles(turns: Sequence[tuple[str, Message]], row: int) -> Iterator[Finding]:
    before: str | None = None
    for field, message in turns:
        role = message["role"]
        # A result without its call is a finding of its own.
        if before not in _ROLE_BEFORE[role] and role != "tool":
            place = f"after a turn of {before}" if before else "at the beginning"
            yield finding("role_order", row, f"{field}.role", f"a turn of {role} stands {place}")
        before = role


def _check_results(turns: Sequence[tuple[str, Message]], row: int) -> Iterator[Finding]:
    waiting: list[ToolCall] = []
    asked = ""  # the field of the turn that made the waiting calls
    for field, message in turns:
        if message["role"] == "tool":
            answered = _answered(message, waiting)
            if answered is None:
                named = f" {_quoted(message['name'])}" if "name" in message else ""
                text = f"the result{named} answers no open call"
                yield finding("orphan_result", row, field, text)
            else:
                waiting.remove(answered)
            continue
        if waiting:
            yield _unanswered(waiting, asked, row)
        waiting, asked = list(message.get("tool_calls", ())), field
    if waiting and turns[-1][1]["role"] == "tool":
        yield _unanswered(waiting, asked, row)


def _answered(message: Message, waiting: Sequence[ToolCall]) -> ToolCall | None:
    """The waiting call that this result belongs to: by id where both have one, else by name, else
    the first."""
    identity, name = message.get("tool_call_id"), message.get("name")
    for call in waiting:
        if identity and call.get("id"):
            if call["id"] == identity:
                return call
        elif name is None or call["function"]["name"] == name:
            return call
    return None


def _unanswered(waiting: Sequence[ToolCall], field: str, row: int) -> Finding:
    names = ", ".join(_quoted(call["function"]["name"]) for call in waiting)
    return finding("missing_result", row, field, f"no result follows the call of {names}")


def _check_turns(turns: Sequence[tuple[str, Message]], row: int) -> Iterator[Finding]:
    answers = [(field, message) for field, message in turns if message["role"] == "assistant"]
    if not answers:
        yield finding("nothing_to_train", row, None, "there is no assistant turn")
    elif all(message.get("weight") == 0 for _, message in answers):
        yield finding("nothing_to_train", row, None, "every assistant turn has weight 0")
    for field, message in answers:
        if not message["content"].strip() and not message.get("tool_calls"):
            yield finding("empty_turn", row, field, "the turn has neither text nor a call")
    for field, message in turns:
        for place, text in _texts(message, field):
            if control := _CONTROL.search(text):
                sign = f"U+{ord(control.group()):04X} at character {control.start() + 1}"
                yield finding("control_characters", row, place, f"there is {sign}")


def _texts(message: Message, field: str) -> Iterator[tuple[str, str]]:
    yield f"{field}.content", message["content"]
    for index, call in enumerate(message.get("tool_calls", ())):
        place = f"{field}.tool_calls[{index}].function.arguments"
        yield from ((place, text) for text in _strings(call["function"]["arguments"]))


def _strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value; a stack of its own, since nesting may exceed Python's."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _check_pair(example: Example, row: int) -> Iterator[Finding]:
    for side in ("chosen", "rejected"):
        if not any(m["content"].strip() or m.get("tool_calls") for m in example[side]):
            yield finding("empty_answer", row, side, f"the {side} answer is empty")
    if example["chosen"] == example["rejected"]:
        yield finding("identical_pair", row, "rejected", "both answers are the same")


def _quoted(name: str) -> str:
    return f'"{name}"' if len(name) <= _LONGEST_NAME else f'"{name[:_LONGEST_NAME]}…"'
