"""Every layout to the one canonical example: one function a layout, in the tables below.

A converter makes the shape sound and leaves the content alone: what is wrong in it, `validators`
says. What cannot be brought into shape raises `ConversionError`, which names the field.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tuner_tui.data.converters.conversations import from_messages, from_sharegpt
from tuner_tui.data.converters.errors import ConversionError
from tuner_tui.data.converters.simple import from_completion, from_kto, from_preference
from tuner_tui.data.examples import Example
from tuner_tui.data.formats import Format, seen

__all__ = ["CONVERTERS", "WITH_COMPANION", "ConversionError", "convert"]

Converter = Callable[[Mapping[str, Any]], Example]
CompanionConverter = Callable[[Mapping[str, Any], Any], Example]

CONVERTERS: dict[Format, Converter] = {
    Format.CANONICAL: from_messages,
    Format.OPENAI: from_messages,
    Format.TYPED_CONTENT: from_messages,
    Format.SHAREGPT: from_sharegpt,
    Format.APIGEN_MT: from_sharegpt,
    Format.AGENTINSTRUCT: from_sharegpt,
    Format.COMPLETION: from_completion,
    Format.PREFERENCE: from_preference,
    Format.KTO: from_kto,
}
"""The layouts whose rows hold all that is needed."""

WITH_COMPANION: dict[Format, CompanionConverter] = {}
"""The layouts of which a part lies in a file of its own: `companions.load_companion` reads it."""


def convert(value: Mapping[str, Any], format: Format, companion: Any = None) -> Example:
    """One row of the given layout as a canonical example.

    Raises:
        ConversionError: the row has not this layout, or something in it has not the shape.
    """
    try:
        if format in WITH_COMPANION:
            example = WITH_COMPANION[format](value, companion)
        else:
            example = CONVERTERS.get(format, _unknown)(value)
        example["tools"] = [_wrapped(tool) for tool in example["tools"]]
        orjson.dumps(example)
    except (orjson.JSONEncodeError, RecursionError):
        # orjson reads deeper than it writes; nothing after this step could pass such a row on.
        raise ConversionError("bad_message", None, "nested too deeply") from None
    return example


def _unknown(value: Mapping[str, Any]) -> Example:
    raise ConversionError("unknown_layout", None, f"no known layout; the row has {seen(value)}")


def _wrapped(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    return {"type": "function", "function": dict(function if isinstance(function, dict) else tool)}
