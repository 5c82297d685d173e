"""Tool calls against the JSON Schema of their tool.

The check is jsonschema-rs, which is about a thousand times as fast as `jsonschema.validate` and
follows no reference to files or the network here. A compiled schema is kept, since a dataset calls
the same few tools again and again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

_LONGEST_REASON = 200
# Keywords that say something about an object; parameters with none of them describe nothing.
_OBJECT_KEYWORDS = {
    *("type", "properties", "required", "additionalProperties", "patternProperties", "enum", "const"),
    *("$ref", "$defs", "definitions", "allOf", "anyOf", "oneOf", "not", "if"),
}
# Keywords by which properties may be declared elsewhere than in `properties`.
_OPEN_KEYWORDS = ("$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties")


class SchemaError(ValueError):
    """The parameters of a tool are not a JSON Schema of an object; the message says why."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One fault of the arguments: its rule's id, the path to it (".unit", ".days[2]"), a sentence."""

    rule: str
    path: str
    message: str


class ArgumentChecker:
    """Checks the arguments of calls to one tool."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        """Compile the `parameters` of a tool.

        Raises:
            SchemaError: they are no valid JSON Schema, or not the schema of an object.
        """
        if parameters and not _OBJECT_KEYWORDS & parameters.keys():
            raise SchemaError("parameters have neither `type` nor `properties`")
        kind = parameters.get("type", "object")
        if kind != "object" and isinstance(kind, str):
            raise SchemaError(f'the type of parameters is "{kind}" and must be "object"')
        try:
            self._validator = jsonschema_rs.validator_for(dict(parameters), retriever=_refuse)
        except (ValueError, TypeError) as error:  # ValidationError is a ValueError
            place = _path(getattr(error, "instance_path", ()))
            reason = getattr(error, "message", str(error))
            raise SchemaError(f"parameters{place}: {_short(reason)}") from None
        properties = parameters.get("properties")
        is_open = any(keyword in parameters for keyword in _OPEN_KEYWORDS)
        is_open = is_open or parameters.get("additionalProperties") not in (None, False)
        self._declared = None if is_open or properties is None else frozenset(properties)

    def check(self, arguments: Mapping[str, Any]) -> list[Mismatch]:
        """Every fault of the arguments, in the order of the schema."""
        found = [
            Mismatch("unknown_argument", f".{name}", f'there is no argument "{name}"')
            for name in arguments
            if self._declared is not None and name not in self._declared
        ]
        if self._validator.is_valid(arguments):
            return found
        for error in self._validator.iter_errors(arguments):
            found.extend(_mismatches(error, reported={mismatch.path for mismatch in found}))
        return found


def checker(parameters: Mapping[str, Any]) -> ArgumentChecker:
    """The checker of these parameters, compiled once.

    Raises:
        SchemaError: as `ArgumentChecker`.
    """
    return _compiled(orjson.dumps(parameters))


@lru_cache(maxsize=4096)
def _compiled(parameters: bytes) -> ArgumentChecker:
    return ArgumentChecker(orjson.loads(parameters))


def _mismatches(error: jsonschema_rs.ValidationError, reported: set[str]) -> list[Mismatch]:
    path = _path(error.instance_path)
    kind = error.kind
    if kind.name == "required":
        name = kind.as_dict()["property"]
        return [Mismatch("missing_argument", f"{path}.{name}", f'"{name}" is required')]
    if kind.name == "additionalProperties":
        return [
            Mismatch("unknown_argument", f"{path}.{name}", f'there is no argument "{name}"')
            for name in kind.as_dict()["unexpected"]
            if f"{path}.{name}" not in reported
        ]
    return [Mismatch("wrong_type", path, _short(error.message))]


def _path(parts: Any) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _short(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"


def _refuse(uri: str) -> Any:
    raise ValueError("references to files or the network are not followed")
