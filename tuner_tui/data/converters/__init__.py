"""Every layout to the one canonical example: one function a layout, in the tables below.

A converter makes the shape sound and leaves the content alone: what is wrong in it, `validators`
says. What cannot be brought into shape raises `ConversionError`, which names the field.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tuner_tui.data.converters.api_bank import from_api_bank
from tuner_tui.data.converters.apibench import from_apibench
from tuner_tui.data.converters.bfcl import from_bfcl
from tuner_tui.data.converters.conversations import from_messages, from_sharegpt
from tuner_tui.data.converters.errors import ConversionError
from tuner_tui.data.converters.seal_tools import from_seal_tools
from tuner_tui.data.converters.simple import (
    from_alpaca,
    from_completion,
    from_kto,
    from_preference,
    from_text,
    from_xlam,
)
from tuner_tui.data.converters.tagged import from_hermes
from tuner_tui.data.converters.textual import from_glaive, from_toolace, from_toolllama
from tuner_tui.data.converters.toolalpaca import from_toolalpaca
from tuner_tui.data.converters.toolbench import from_toolbench
from tuner_tui.data.converters.tooltalk import from_tooltalk
from tuner_tui.data.converters.written import read_written
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.companions import Companion
from tuner_tui.data.layouts.formats import Format, layout_of, seen
from tuner_tui.data.schemas.normalise import normalise_example

__all__ = ["CONVERTERS", "WITH_COMPANION", "ConversionError", "convert"]

Converter = Callable[[Mapping[str, Any]], Example]
CompanionConverter = Callable[[Mapping[str, Any], Companion], Example]

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
    Format.HERMES: from_hermes,
    Format.GLAIVE: from_glaive,
    Format.TOOLACE: from_toolace,
    Format.TOOLLLAMA: from_toolllama,
    Format.XLAM: from_xlam,
    Format.ALPACA: from_alpaca,
    Format.TEXT: from_text,
    Format.TOOLBENCH: from_toolbench,
    Format.TOOLALPACA: from_toolalpaca,
    Format.TOOLTALK: from_tooltalk,
    Format.APIBENCH: from_apibench,
}
"""The layouts whose rows hold all that is needed."""

WITH_COMPANION: dict[Format, CompanionConverter] = {
    Format.API_BANK: from_api_bank,
    Format.SEAL_TOOLS: from_seal_tools,
    Format.BFCL: from_bfcl,
}
"""The layouts of which a part lies in a file of its own: `companions.load_companion` reads it."""


def convert(value: Mapping[str, Any], format: Format, companion: Companion | None = None) -> Example:
    """One row of the given layout as a canonical example. In a file of conversations a row is read as the
    conversation that it is, whichever of their layouts it has.

    Raises:
        ConversionError: the row has not this layout, or something in it has not the shape.
    """
    format = _layout_of_row(value, format)
    try:
        if format in WITH_COMPANION:
            example = WITH_COMPANION[format](value, companion or Companion())
        else:
            example = CONVERTERS.get(format, _unknown)(value)
        if isinstance(original := value.get("original_tools"), list):
            example["original_tools"] = original
        read_written(example)
        normalise_example(example)
        orjson.dumps(example)
    except (orjson.JSONEncodeError, RecursionError) as error:
        # orjson reads deeper than it writes; nothing after this step could pass such a row on.
        deep = isinstance(error, RecursionError) or "ecursion" in str(error)
        reason = "nested too deeply" if deep else f"a value that JSON cannot hold ({error})"
        raise ConversionError("bad_message", None, reason) from None
    return example


_TURNS = (
    *(Format.SHAREGPT, Format.APIGEN_MT, Format.AGENTINSTRUCT),
    *(Format.HERMES, Format.TOOLACE, Format.TOOLLLAMA),
)
_CONVERSATIONS = (Format.CANONICAL, Format.OPENAI, Format.TYPED_CONTENT, *_TURNS)
_ANSWERS = {
    Format.PREFERENCE: "two answers to choose between",
    Format.KTO: "a label of good or bad",
}


def _layout_of_row(value: Mapping[str, Any], format: Format) -> Format:
    """The layout by which a row is read; another than the file's where its turns write calls as that does.

    Raises:
        ConversionError: it is a preference among conversations.
    """
    if format not in _CONVERSATIONS:
        return format
    told = layout_of(value)
    if told in _ANSWERS:
        reason = f"the row has {_ANSWERS[told]}, and the file has conversations"
        raise ConversionError("unknown_layout", None, f"{reason}: move such rows to a file of their own")
    written = told in (Format.TOOLACE, Format.TOOLLLAMA) and format in _TURNS
    return told if written else format


def _unknown(value: Mapping[str, Any]) -> Example:
    raise ConversionError("unknown_layout", None, f"no known layout; the row has {seen(value)}")
