"""The tools of a row, from wherever a layout keeps them."""

from collections.abc import Mapping
from typing import Any

import orjson

from tuner_tui.data.converters.errors import ConversionError, json_reason, kind_of
from tuner_tui.data.literals.json_text import load_json


def to_tools(value: Any, field: str) -> list[dict[str, Any]]:
    """The tools of a row, from a list or from JSON text; each as it stands there, an object.
    `normalise.normalise_tools` brings them to their canonical form.

    Raises:
        ConversionError: it is neither, or a tool is no object.
    """
    if isinstance(value, str):
        try:
            value = load_json(value) if value.strip() else []
        except orjson.JSONDecodeError as error:
            raise ConversionError("tools_not_list", field, json_reason(error)) from None
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConversionError("tools_not_list", field, f"{kind_of(value)} where a list should be")
    return [_tool(tool, f"{field}[{index}]") for index, tool in enumerate(value)]


def tools_of(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools of a row: its `tools`, or the older `functions`, or those of its system message (GLM-4).

    https://github.com/THUDM/GLM-4/blob/main/finetune_demo/README_en.md

    Raises:
        ConversionError: as `to_tools`.
    """
    for name in ("tools", "functions"):
        if tools := to_tools(value.get(name), name):
            return tools
    key = "messages" if "messages" in value else "conversations"
    turns = value.get(key)
    first = turns[0] if isinstance(turns, list) and turns else None
    return to_tools(first.get("tools"), f"{key}[0].tools") if isinstance(first, Mapping) else []


def _tool(value: Any, field: str) -> dict[str, Any]:
    if isinstance(value, str) and value.lstrip().startswith("{"):  # as in columns of a table
        try:
            value = load_json(value)
        except orjson.JSONDecodeError as error:
            raise ConversionError("invalid_tool", field, json_reason(error)) from None
    if not isinstance(value, dict):
        raise ConversionError("invalid_tool", field, f"{kind_of(value)} where a tool should be")
    return value
