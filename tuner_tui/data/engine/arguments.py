"""Parsers of arguments: JSON text of one tool's arguments, parsed and held against its schema in one go.

For schemas of plain types a msgspec struct does both. It accepts only what the schema allows; what it refuses
may still be right, so a refusal says nothing. Any other schema is left to `schemas.checker`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tuner_tui.data.engine.doubt import Doubt
from tuner_tui.data.literals.json_text import load_json
from tuner_tui.data.schemas.checker import checker

Parser = Callable[[Any], Any]
"""JSON text (str or raw) to a struct or a dict; MessagePack writes both in the same way."""

_ANNOTATIONS = frozenset(("description", "title", "default", "examples", "example", "$comment"))
_SIMPLE: Mapping[str, Any] = {"string": str, "integer": int, "number": int | float, "boolean": bool}
_MOST_FIELDS = 32


class _Unsupported(Exception):
    """The schema says something that a struct cannot say."""


def parser(parameters: Any) -> Parser:
    """A parser for the `parameters` of a sound tool.

    It raises `Doubt` or msgspec's errors for what is not certainly right.
    """
    try:
        return msgspec.json.Decoder(_struct(parameters, top=True)).decode
    except _Unsupported:
        return _thorough(parameters)


def types(parsed: Sequence[Any]) -> Mapping[type, int]:
    """The types of the values of parsed arguments, each with how many there are."""
    try:
        return _types(map(msgspec.structs.astuple, parsed))
    except TypeError:  # there are dicts among them
        return _types(one.values() if type(one) is dict else msgspec.structs.astuple(one) for one in parsed)


def _types(values: Iterable[Iterable[Any]]) -> Mapping[type, int]:
    found = Counter(map(type, chain.from_iterable(values)))
    found.pop(UnsetType, None)
    return found


def _thorough(parameters: Any) -> Parser:
    check = checker(parameters).check if parameters is not None else None

    def parse(text: Any) -> Any:
        arguments = load_json(text if isinstance(text, str) else bytes(text))
        if not isinstance(arguments, dict) or (check is not None and check(arguments)):
            raise Doubt
        return arguments

    return parse


def _struct(schema: Any, *, top: bool = False) -> type[Struct]:
    """The struct of an object of which every property is declared; unknown ones are refused."""
    if not isinstance(schema, dict) or schema.keys() - _ANNOTATIONS - _OBJECT:
        raise _Unsupported
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, dict) or schema.get("type", "object") != "object":
        raise _Unsupported
    if schema.get("additionalProperties") not in (None, False, True) or len(properties) > _MOST_FIELDS:
        raise _Unsupported
    if top and schema.get("additionalProperties") is True:
        raise _Unsupported
    if not all(name.isascii() for name in properties) or set(required) - properties.keys():
        raise _Unsupported
    # Fields in the order of their names: that is how MessagePack sorts the keys of a dict.
    names = sorted(properties)
    needed = [(f"f{index}", _type(properties[name])) for index, name in enumerate(names) if name in required]
    optional = [
        (f"f{index}", _type(properties[name]) | UnsetType, UNSET)
        for index, name in enumerate(names)
        if name not in required
    ]
    fields: list[Any] = sorted([*needed, *optional], key=lambda field: int(field[0][1:]))
    return msgspec.defstruct(
        "Arguments",
        fields,
        rename={f"f{index}": name for index, name in enumerate(names)},
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )


_OBJECT = frozenset(("type", "properties", "required", "additionalProperties"))


def _type(schema: Any) -> Any:
    """The type of a value; never wider than the schema."""
    if not isinstance(schema, dict):
        raise _Unsupported
    kind: Any = schema.get("type")
    said = schema.keys() - _ANNOTATIONS
    if not isinstance(kind, str):
        raise _Unsupported
    if kind == "object" and "properties" in schema:
        return _struct(schema)
    if kind == "string" and said == {"type", "enum"}:
        options = schema["enum"]
        if not options or not all(isinstance(option, str) for option in options):
            raise _Unsupported
        return Literal[tuple(options)]
    if kind == "array" and said in ({"type"}, {"type", "items"}):
        return list[_type(schema["items"])] if schema.get("items") else list  # type: ignore[misc]
    if kind in _SIMPLE and said == {"type"}:
        return _SIMPLE[kind]
    if kind == "object" and said == {"type"}:
        return dict[str, Any]
    raise _Unsupported
