"""Types as people write them ("int, optional", "List[Union[int, float]]", "dict") as JSON Schema.

The text is read as Python's grammar reads it, and never evaluated.
"""

import ast
import re
from functools import lru_cache
from typing import Any

from tuner_tui.data.literals.safe_ast import parse_expression

Schema = dict[str, Any]

_LONGEST = 300
SIMPLE = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))
_WORDS: dict[str, tuple[str, ...]] = {
    "string": (
        *("string", "str", "text", "char", "character", "varchar", "date", "datetime", "time", "timestamp"),
        *("url", "uri", "uuid", "email", "path", "file", "filename", "bytes", "callable", "function"),
    ),
    "integer": ("integer", "int", "long", "short", "byte", "bigint", "biginteger", "int32", "int64", "uint"),
    "number": ("number", "float", "double", "numeric", "decimal", "real", "float32", "float64"),
    "boolean": ("boolean", "bool"),
    "array": (
        *("array", "list", "tuple", "set", "frozenset", "sequence", "iterable", "iterator", "collection"),
        *("arraylist", "linkedlist", "vector", "queue", "stack", "hashset", "ndarray"),
    ),
    "object": (
        *("object", "dict", "dictionary", "map", "hashmap", "hashtable", "mapping", "mutablemapping"),
        *("ordereddict", "defaultdict", "json", "struct", "record"),
    ),
    "null": ("null", "none", "nonetype", "void", "undefined"),
}
_TYPES = {word: kind for kind, words in _WORDS.items() for word in words}
# Words that allow everything: a schema without a type.
_ANY = ("", "any", "anything", "unknown", "mixed", "variant", "enum", "t", "*")

_OPTIONAL = re.compile(r",?\s*\(?\boptional\b\)?(?!\s*\[)", re.IGNORECASE)
_REMARK = re.compile(r",\s*(?:required|default\b.*)$", re.IGNORECASE | re.DOTALL)
_LIST_OF = re.compile(r"(?:an?\s+)?(?:array|list)\s+of\s+(\w+?)s?", re.IGNORECASE)
_COMMENTED = re.compile(r"(\w+)\s*\(.*\)", re.DOTALL)


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[Schema | None, bool]:
    optional = bool(_OPTIONAL.search(text))
    bare = _REMARK.sub("", _OPTIONAL.sub("", text)).strip().strip(",").strip()
    if bare.lower() in _ANY:
        return {}, optional
    if (kind := _TYPES.get(bare.lower())) is not None:
        return {"type": kind}, optional
    if match := _LIST_OF.fullmatch(bare):
        return _array(_named(match[1])), optional
    brackets = bare.replace("<", "[").replace(">", "]")
    if brackets.endswith("[]"):
        inner, _ = _read(brackets[:-2])
        return (None if inner is None else _array(inner)), optional
    try:
        node = parse_expression(brackets)
    except ValueError:
        match = _COMMENTED.fullmatch(bare)
        return (_named(match[1]) if match else None), optional
    optional = optional or (isinstance(node, ast.Subscript) and _head(node.value) == "optional")
    return _of(node), optional


def read_type(text: str) -> tuple[Schema | None, bool]:
    """A type's text as the keywords of a JSON Schema ({} allows everything, None: not known), and whether
    the text says that the value may be left out.

    The schema is shared between calls: copy it before changing it.
    """
    return _read(text.strip()) if len(text) <= _LONGEST else (None, False)


def union(schemas: list[Schema]) -> Schema:
    """A schema that allows what one of these allows; a list of types where that says it all."""
    if not schemas or {} in schemas:
        return {}
    if all(schema.keys() == {"type"} for schema in schemas):
        kinds: dict[str, None] = {}
        for schema in schemas:
            kind = schema["type"]
            kinds.update(dict.fromkeys(kind if isinstance(kind, list) else [kind]))
        return {"type": next(iter(kinds)) if len(kinds) == 1 else list(kinds)}
    different = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
    return different[0] if len(different) == 1 else {"anyOf": different}


def _named(word: str) -> Schema | None:
    kind = _TYPES.get(word.lower())
    if kind is not None:
        return {"type": kind}
    return {} if word.lower() in _ANY else None


def _array(items: Schema | None) -> Schema:
    return {"type": "array", "items": items} if items else {"type": "array"}


def _head(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr.lower()
    return node.id.lower() if isinstance(node, ast.Name) else ""


def _of(node: ast.expr) -> Schema | None:
    if isinstance(node, ast.Name | ast.Attribute):
        return _named(_head(node))
    if isinstance(node, ast.Constant):
        if node.value is None:
            return {"type": "null"}
        return _named(node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.Subscript):
        return _generic(_head(node.value), node.slice)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _any_of([node.left, node.right])
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return _any_of(node.values)
    if isinstance(node, ast.Tuple) and node.elts:
        return _any_of(node.elts)
    return None


def _any_of(nodes: list[ast.expr]) -> Schema | None:
    schemas = [_of(node) for node in nodes]
    known = [schema for schema in schemas if schema is not None]
    return union(known) if known else None


def _generic(head: str, inside: ast.expr) -> Schema | None:
    parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    if head == "optional":
        return _any_of([*parts, ast.Constant(None)])
    if head == "union":
        return _any_of(parts)
    if head == "literal":
        return _literal(parts)
    if head in ("annotated", "final", "required", "notrequired"):
        return _of(parts[0])
    kind = _TYPES.get(head)
    if head == "tuple":
        return _tuple(parts)
    if kind == "array":
        return _array(_of(parts[0]))
    if kind == "object" and len(parts) == 2:
        values = _of(parts[1])
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    return {"type": kind} if kind else None


def _tuple(parts: list[ast.expr]) -> Schema:
    endless = len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is ...
    items = _any_of(parts[:1] if endless else parts)
    schema = _array(items)
    return schema if endless else schema | {"minItems": len(parts), "maxItems": len(parts)}


def _literal(parts: list[ast.expr]) -> Schema | None:
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    if len(values) < len(parts) or not all(isinstance(value, str | int | float | None) for value in values):
        return None
    return {"enum": values}
