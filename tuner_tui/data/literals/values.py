"""Values in text: JSON, or Python literals such as a model prints. Parsed, never evaluated."""

import ast
import math
from collections.abc import Iterator
from typing import Any

import orjson

from tuner_tui.data.literals.json_text import dump_json, load_json
from tuner_tui.data.literals.safe_ast import parse_expression

_CONSTANTS = {"true": True, "false": False, "null": None}
_MOST_TRIES = 8  # brackets that may begin the list: each costs a look through the text
_OPENING, _CLOSING = "[{(", "]})"


def read_value(text: str) -> Any:
    """A JSON value from its text in JSON or in Python's words (single quotes, True, None, tuples as lists).

    Raises:
        ValueError: it is neither; the message says what stands in the way.
    """
    try:
        return load_json(text)
    except orjson.JSONDecodeError:
        return literal_value(parse_expression(text))


def literal_value(node: ast.expr) -> Any:
    """What a literal in Python's words (or JSON's true, false, null) stands for, as a JSON value.

    Raises:
        ValueError: it is no literal, or not one that JSON can hold.
    """
    match node:
        case ast.Constant(value=str() | bool() | int() | None as value):
            return value
        case ast.Constant(value=float() as value) if math.isfinite(value):
            return value
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [literal_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {_key(key): literal_value(value) for key, value in zip(keys, values, strict=True)}
        case ast.UnaryOp(
            op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)
        ) if not isinstance(number, bool) and (isinstance(number, int) or math.isfinite(number)):
            return -number if isinstance(sign, ast.USub) else number
    raise ValueError(f"{type(node).__name__} is no literal, character {node.col_offset + 1}")


def _key(node: ast.expr | None) -> str:
    if node is None:
        raise ValueError("** is no literal")
    key = literal_value(node)
    if isinstance(key, str):
        return key
    if isinstance(key, list | dict):
        raise ValueError(f"a key is no text, character {node.col_offset + 1}")
    return dump_json(key).decode()


def bracketed(text: str, start: int) -> str | None:
    """The text from the bracket at `start` to the one that closes it, brackets inside quotes left aside;
    None when it is never closed."""
    depth = 0
    for position, mark in _unquoted(text, start):
        if mark in _OPENING:
            depth += 1
        elif mark in _CLOSING:
            depth -= 1
            if depth == 0:
                return text[start : position + 1]
    return None


def split_top(text: str, separator: str = ",") -> list[str]:
    """The pieces between separators that stand in no bracket and no quotes."""
    pieces: list[str] = []
    depth = begin = 0
    for position, mark in _unquoted(text, 0):
        if mark in _OPENING:
            depth += 1
        elif mark in _CLOSING:
            depth -= 1
        elif mark == separator and depth == 0:
            pieces.append(text[begin:position])
            begin = position + 1
    return [*pieces, text[begin:]]


def _unquoted(text: str, start: int) -> Iterator[tuple[int, str]]:
    """The characters from `start` on that stand in no quotes, with their positions."""
    position = start
    while position < len(text):
        mark = text[position]
        if mark in "\"'":
            position = _after_quote(text, position)
        else:
            yield position, mark
            position += 1


def _after_quote(text: str, start: int) -> int:
    """The position after the quoted text that begins at `start`, or the end of the text."""
    quote, position = text[start], start + 1
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == quote:
            return position + 1
        position += 1
    return position


def tools_in_text(text: str) -> tuple[list[Any], str] | None:
    """The first list of objects in a text, JSON or Python, and the text that held it; None without one."""
    start = text.find("[{")
    for _ in range(_MOST_TRIES):
        if start < 0:
            break
        held = bracketed(text, start)
        if held is not None:
            try:
                value = read_value(held)
            except ValueError:
                value = None
            if isinstance(value, list) and all(isinstance(item, dict) for item in value):
                return value, held
        start = text.find("[{", start + 2)
    return None


def objects_in_text(text: str) -> list[Any]:
    """JSON objects that follow one another, whatever stands between them.

    Raises:
        ValueError: one of them is not closed, or cannot be read.
    """
    found: list[Any] = []
    position = text.find("{")
    while position >= 0:
        held = bracketed(text, position)
        if held is None:
            raise ValueError(f"an object is not closed, character {position + 1}")
        found.append(read_value(held))
        position = text.find("{", position + len(held))
    return found
