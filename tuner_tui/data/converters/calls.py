"""Calls in any of their spellings, brought into the canonical one."""

from typing import Any

import orjson

from tuner_tui.data.converters.errors import json_reason, kind_of, malformed, unparseable
from tuner_tui.data.converters.keys import ARGUMENTS, BESIDE_ARGUMENTS, identity_of, unknown_keys
from tuner_tui.data.examples import ToolCall
from tuner_tui.data.literals.json_text import exceeds_64_bits, load_json
from tuner_tui.data.literals.values import read_value


def calls_in_text(value: Any, field: str) -> list[ToolCall]:
    """The calls of a turn whose text is a call, or a list of them, in JSON.

    Raises:
        ConversionError: it is not JSON, or not a call.
    """
    if isinstance(value, str):
        try:
            value = load_json(value)
        except orjson.JSONDecodeError as error:
            raise unparseable(field, f"the call is {json_reason(error)}") from None
    return [to_call(call, field) for call in (value if isinstance(value, list) else [value])]


def calls_in_literal(text: str, field: str) -> list[ToolCall]:
    """The calls of a text that is a call, or a list of them, in JSON or as a Python literal.

    Raises:
        ConversionError: it is neither, or not a call.
    """
    try:
        value = read_value(text)
    except ValueError as error:
        raise unparseable(field, f"the call is neither JSON nor a Python literal ({error})") from None
    return [to_call(call, field) for call in (value if isinstance(value, list) else [value])]


def to_call(value: Any, field: str) -> ToolCall:
    """A call: `{"id", "type", "function": {"name", "arguments"}}`, or the inner object alone.

    Raises:
        ConversionError: it names no tool, or its arguments are no object.
    """
    if not isinstance(value, dict):
        raise malformed(field, f"{kind_of(value)} where a call should be")
    function, inside = value.get("function"), f"{field}.function"
    if not isinstance(function, dict):
        function, inside = value, field
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise malformed(f"{inside}.name", "the call names no tool")
    given = [key for key in ARGUMENTS if function.get(key) not in (None, "")]
    if not given and (strange := unknown_keys(function, BESIDE_ARGUMENTS)):
        raise unparseable(inside, f"there are no arguments; the call has {strange}")
    key = given[0] if given else "arguments"
    identity = identity_of(value, ("id", "call_id"))
    return make_call(name, to_arguments(function.get(key), f"{inside}.{key}"), identity)


def make_call(name: str, arguments: dict[str, Any], identity: str | None = None) -> ToolCall:
    """A canonical call, with its id if it has one."""
    call: ToolCall = {"type": "function", "function": {"name": name, "arguments": arguments}}
    if identity:
        call["id"] = identity
    return call


def to_arguments(value: Any, field: str) -> dict[str, Any]:
    """The arguments of a call as an object; JSON text is parsed, null and "" are no arguments.

    Raises:
        ConversionError: it is neither an object nor the JSON text of one, or an integer in it has more than
            64 bits, which no library here passes on as it is.
    """
    if isinstance(value, str) and value.strip():
        try:
            value = load_json(value)
        except orjson.JSONDecodeError as error:
            raise unparseable(field, json_reason(error)) from None
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    if not isinstance(value, dict):
        raise unparseable(field, f"{kind_of(value)} where an object should be")
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        if exceeds_64_bits(error):
            raise unparseable(field, f"a value that JSON cannot hold ({error})") from None
    return value
