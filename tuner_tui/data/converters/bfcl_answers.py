"""The calls in BFCL's answers: alternatives of which one is chosen, or the text of a Python call."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.data.converters.calls import make_call
from tuner_tui.data.converters.errors import kind_of, malformed, unparseable
from tuner_tui.data.examples import ToolCall
from tuner_tui.data.literals.safe_ast import parse_expression
from tuner_tui.data.literals.values import literal_value

_OPEN = object()  # an argument that is left out


def chosen(answer: Mapping[str, Any], field: str, tools: Sequence[Mapping[str, Any]]) -> ToolCall:
    """The call `{name: {argument: [alternative, ...]}}` with the first alternative of each.

    Raises:
        ConversionError: the arguments are no object.
    """
    [(name, alternatives)] = answer.items()
    if not isinstance(alternatives, Mapping):
        raise malformed(f"{field}.{name}", f"{kind_of(alternatives)} where arguments should be")
    required = _parameters(name, tools).get("required")
    needed = required if isinstance(required, list) else []
    arguments = {key: _first(values, key in needed) for key, values in alternatives.items()}
    return make_call(name, {key: value for key, value in arguments.items() if value is not _OPEN})


def _first(alternatives: Any, needed: bool) -> Any:
    if not isinstance(alternatives, list):
        return alternatives
    given = next((value for value in alternatives if value != ""), _OPEN)
    if given is _OPEN:
        return "" if needed and alternatives else _OPEN
    if given is None and "" in alternatives:  # as good left out, and the schema seldom allows null
        return _OPEN
    return _inside(given)


def _inside(value: Any) -> Any:
    """An object's values are alternatives too, also of an object in a list; deeper they are not."""
    if isinstance(value, dict):
        inner = {key: _first(values, False) for key, values in value.items()}
        return {key: one for key, one in inner.items() if one is not _OPEN}
    if isinstance(value, list):
        return [_inside(one) if isinstance(one, dict) else one for one in value]
    return value


def called(text: str, field: str, tools: Sequence[Mapping[str, Any]]) -> ToolCall:
    """The call that a text such as `sort('a.txt', reverse=True)` is.

    Arguments without a name get those of the tool's parameters, in their order.

    Raises:
        ConversionError: it is no Python call, or an argument is no literal.
    """
    try:
        tree = parse_expression(text)
        if not isinstance(tree, ast.Call):
            raise ValueError("it is no call")
        name = ast.unparse(tree.func)
        declared = _parameters(name, tools).get("properties", {})
        if len(tree.args) > len(declared):
            raise ValueError("it has more arguments without a name than the tool has parameters")
        arguments = dict(zip(declared, map(literal_value, tree.args), strict=False))
        for keyword in tree.keywords:
            if keyword.arg is None:
                raise ValueError("arguments by ** are not written out")
            arguments[keyword.arg] = literal_value(keyword.value)
    except ValueError as error:
        raise unparseable(field, f'"{text[:80]}" cannot be read as a call: {error}') from None
    return make_call(name, arguments)


def _parameters(name: str, tools: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    for tool in tools:
        if tool.get("name") == name and isinstance(parameters := tool.get("parameters"), Mapping):
            return parameters
    return {}
