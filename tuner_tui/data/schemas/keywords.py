"""The keywords of a tool's parameters, brought into JSON Schema 2020-12.

https://json-schema.org/draft/2020-12/json-schema-validation. Keys that are no keywords (`example_value`,
`optional` …) are kept: a schema may hold them, and they mean nothing. A keyword whose value cannot be mended
is left out, with a note that says so.
"""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.schemas.types import Schema, read_type, union
from tuner_tui.data.schemas.values import VALUES, Unusable, fit_bounds, fit_values, is_pattern, names, truth

_DEEPEST = 32
_NULL = {"type": "null"}
_SCHEMA = frozenset(
    (
        *("items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames"),
        *("contains", "not", "if", "then", "else", "contentSchema"),
    )
)
_SCHEMA_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_SCHEMA_MAPS = frozenset(("$defs", "definitions", "dependentSchemas", "patternProperties", "dependencies"))


class SchemaWalk:
    """Brings schemas into order; `notes` says what had to be left out."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def schema(self, value: Mapping[str, Any], place: str, depth: int = 0) -> Schema:
        """A schema, and all that is in it. What is in order stays as it is."""
        if depth > _DEEPEST:
            self.notes.append(f"{place}: nested too deeply; what is below allows everything")
            return {}
        schema: Schema = {}
        required: list[str] = []
        for key, item in self._with_known_type(value, place, depth).items():
            try:
                if key == "properties":
                    schema[key] = self._properties(item, f"{place}.{key}", depth, required)
                elif key == "items" and isinstance(item, list):  # a tuple in drafts before 2020-12
                    schema["prefixItems"] = self._list(item, f"{place}.{key}", depth)
                else:
                    schema[key] = self._keyword(key, item, f"{place}.{key}", depth)
            except Unusable as reason:
                self.notes.append(f"{place}.{key}: left out; {reason}")
        if required:
            schema["required"] = list(dict.fromkeys([*schema.get("required", ()), *required]))
        fit_bounds(schema)
        self.notes.extend(f"{place}.{note}" for note in fit_values(schema))
        return schema

    def parameters(self, value: Mapping[str, Any], place: str, *, listed: bool) -> Schema:
        """Named parameters without a schema around them, `{"city": {"type": "str, optional"}}`.

        Unless the required ones are listed, here or (`listed`) elsewhere, they are those that neither say
        that they are optional nor have a default.
        """
        required: list[str] = []
        properties = self._properties(value, place, 0, required)
        if not listed and not isinstance(value.get("required"), list):
            required.extend(name for name in properties if _seems_required(value[name]))
        schema: Schema = {"type": "object", "properties": properties}
        if required := [name for name in properties if name in required]:
            schema["required"] = required
        return schema

    def _keyword(self, key: str, item: Any, place: str, depth: int) -> Any:
        if key in _SCHEMA:
            return self._sub(item, place, depth)
        if key in _SCHEMA_LISTS:
            return self._list(item, place, depth)
        if key in _SCHEMA_MAPS:
            return self._map(key, item, place, depth)
        return VALUES[key](item) if key in VALUES else item

    def _sub(self, value: Any, place: str, depth: int) -> Schema | bool:
        if (flag := truth(value)) is not None:
            return flag
        if isinstance(value, Mapping):
            return self.schema(value, place, depth + 1)
        if isinstance(value, str):
            known, _ = read_type(value)
            if known is not None:
                return self.schema(known, place, depth + 1)
        raise Unusable("it is no schema")

    def _list(self, value: Any, place: str, depth: int) -> list[Schema | bool]:
        items = value if isinstance(value, list) else [value]
        if not items:
            raise Unusable("the list is empty")
        return [self._sub(item, f"{place}[{index}]", depth) for index, item in enumerate(items)]

    def _map(self, key: str, value: Any, place: str, depth: int) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Unusable("it is no object of schemas")
        schemas: dict[str, Any] = {}
        for name, item in value.items():
            if key == "patternProperties" and not is_pattern(name):
                self.notes.append(f"{place}.{name}: left out; it is no regular expression")
            elif key == "dependencies" and isinstance(item, list):
                schemas[name] = names(item)
            else:
                schemas[name] = self._sub(item, f"{place}.{name}", depth)
        return schemas

    def _properties(self, value: Any, place: str, depth: int, required: list[str]) -> dict[str, Any]:
        """Properties by name; names that the properties themselves, or a list among them, call required
        are added to `required`."""
        if value is None:
            return {}
        if isinstance(value, list):
            value = by_name(value)
        if not isinstance(value, Mapping):
            raise Unusable("it is no object of properties")
        properties: dict[str, Any] = {}
        for name, item in value.items():
            if name == "required" and isinstance(item, list):
                required.extend(one for one in item if isinstance(one, str))
                continue
            if isinstance(item, Mapping) and (needed := truth(item.get("required"))) is not None:
                if needed:
                    required.append(name)
                item = {key: part for key, part in item.items() if key != "required"}
            properties[name] = self._property(item, f"{place}.{name}", depth)
        return properties

    def _property(self, value: Any, place: str, depth: int) -> Schema | bool:
        if isinstance(value, bool | Mapping):
            return self._sub(value, place, depth)
        if isinstance(value, str):
            known, _ = read_type(value)
            return {"description": value} if known is None else self.schema(known, place, depth + 1)
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return {"enum": value}
        if value is not None:
            self.notes.append(f"{place}: it is no schema; it allows everything")
        return {}

    def _with_known_type(self, value: Mapping[str, Any], place: str, depth: int) -> Mapping[str, Any]:
        """The same keywords, the type in JSON Schema's own words. What a type's text says beyond them
        ("List[int]") becomes keywords too, where the schema does not have them already."""
        whole: dict[str, Any] = {}
        for key, item in value.items():
            if key == "type":
                known = self._type(item, f"{place}.type", depth)
                whole |= {name: part for name, part in known.items() if name == "type" or name not in value}
            else:
                whole[key] = item
        # The parameters themselves are always an object.
        return _with_null(whole) if depth and truth(value.get("nullable")) else whole

    def _type(self, value: Any, place: str, depth: int) -> Schema:
        if isinstance(value, list):
            kinds = ["null" if item is None else item for item in value]
            return union([self._type(kind, place, depth) for kind in kinds])
        if isinstance(value, Mapping):
            return self.schema(value, place, depth + 1)
        known = read_type(value)[0] if isinstance(value, str) else {} if value is None else None
        if known is None:
            self.notes.append(f"{place}: left out; the type {str(value)[:40]!r} is not known")
            return {}
        return known


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with null allowed, for OpenAPI's `nullable: true` beside a type, a choice or a reference.

    https://spec.openapis.org/oas/v3.0.3#schema-object
    """
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {**schema, "type": kinds if "null" in kinds else [*kinds, "null"]}
    for key in ("anyOf", "oneOf"):
        choices = schema.get(key, [])
        choices = choices if isinstance(choices, list) else [choices]
        if choices:
            return {**schema, key: choices if _NULL in choices else [*choices, _NULL]}
    if inside := {key: schema[key] for key in ("$ref", "allOf") if key in schema}:
        rest = {key: item for key, item in schema.items() if key not in inside}
        return {**rest, "anyOf": [inside, _NULL]}
    return schema


def _seems_required(value: Any) -> bool:
    """Whether a parameter neither says that it is optional nor has a default."""
    if isinstance(value, Mapping):
        if (needed := truth(value.get("required"))) is not None:
            return needed
        if (spared := truth(value.get("optional"))) is not None:
            return not spared
        if "default" in value:
            return False
        value = value.get("type")
    return not (isinstance(value, str) and read_type(value)[1])


def by_name(items: list[Any]) -> dict[str, Any]:
    """Parameters from a list of objects that each have a `name`.

    Raises:
        Unusable: one of them has none.
    """
    named: dict[str, Any] = {}
    for item in items:
        name = item.get("name") if isinstance(item, Mapping) else None
        if not isinstance(name, str):
            raise Unusable("a parameter of the list has no name")
        named[name] = {key: part for key, part in item.items() if key != "name"}
    return named
