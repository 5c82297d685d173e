"""JSON and Python literals in what a model wrote, as values; never run, and limited in size and depth."""

import ast
import json
import math
import warnings
from typing import Any, NoReturn

from tuner_tui.data.examples import Call

LITERAL_LIMIT = 20_000
"""Characters up to which Python literals are tried: their parser is slow on megabytes."""

_DEPTH_LIMIT = 64
"""Levels of nesting: far more than any tool takes, far fewer than what breaks a recursive reader."""


def strict_call(value: Any, arguments: str = "arguments") -> Call | None:
    """The call that is an object of exactly `name` and `arguments` (or the key of that name)."""
    if (
        isinstance(value, dict)
        and value.keys() == {"name", arguments}
        and isinstance(value["name"], str)
        and isinstance(value[arguments], dict)
    ):
        return Call(value["name"], value[arguments])
    return None


def near_calls(body: str) -> list[Call]:
    """The calls in JSON or a Python literal: one, or a list of them; [] when it is anything else."""
    body = body.strip()
    if not body.startswith(("{", "[")):
        return []
    value = load_json(body)
    if value is None:
        value = load_literal(body)
    values = value if isinstance(value, list) else [value]
    calls = [_near_call(each) for each in values]
    return [call for call in calls if call] if all(calls) else []


def _near_call(value: Any) -> Call | None:
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        value = value["function"]
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, str):
        arguments = load_json(arguments)
    if not isinstance(arguments, dict) or not all(isinstance(key, str) for key in arguments):
        return None
    return Call(value["name"], arguments)


def load_json(text: str) -> Any:
    """The value, or None for anything that is not standard JSON which can be written again."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_whole_number, parse_float=_finite_number)
        json.dumps(value, ensure_ascii=False).encode()  # lone surrogates cannot be written
    except (ValueError, RecursionError):
        return None
    return value if _depth(value) <= _DEPTH_LIMIT else None


def load_literal(text: str) -> Any:
    """The value of a Python literal made of what JSON knows, or None."""
    tree = parse_python(text)
    if tree is None:
        return None
    try:
        # literal_eval builds constants and containers only; nothing in the text is executed.
        return load_json(json.dumps(ast.literal_eval(tree), allow_nan=False))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def parse_python(text: str) -> ast.expr | None:
    """The tree of one Python expression, None when it is none, or too long to be tried."""
    if len(text) > LITERAL_LIMIT:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes such as "\\d"
            return ast.parse(text.strip(), mode="eval").body
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
        ]
    return depth


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _whole_number(digits: str) -> int | float:
    # 64 bits is what other readers of the stored items take.
    return int(digits) if len(digits) <= 18 else _finite_number(digits)


def _finite_number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number out of range")
    return value
