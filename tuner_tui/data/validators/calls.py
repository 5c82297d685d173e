"""The declared tools of an example, and the calls of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tuner_tui.data.examples import Message, ToolCall
from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.schemas.checker import ArgumentChecker, SchemaError, checker

_LONGEST_NAME = 64
_SHOWN_TOOLS = 8

Checkers = Mapping[str, ArgumentChecker | None]
"""Tool name to the checker of its arguments, None where they cannot be checked."""


def check_tools(tools: Sequence[Mapping[str, Any]], row: int) -> tuple[Checkers, list[Finding]]:
    """The checkers of the tools, and what is wrong with their declarations."""
    checkers: dict[str, ArgumentChecker | None] = {}
    found: list[Finding] = []
    for index, tool in enumerate(tools):
        function = tool["function"]
        name = function.get("name")
        field = f"tools[{index}].function"
        if not isinstance(name, str) or not name:
            found.append(finding("invalid_tool", row, f"{field}.name", "the tool has no name"))
            continue
        if name in checkers:
            same = any(tool == other for other in tools[:index])
            text = f"{quoted(name)} is declared twice, {'in the same words' if same else 'and differently'}"
            found.append(finding("duplicate_tool", row, f"{field}.name", text))
        checkers[name] = None
        parameters = function.get("parameters")
        if parameters is None:
            continue
        try:
            if not isinstance(parameters, dict):
                raise SchemaError("parameters are not an object")
            checkers[name] = checker(parameters)
        except SchemaError as error:
            text = f"{quoted(name)}: {error}"
            found.append(finding("invalid_tool", row, f"{field}.parameters", text))
    return checkers, found


def check_calls(
    messages: Sequence[Message], place: Callable[[int], str], row: int, checkers: Checkers
) -> Iterator[Finding]:
    """Calls of tools that are not declared, and arguments against their schema."""
    for index, message in enumerate(messages):
        for number, call in enumerate(message.get("tool_calls", ())):
            for rule, part, text in _faults(call, checkers):
                field = f"{place(index)}.tool_calls[{number}].function.{part}"
                yield finding(rule, row, field, f"{quoted(call['function']['name'])}{text}")


def _faults(call: ToolCall, checkers: Checkers) -> Iterator[tuple[str, str, str]]:
    """Rule, field within the function, and the sentence after the tool's name."""
    name = call["function"]["name"]
    if name not in checkers:
        offered = ", ".join(quoted(tool) for tool in list(checkers)[:_SHOWN_TOOLS]) or "none"
        yield "undeclared_tool", "name", f" is not among the tools of the row ({offered})"
        return
    check = checkers[name]
    if check is None:
        return
    try:
        mismatches = check.check(call["function"]["arguments"])
    except ValueError:  # nested deeper than jsonschema-rs follows
        yield "wrong_type", "arguments", ": the arguments are nested too deeply to be checked"
        return
    for mismatch in mismatches:
        yield mismatch.rule, f"arguments{mismatch.path}", f": {mismatch.message}"


def quoted(name: str) -> str:
    """A tool's name in quotation marks, cut where it is very long."""
    return f'"{name}"' if len(name) <= _LONGEST_NAME else f'"{name[:_LONGEST_NAME]}…"'
