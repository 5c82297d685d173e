"""What a row that cannot be converted raises, and the words for what was found instead."""

from collections.abc import Mapping
from typing import Any

import orjson

from tuner_tui.data.layouts.formats import seen
from tuner_tui.errors import UserError

_NAMES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class ConversionError(UserError):
    """A row that cannot be converted: the id of the rule that it breaks, the field, a sentence."""

    def __init__(self, rule: str, field: str | None, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.field = field


def malformed(field: str, reason: str) -> ConversionError:
    """A message, or what should hold messages, that has not the shape of one."""
    return ConversionError("bad_message", field, reason)


def unparseable(field: str, reason: str) -> ConversionError:
    """A call, or its arguments, that cannot be read."""
    return ConversionError("unparseable_arguments", field, reason)


def kind_of(value: Any) -> str:
    """What a JSON value is, for a sentence: "a list", "a number" …"""
    return _NAMES.get(type(value), f"a {type(value).__name__}")


def json_reason(error: orjson.JSONDecodeError) -> str:
    """Why a text is not JSON, and where."""
    return f"not JSON: {error.msg}, character {error.pos + 1}"


def require(value: Mapping[str, Any], name: str) -> Any:
    """The field of a row that its layout cannot do without.

    Raises:
        ConversionError: the row has no such field.
    """
    if name not in value:
        raise ConversionError("unknown_layout", name, f'no "{name}"; the row has {seen(value)}')
    return value[name]
