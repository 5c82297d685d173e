"""Calls in BFCL's own notation for models without one: what its prompting mode asks for, read as it reads it.

`[f(a=1), g.h(b='x')]`, in the Java and JavaScript categories with arguments in that language. The official
reader computes sums in arguments with `eval`, which runs whatever a model wrote; here sums of literals are
computed and everything else that it would run is no call.

Source: bfcl_eval/model_handler/utils.py (default_decode_ast_prompting, ast_parse, resolve_ast_by_type).
"""

import ast
import operator
from collections.abc import Callable
from functools import cache
from typing import Any

from tuner_tui.data.answers.forms import Form
from tuner_tui.data.answers.parsing import ParsedAnswer, parse_answer
from tuner_tui.data.answers.reading import LITERAL_LIMIT, parse_python
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.suites.bfcl import official

NOTE = (
    "Prompting mode: functions are described in the official system prompt, and calls are read from a list "
    "such as [f(a=1)] and from no other notation. The official reader computes arguments with eval; here "
    "sums of literals are computed, and nothing that a model wrote is run."
)
"""For whoever reads the figures of this mode."""
PARSERS = "tree-sitter==0.21.3 tree-sitter-java==0.21.0 tree-sitter-javascript==0.21.4"
"""What the official readers of the other languages need."""
OTHER_LANGUAGES = {
    "simple_java": ("java_parser", "parse_java_function_call"),
    "simple_javascript": ("js_parser", "parse_javascript_function_call"),
}
"""Category -> the official module and function that read its answers."""
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_LARGEST, _HIGHEST = 10**15, 64
"""Of a number that is computed with, and of an exponent: what is larger is no right answer."""


class _Unreadable(Exception):
    """The official reader breaks off, or would run something."""


def decode(text: str, category: str) -> ParsedAnswer:
    """The calls of an answer; without any when the official reader finds none. Raises nothing."""
    body = text.strip("`\n ")
    body = body if body.startswith("[") else f"[{body}"
    body = body if body.endswith("]") else f"{body}]"
    try:
        calls = _other(body, category) if category in OTHER_LANGUAGES else _python(body)
    except Exception:  # readers of another package meet whatever a model wrote
        calls = None
    if calls is not None:
        return ParsedAnswer("" if calls else text.strip(), calls, body == text.strip())
    near = parse_answer(text, Form.PYTHON)
    error = near.error or ("a call in another notation than was asked for" if near.calls else None)
    return ParsedAnswer(text.strip(), [], error is None, error)


def reads(category: str) -> bool:
    """Whether the official reader of a category's notation can be loaded."""
    if category not in OTHER_LANGUAGES:
        return True
    try:
        _reader(category)
    except Exception:  # not installed, or another version of it
        return False
    return True


@cache
def _reader(category: str) -> Callable[[str], Any]:
    module, function = OTHER_LANGUAGES[category]
    reader: Callable[[str], Any] = getattr(official.load(f"model_handler.parser.{module}"), function)
    return reader


def _other(body: str, category: str) -> list[Call] | None:
    if len(body) > LITERAL_LIMIT:
        return None
    found = _reader(category)(body[1:-1])
    if not isinstance(found, list):
        return None
    return [
        Call(name, {str(key): value for key, value in arguments.items()})
        for one in found
        for name, arguments in one.items()
    ]


def _python(body: str) -> list[Call] | None:
    tree = parse_python(body)
    if not isinstance(tree, ast.List | ast.Tuple) or not all(
        isinstance(each, ast.Call) for each in tree.elts
    ):
        return None
    return [_call(each) for each in tree.elts if isinstance(each, ast.Call)]


def _call(node: ast.Call) -> Call:
    """Arguments by place are passed over, as officially."""
    parts: list[str] = []
    function: ast.expr = node.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    return Call(".".join(reversed(parts)), {str(each.arg): _value(each.value) for each in node.keywords})


def _value(node: ast.expr | None) -> Any:
    match node:
        case ast.Constant(value=value):
            plain = isinstance(value, str | int | float) or value is None
            return value if plain else "..." if value is Ellipsis else str(value)
        case ast.UnaryOp(operand=ast.Constant(value=int() | float() as value)):
            return -value  # whatever the sign is
        case ast.List(elts=parts):
            return [_value(each) for each in parts]
        case ast.Tuple(elts=parts):
            return tuple(_value(each) for each in parts)
        case ast.Dict(keys=keys, values=values):
            return {_key(_value(key)): _value(each) for key, each in zip(keys, values, strict=True)}
        case ast.BinOp():
            return _computed(node)
        case ast.Name(id=name):
            return name
        case ast.Call(keywords=[]) | ast.Subscript():
            return ast.unparse(node)
        case ast.Call():
            call = _call(node)
            return {call.name: call.arguments}
    raise _Unreadable


def _key(value: Any) -> Any:
    hash(value)
    return str(value) if isinstance(value, tuple) else value


def _computed(node: ast.expr) -> Any:
    """A sum of literals."""
    match node:
        case ast.Constant(value=str() | int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(_computed(operand))
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            one, other = _computed(left), _computed(right)
            if isinstance(one, str) and isinstance(other, str):
                return one + other
            return _number(one) + _number(other)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
            one, other = _number(_computed(left)), _number(_computed(right))
            if isinstance(op, ast.Pow) and abs(other) > _HIGHEST:
                raise _Unreadable
            return _OPERATORS[type(op)](one, other)
    raise _Unreadable


def _number(value: Any) -> Any:
    if isinstance(value, int | float) and abs(value) <= _LARGEST:
        return value
    raise _Unreadable
