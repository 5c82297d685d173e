"""API-Bank's declarations of its APIs, as tools: from the classes in `apis/*.py`, or from `all_apis.csv`.

A class has `description` and `input_parameters = {name: {"type", "description"}}`; the program is read as
text, and never run. The table has the same in its columns `类名` (the class), `input_parameters`, as the text
"(token: str, time: datetime)", and `api_info`, which holds both assignments as text. Types are Python's
words; every parameter is required.

Source: https://github.com/AlibabaResearch/DAMO-ConvAI, api-bank/apis and api-bank/data/all_apis.csv.
"""

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner_tui.data.literals.safe_ast import LONGEST


def tools_of_program(source: str) -> list[dict[str, Any]]:
    """The tools that the classes of a program declare.

    Raises:
        ValueError: it is no Python, too long, or nested too deeply.
    """
    tools: list[dict[str, Any]] = []
    for statement in _statements(source):
        if isinstance(statement, ast.ClassDef):
            assigned = dict(_assigned(statement.body))
            if isinstance(parameters := assigned.get("input_parameters"), dict):
                types = {name: _text(said, "type") for name, said in parameters.items()}
                tools.append(_tool(statement.name, types, assigned))
    return tools


def tool_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The tool that a row of the table declares.

    Raises:
        ValueError: its texts are no Python.
    """
    signature, info = str(row.get("input_parameters")).strip(), str(row.get("api_info"))
    types: dict[str, str] = {}
    if signature.startswith("("):
        for statement in _statements(f"def api{signature}: ..."):
            if isinstance(statement, ast.FunctionDef):
                types = {
                    one.arg: ast.unparse(one.annotation) if one.annotation else "any"
                    for one in statement.args.args
                }
    # Where there is no declaration, a full stop stands.
    assigned = dict(_assigned(_statements(info))) if "=" in info else {}
    return _tool(str(row.get("类名")), types, assigned)


def _statements(source: str) -> list[ast.stmt]:
    if len(source) > LONGEST:
        raise ValueError(f"longer than {LONGEST:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes such as "\d"
            return ast.parse(source).body
    except SyntaxError as error:
        raise ValueError(f"not Python: {error.msg}, line {error.lineno}") from None
    except (RecursionError, MemoryError):
        raise ValueError("nested too deeply") from None


def _assigned(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, Any]]:
    """`name = literal`; what is no literal is left out."""
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                try:
                    yield name, ast.literal_eval(value)
                except (ValueError, TypeError, RecursionError):
                    continue


def _tool(name: str, types: Mapping[str, str], assigned: Mapping[str, Any]) -> dict[str, Any]:
    known = assigned.get("input_parameters")
    properties: dict[str, dict[str, str]] = {}
    for parameter, kind in types.items():
        said = _text(known.get(parameter), "description") if isinstance(known, dict) else ""
        properties[str(parameter)] = {"type": kind} | ({"description": said} if said else {})
    return {
        "name": name,
        "description": _text(assigned, "description"),
        "parameters": {"type": "object", "properties": properties, "required": list(properties)},
    }


def _text(value: Any, key: str) -> str:
    text = value.get(key) if isinstance(value, Mapping) else None
    return text if isinstance(text, str) else ""
