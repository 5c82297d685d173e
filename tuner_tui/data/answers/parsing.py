"""The text of an answer -> its tool calls. Never runs, and never trusts, what a model wrote.

The strict form is the convention of Hermes, Qwen 2.5 and 3, and the embedded model
(https://github.com/NousResearch/Hermes-Function-Calling): one block for each call,

    <tool_call>
    {"name": "find_flight", "arguments": {"to": "Oslo"}}
    </tool_call>

What comes near to it is parsed too, as many programs would, but is marked as not strict: an open
or fenced block, single quotes, "parameters" for "arguments", arguments as JSON text.
"""

import ast
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tuner_tui.data.examples import Call

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_FENCE = re.compile(r"```[A-Za-z]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_LITERAL_LIMIT = 20_000
"""Characters up to which Python literals are tried: their parser is slow on megabytes."""

_DEPTH_LIMIT = 64
"""Levels of nesting: far more than any tool takes, far fewer than what breaks a recursive "
"reader."""


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """An answer, taken apart.

    `strict` is true when every call is in the model's own format to the letter (and when there is
    neither a call nor an attempt at one). `error` says in a few words what could not be parsed of
    an attempt; `calls` then holds what could.
    """

    content: str
    calls: list[Call] = field(default_factory=list)
    strict: bool = True
    error: str | None = None

    @property
    def attempted(self) -> bool:
        """Whether the answer calls a tool, or tries to."""
        return bool(self.calls) or self.error is not None


def parse_answer(text: str) -> ParsedAnswer:
    """Parse an answer in the strict form or near to it. Raises nothing, whatever the text."""
    if _OPEN in text or _CLOSE in text:
        return _parse_tagged(text)
    return _parse_bare(text)


def _parse_tagged(text: str) -> ParsedAnswer:
    before, *blocks = text.split(_OPEN)
    content = [before]
    calls: list[Call] = []
    strict, error = _CLOSE not in before, None
    if not blocks:
        return ParsedAnswer(text.strip(), [], False, "a closing tag without a call")
    for block in blocks:
        body, closed, after = block.partition(_CLOSE)
        content.append(after)
        strict = strict and bool(closed) and _CLOSE not in after
        call = _strict_call(body)
        if call is None:
            strict = False
            found = _near_calls(body)
            if not found:
                error = error or ("a call that is cut off" if not closed else "a call that is no JSON")
            calls += found
        else:
            calls.append(call)
    return ParsedAnswer("".join(content).strip(), calls, strict and error is None, error)


def _parse_bare(text: str) -> ParsedAnswer:
    """An answer without tags: a call only if the answer, or a fenced block of it, is one as a "
    "whole."""
    bodies = [text, *(match.group(1) for match in _FENCE.finditer(text))]
    for body in bodies:
        calls = _near_calls(body)
        if calls:
            content = "" if body is text else _FENCE.sub("", text).strip()
            return ParsedAnswer(content, calls, False, None)
    if re.match(r'\s*[\[{]\s*\{?\s*["\']name["\']\s*:', text):
        return ParsedAnswer(text.strip(), [], False, "a call that is no JSON")
    return ParsedAnswer(text.strip())


def _strict_call(body: str) -> Call | None:
    value = _load_json(body)
    if (
        isinstance(value, dict)
        and value.keys() == {"name", "arguments"}
        and isinstance(value["name"], str)
        and isinstance(value["arguments"], dict)
    ):
        return Call(value["name"], value["arguments"])
    return None


def _near_calls(body: str) -> list[Call]:
    """The calls in JSON or a Python literal: one, or a list of them; [] when it is anything "
    "else."""
    body = body.strip()
    if not body.startswith(("{", "[")):
        return []
    value = _load_json(body)
    if value is None:
        value = _load_literal(body)
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
        arguments = _load_json(arguments)
    if not isinstance(arguments, dict) or not all(isinstance(key, str) for key in arguments):
        return None
    return Call(value["name"], arguments)


def _load_json(text: str) -> Any:
    """The value, or None for anything that is not standard JSON which can be written again."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_whole_number, parse_float=_finite_number)
        json.dumps(value, ensure_ascii=False).encode()  # lone surrogates cannot be written
    except (ValueError, RecursionError):
        return None
    return value if _depth(value) <= _DEPTH_LIMIT else None


def _load_literal(text: str) -> Any:
    """The value of a Python literal made of what JSON knows, or None."""
    if len(text) > _LITERAL_LIMIT:
        return None
    try:
        # literal_eval builds constants and containers only; nothing in the text is executed.
        return _load_json(json.dumps(ast.literal_eval(text), allow_nan=False))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
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
