"""The safe mends of one example: each only where there is one right answer.

What they have mended, and what they leave, is the difference between what `validate` says before and after.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.data.examples import Example, Message
from tuner_tui.data.rules import RULES
from tuner_tui.data.schemas.checker import ArgumentChecker, SchemaError, checker
from tuner_tui.data.texts.checks import control_character, without_control_characters

SAFE = frozenset(rule.id for rule in RULES.values() if rule.safe)
"""The rules that have a safe mend; duplicate_row is mended by whoever sees the whole file."""

_SIDES = ("messages", "prompt", "chosen", "completion")  # what is rejected stays as wrong as it is meant
# Numbers as JSON writes them: "007" and "+5" are codes, not numbers. 15 digits are exact in any JSON reader.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_TRUTH = {"true": True, "false": False}


def mend(example: Example) -> Example:
    """A mended copy; the example itself stays as it is.

    A rejected answer is left alone, and the arguments of one with a bad label: their faults are the lesson.
    """
    mended = {key: value for key, value in example.items() if key != "original_tools"}
    mended["tools"] = _distinct(example["tools"])
    checkers = _checkers(mended["tools"])
    for side in _SIDES:
        if side in mended:
            wrong = side == "completion" and not example["label"]
            messages = [_mend_message(one, {} if wrong else checkers) for one in mended[side]]
            mended[side] = _tied([one for one in messages if not _is_empty_system(one)])
    return mended


def _distinct(tools: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tools without those that are declared again in the same words."""
    kept: list[dict[str, Any]] = []
    for tool in tools:
        if tool not in kept:
            kept.append(tool)
    return kept


def _checkers(tools: Sequence[dict[str, Any]]) -> dict[str, tuple[Mapping[str, Any], ArgumentChecker]]:
    """By name, the parameters and their checker, of the tools that have one and are declared once."""
    times = Counter(str(tool["function"].get("name")) for tool in tools)
    found: dict[str, tuple[Mapping[str, Any], ArgumentChecker]] = {}
    for tool in tools:
        name, parameters = tool["function"].get("name"), tool["function"].get("parameters")
        if isinstance(name, str) and times[name] == 1 and isinstance(parameters, dict):
            try:
                found[name] = (parameters, checker(parameters))
            except SchemaError:
                continue
    return found


def _mend_message(
    message: Message, checkers: Mapping[str, tuple[Mapping[str, Any], ArgumentChecker]]
) -> Message:
    mended = message.copy()
    mended["content"] = _clean(message["content"])
    if "reasoning_content" in message:
        mended["reasoning_content"] = _clean(message["reasoning_content"])
    if "tool_calls" in message:
        mended["tool_calls"] = [call.copy() for call in message["tool_calls"]]
        for call in mended["tool_calls"]:
            name = call["function"]["name"]
            arguments = _cleaned(call["function"]["arguments"])
            if name in checkers:
                arguments = _fitted(arguments, *checkers[name])
            call["function"] = {"name": name, "arguments": arguments}
    return mended


def _clean(text: str) -> str:
    return text if control_character(text) is None else without_control_characters(text)


def _cleaned(value: Any) -> Any:
    """A copy of a JSON value with its texts cleaned. What could be converted is nested no deeper than Python
    follows."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value


def _fitted(
    arguments: dict[str, Any], parameters: Mapping[str, Any], check: ArgumentChecker
) -> dict[str, Any]:
    """The arguments with texts that are numbers made numbers, and nulls that may not be there left out, where
    the schema then has less to say against them."""
    try:
        faults = len(check.check(arguments))
        if not faults:
            return arguments
        fitted: dict[str, Any] = _fit(arguments, parameters)
        return fitted if len(check.check(fitted)) < faults else arguments
    except ValueError:  # nested too deeply to be checked
        return arguments


def _fit(value: Any, schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, str):
        return _read(value, schema.get("type"))
    if isinstance(value, list):
        return [_fit(item, schema.get("items")) for item in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    required = required if isinstance(required, list) else []
    return {
        name: _fit(item, properties.get(name))
        for name, item in value.items()
        if item is not None or name in required or _allows_null(properties, name, schema)
    }


def _allows_null(properties: Mapping[str, Any], name: str, schema: Mapping[str, Any]) -> bool:
    """Whether null may be meant: the property says so, or cannot be read, or is left open."""
    if name not in properties:
        return not properties or schema.get("additionalProperties") not in (None, False)
    declared = properties[name]
    if not isinstance(declared, Mapping) or "type" not in declared:
        return True
    kind = declared["type"]
    return kind == "null" or (isinstance(kind, list) and "null" in kind) or declared.get("nullable") is True


def _read(text: str, kind: Any) -> Any:
    """The number or truth value that a text is, where the schema wants one; else the text."""
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if kind == "boolean":
        return _TRUTH.get(text.lower(), text)
    return text


def _is_empty_system(message: Message) -> bool:
    return message["role"] == "system" and not message["content"].strip()


def _tied(messages: list[Message]) -> list[Message]:
    """One call, and one result after it: they belong together, whatever the result's id says."""
    for index, message in enumerate(messages[:-1]):
        calls, result = message.get("tool_calls", ()), messages[index + 1]
        alone = index + 2 == len(messages) or messages[index + 2]["role"] != "tool"
        if len(calls) != 1 or result["role"] != "tool" or not alone or "id" not in calls[0]:
            continue
        name = calls[0]["function"]["name"]
        strange = result.get("tool_call_id", calls[0]["id"]) != calls[0]["id"]
        if strange and result.get("name", name) == name:
            result["tool_call_id"] = calls[0]["id"]
            result["name"] = name
    return messages
