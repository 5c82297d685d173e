"""Keywords of JSON Schema whose value is no schema: one function for each kind of value.

Each gives the value as the meta-schema wants it, or raises `Unusable`.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from tuner_tui.data.schemas.types import Schema

_ANCHOR = re.compile(r"[A-Za-z_][-A-Za-z0-9._]*")
_INTEGER = re.compile(r"[-+]?[0-9]{1,15}")
_LONGEST_PATTERN = 1000


class Unusable(Exception):
    """The value of a keyword has no meaning in JSON Schema, and is left out."""


def names(value: Any) -> list[str]:
    """`required`: a list of names, each once. A name alone, and an object of name to true, are read too."""
    if isinstance(value, str) and value:
        return [value]
    if isinstance(value, Mapping):
        return [name for name, item in value.items() if item is True]
    if not isinstance(value, list):
        raise Unusable("it is no list of names")
    return list(dict.fromkeys(name for name in value if isinstance(name, str)))


def _names_by_name(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        raise Unusable("it is no object")
    return {name: names(item) for name, item in value.items()}


def _enum(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = list(value)
    if isinstance(value, str):
        value = [part.strip() for part in re.split(r"[|,]", value) if part.strip()]
    if isinstance(value, list):
        if value:
            return value
    elif value is not None:
        return [value]
    raise Unusable("no value is listed")


def _number(value: Any) -> int | float:
    number = cast(value, "number")
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Unusable("it is no number")
    return number


def _factor(value: Any) -> int | float:
    number = _number(value)
    if number <= 0:
        raise Unusable("it is not above 0")
    return number


def _limit(value: Any) -> bool | int | float:
    return value if isinstance(value, bool) else _number(value)  # true or false in draft 4: see `fit_bounds`


def _count(value: Any) -> int:
    number = cast(value, "integer")
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise Unusable("it is no count")
    return number


def truth(value: Any) -> bool | None:
    """True or false, also from these words as text; None for all else."""
    flag = cast(value, "boolean")
    return flag if isinstance(flag, bool) else None


def _flag(value: Any) -> bool:
    if (flag := truth(value)) is None:
        raise Unusable("it is neither true nor false")
    return flag


def _words(value: Any) -> str:
    if value is None:
        raise Unusable("it is null")
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unusable("it is no text")
    return value


@lru_cache(maxsize=1024)
def is_pattern(text: str) -> bool:
    """Whether it is a regular expression of ECMA-262, as JSON Schema wants, and not a very long one.

    The library that checks arguments is asked: Python has other escapes and names groups otherwise.
    """
    if len(text) > _LONGEST_PATTERN:
        return False
    import jsonschema_rs  # takes long to import, and few schemas have patterns

    try:
        jsonschema_rs.validator_for({"pattern": text})
    except ValueError:
        return False
    return True


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not is_pattern(value):
        raise Unusable("it is no regular expression")
    return value


def _anchor(value: Any) -> str:
    if not isinstance(value, str) or not _ANCHOR.fullmatch(value):
        raise Unusable("it is no anchor")
    return value


def _identity(value: Any) -> str:
    if not isinstance(value, str) or "#" in value[:-1]:
        raise Unusable("it is no identifier")
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _never(value: Any) -> Any:
    raise Unusable("the schema is one of draft 2020-12 now")


VALUES: dict[str, Callable[[Any], Any]] = {
    "required": names,
    "dependentRequired": _names_by_name,
    "enum": _enum,
    "examples": _list,
    "multipleOf": _factor,
    **dict.fromkeys(("minimum", "maximum"), _number),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), _limit),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains"), _count),
    **dict.fromkeys(("minProperties", "maxProperties"), _count),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _flag),
    **dict.fromkeys(("title", "description", "$comment"), _words),
    **dict.fromkeys(("format", "contentEncoding", "contentMediaType"), _text),
    **dict.fromkeys(("$ref", "$dynamicRef", "$recursiveRef"), _text),
    **dict.fromkeys(("$anchor", "$dynamicAnchor", "$recursiveAnchor"), _anchor),
    "$id": _identity,
    "pattern": _pattern,
    **dict.fromkeys(("$schema", "$vocabulary"), _never),
}
"""Keyword to the function that mends its value."""


def fit_bounds(schema: Schema) -> None:
    """Draft 4's `exclusiveMinimum: true` beside a `minimum`, as the number that it is today."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(flag := schema.get(exclusive), bool):
            del schema[exclusive]
            if flag and bound in schema:
                schema[exclusive] = schema.pop(bound)


def fit_values(schema: Schema) -> list[str]:
    """Write `default` and the values of `enum` in the schema's own type where nothing is lost by it; where
    no value of `enum` has the type, the type goes. Returns notes."""
    kind = schema.get("type")
    if not isinstance(kind, str):
        return []
    if "default" in schema:
        schema["default"] = cast(schema["default"], kind)
    if "enum" in schema and not any(_has_type(value, kind) for value in schema["enum"]):
        fitted = [cast(value, kind) for value in schema["enum"]]
        if all(_has_type(value, kind) for value in fitted):
            schema["enum"] = fitted
        elif kind == "array" and isinstance(items := schema.get("items", {}), dict) and "enum" not in items:
            schema["items"] = {**items, "enum": schema.pop("enum")}  # meant for each of the items
            return [f"items.{note}" for note in fit_values(schema["items"])]
        else:
            del schema["type"]
            return [f"type: left out; no value of enum is {kind}"]
    return []


def cast(value: Any, kind: str) -> Any:
    """A value in a type of JSON Schema, if the same value can be written in it; else as it is."""
    if _has_type(value, kind):
        # 3.0 is an integer to JSON Schema, and no count to everybody else.
        return int(value) if kind == "integer" else value
    if isinstance(value, str):
        text = value.strip()
        if kind in ("integer", "number") and _INTEGER.fullmatch(text):
            return int(text)
        if kind == "number":
            return _finite(text, value)
        if kind == "boolean" and text.lower() in ("true", "false"):
            return text.lower() == "true"
    elif kind == "string" and isinstance(value, bool | int | float):
        return orjson.dumps(value).decode()
    return value


def _finite(text: str, otherwise: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return otherwise
    return number if math.isfinite(number) else otherwise


def _has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int):
        return kind in ("integer", "number")
    if isinstance(value, float):
        return kind == "number" or (kind == "integer" and value.is_integer() and abs(value) < 2**53)
    return kind == {str: "string", list: "array", dict: "object", type(None): "null"}.get(type(value))
