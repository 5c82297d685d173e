"""How models of other families write calls, beside the tags of `parsing`.

- Llama 3.1 (https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1): the whole answer is
  `{"name": "f", "parameters": {"a": 1}}`, perhaps after `<|python_tag|>`; several are parted by `;`.
- Mistral (https://docs.mistral.ai/capabilities/function_calling, mistral-common): `[TOOL_CALLS]` and then a
  list of `{"name", "arguments"}`; from tokenizer version 11 on `[TOOL_CALLS]f[ARGS]{"a": 1}` for each call.
- A Python list of calls, `[f(a=1), g()]`: Llama 3.2 and 4, xLAM, and BFCL's format for models without one
  (bfcl_eval/constants/default_prompts.py).
"""

import ast
import json
import re
from enum import Enum
from typing import Any

from tuner_tui.data.answers.reading import load_json, near_calls, parse_python, strict_call
from tuner_tui.data.examples import Call


class Form(Enum):
    """How a model writes calls."""

    TAGGED = "<tool_call> tags"
    LLAMA = "JSON with parameters"
    MISTRAL = "[TOOL_CALLS]"
    PYTHON = "a Python list of calls"


MISTRAL_MARK, _ARGUMENTS_MARK, _ID_MARK = "[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"
PYTHON_TAG = "<|python_tag|>"
_PYTHON_START = re.compile(r"\s*\[\s*[A-Za-z_][\w.]*\s*\(")
_BARE_CALL = re.compile(r"\s*[A-Za-z_][\w.]*\s*\(")
_NAME = re.compile(r"[\w.\-]{1,200}")
_CONSTANTS = {"true": True, "false": False, "null": None}
_MOST_CALLS = 256


def llama_calls(text: str) -> tuple[list[Call], bool]:
    """The calls of an answer, and whether they are to the letter; [] when it is none as a whole."""
    body = text.strip().removeprefix(PYTHON_TAG).strip()
    call = strict_call(load_json(body), "parameters")
    if call:
        return [call], True
    if ";" in body and body.startswith("{"):
        calls = [strict_call(value, "parameters") for value in _parted(body)]
        if calls and all(calls):
            return [each for each in calls if each], True
    return near_calls(body), False


def mistral_calls(text: str) -> tuple[list[Call], bool] | None:
    """The calls after `[TOOL_CALLS]`, and whether they are to the letter; None when they cannot be read."""
    before, *parts = text.split(MISTRAL_MARK, _MOST_CALLS)
    if len(parts) == 1 and not _NAME.match(parts[0].strip()):
        value = load_json(parts[0])
        if isinstance(value, list) and value:
            strict = [strict_call(_without_id(each)) for each in value]
            if all(strict):
                return [each for each in strict if each], not before.strip()
        found = near_calls(parts[0])
        return (found, False) if found else None
    calls = []
    for part in parts:
        name = _NAME.match(part.strip())
        rest = part.strip()[name.end() :] if name else ""
        if rest.startswith(_ID_MARK):
            rest = rest[rest.find(_ARGUMENTS_MARK) :] if _ARGUMENTS_MARK in rest else ""
        arguments = load_json(rest.removeprefix(_ARGUMENTS_MARK))
        if name is None or not isinstance(arguments, dict):
            return None
        calls.append(Call(name.group(), arguments))
    return calls, True


def looks_like_python(text: str, bare: bool) -> bool:
    """Whether an answer begins like a list of calls, or, if `bare`, like one call."""
    return bool(_PYTHON_START.match(text) or (bare and _BARE_CALL.match(text)))


def python_calls(text: str) -> tuple[list[Call], bool] | None:
    """The calls of `[f(a=1), g()]`, and whether they are to the letter; None when it is anything else.

    As BFCL reads it, fences and a missing bracket are mended. Arguments have to be literals with a name:
    nothing is looked up, computed or run.
    """
    body = text.strip()
    mended = body.strip("`\n ").removeprefix("python\n").strip()
    mended = mended if mended.startswith("[") else "[" + mended
    mended = mended if mended.endswith("]") else mended + "]"
    tree = parse_python(mended)
    if not isinstance(tree, ast.List) or not tree.elts:
        return None
    calls = [_python_call(each) for each in tree.elts]
    return ([each for each in calls if each], mended == body) if all(calls) else None


def _python_call(node: ast.expr) -> Call | None:
    if not isinstance(node, ast.Call) or node.args or any(each.arg is None for each in node.keywords):
        return None
    name = _dotted(node.func)
    try:
        found = {str(each.arg): _literal(each.value) for each in node.keywords}
        arguments = load_json(json.dumps(found, allow_nan=False))
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    return Call(name, arguments) if name and isinstance(arguments, dict) else None


def _literal(node: ast.expr) -> Any:
    """A literal, with JSON's constants beside Python's. Raises ValueError for anything else."""
    for each in ast.walk(node):
        for field, value in ast.iter_fields(each):
            if isinstance(value, ast.Name) and value.id in _CONSTANTS:
                setattr(each, field, ast.Constant(_CONSTANTS[value.id]))
            elif isinstance(value, list):
                value[:] = [
                    ast.Constant(_CONSTANTS[one.id])
                    if isinstance(one, ast.Name) and one.id in _CONSTANTS
                    else one
                    for one in value
                ]
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    return ast.literal_eval(node)


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _parted(body: str) -> list[Any]:
    """The JSON values between `;`; [] when there is anything else."""
    values: list[Any] = []
    decoder, place = json.JSONDecoder(), 0
    try:
        while place < len(body) and len(values) < _MOST_CALLS:
            _, end = decoder.raw_decode(body, place)
            values.append(load_json(body[place:end]))
            rest = body[end:].lstrip()
            if rest and not rest.startswith(";"):
                return []
            place = len(body) - len(rest.removeprefix(";").lstrip())
    except (ValueError, RecursionError):
        return []
    return values if place >= len(body) else []


def _without_id(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("id"), str):
        return {key: each for key, each in value.items() if key != "id"}
    return value
