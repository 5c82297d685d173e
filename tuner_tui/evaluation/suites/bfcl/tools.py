"""BFCL's function descriptions as tools in JSON Schema, the way its own handlers show them to a model.

Source: bfcl_eval/model_handler/utils.py, `convert_to_tool` with `GORILLA_TO_OPENAPI` for OpenAI's style.
"""

from typing import Any

_TYPES = {
    **dict.fromkeys(("integer", "byte", "short", "long", "Bigint"), "integer"),
    **dict.fromkeys(("number", "float", "double"), "number"),
    **dict.fromkeys(("string", "any", "char", "Any", "String"), "string"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("array", "list", "tuple", "ArrayList", "Array", "Queue", "Stack"), "array"),
    **dict.fromkeys(("dict", "object", "HashMap", "Hashtable"), "object"),
}


def tool_name(name: str) -> str:
    """A function's name as it is shown: no provider takes dots."""
    return name.replace(".", "_")


def to_tool(function: dict[str, Any]) -> dict[str, Any]:
    """One function description as a tool, made of the description itself: it is changed."""
    function["name"] = tool_name(function["name"])
    function["parameters"]["type"] = "object"
    _cast(function["parameters"]["properties"])
    return {"type": "function", "function": function}


def _cast(properties: dict[str, Any]) -> None:
    for schema in properties.values():
        kind = schema.get("type", "string")
        if kind == "float":
            schema["format"] = "float"
            schema["description"] += " This is a float type value."
        schema["type"] = _TYPES.get(kind, "string")
        if schema["type"] not in ("array", "object"):
            continue
        if "properties" in schema:
            _cast(schema["properties"])
        elif "items" in schema:
            items = schema["items"]
            items["type"] = _TYPES[items["type"]]
            if items["type"] == "array" and "items" in items:
                items["items"]["type"] = _TYPES[items["items"]["type"]]
            elif items["type"] == "object" and "properties" in items:
                _cast(items["properties"])
