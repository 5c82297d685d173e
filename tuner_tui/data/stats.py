"""What kind of lesson an example is, by rules that are written down in `KIND_RULES`.

The unit is the request: what lies between two user messages. Several calls in one assistant turn (parallel
calls) are one step. A dialogue of two requests with one call each is no multi-step trace: nothing in it
teaches to call again with what the first call brought.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson

from tuner_tui.data.examples import Example, conversation

KIND_RULES = {
    "function_call": "The assistant calls in one turn of a request, one tool or several at once; it may "
    "do so in several requests of the dialogue.",
    "multi_step": "Within one request, before the user speaks again, the assistant calls in two or more "
    "turns.",
    "error_recovery": "Within one request, a call comes after the result of an earlier call that reports "
    "an error.",
    "negative": "Tools are offered, and none is called.",
    "other": "No tools are offered, and none is called: general conversation.",
}
"""Each kind with the rule by which it is told. Of several that hold, error_recovery goes before multi_step,
and that before function_call. Of a preference pair the chosen answer counts, of unpaired preference the
completion, whatever its label. Turns that are not trained count, too: the lesson follows from them."""

KINDS = tuple(KIND_RULES)

_HTTP_ERRORS = "|".join(f"{one.value} {re.escape(one.phrase)}" for one in HTTPStatus if one >= 400)
_ERROR_TEXT = re.compile(
    r"\s*(?:"
    r"(?:error|exception|traceback|failed|failure|invalid|unauthorized|forbidden)\b(?!-)"
    r"|(?:unable|failed) to\b|(?:could not|cannot|can't|couldn't|not found)\b"
    r"|(?:access|permission) denied\b"
    r"|[a-z_][\w.]{0,60}(?:error|exception)\s*:"
    rf"|(?:http )?(?:{_HTTP_ERRORS})\b)",
    re.IGNORECASE,
)
_ERROR_KEYS = ("error", "errors", "exception", "isError", "is_error")
_SUCCESS_KEYS = ("success", "ok")
_STATUS_KEYS = ("status", "status_code", "statusCode")
_WRAPPERS = ("content", "response", "result", "output", "data")
TELLING_KEYS = frozenset((*_ERROR_KEYS, *_SUCCESS_KEYS, *_STATUS_KEYS, *_WRAPPERS))
"""An object that has none of these keys reports no error."""
_NOTHING = frozenset(("", "none", "null", "no error", "no errors", "false", "0"))
_BAD_STATUS = re.compile(r"\s*(?:error|failed|failure|fail)\b", re.IGNORECASE)


def kind(example: Example) -> str:
    """One of KINDS, by KIND_RULES."""
    messages = conversation(example)
    turns = ((message["role"], bool(message.get("tool_calls"))) for message in messages)
    usual, telling = usual_kind(bool(example["tools"]), turns)
    return "error_recovery" if any(reports_error(messages[at]["content"]) for at in telling) else usual


def usual_kind(offers_tools: bool, turns: Iterable[tuple[str, bool]]) -> tuple[str, Sequence[int]]:
    """The kind of a conversation, given as role and whether the message calls, none of whose results reports
    an error; and the indexes of those results any of which makes it error_recovery if it does."""
    calls = several = False
    called = False  # in this request
    results: list[int] = []  # of this request, since its last call
    telling: list[int] = []
    for index, (role, calling) in enumerate(turns):
        if role == "user":
            called = False
            results.clear()
        elif role == "tool":
            results.append(index)
        elif calling:
            if called:
                telling += results
            several |= called
            calls = called = True
            results.clear()
    if calls:
        return "multi_step" if several else "function_call", telling
    return "negative" if offers_tools else "other", telling


def reports_error(result: str) -> bool:
    """Whether the text of a tool result reports a failure.

    As text: it begins so ("Error: ...", "ValueError: ...", "Could not ...", "404 Not Found"). As a JSON
    object: `error`, `errors`, `exception` or `isError` (MCP) says something, `success` or `ok` is false, or
    `status` is such as "error" or 404; where the object itself says nothing of this kind, what it wraps as
    `content`, `response`, `result`, `output` or `data` is looked at, one level deep.
    """
    if not result.lstrip().startswith("{"):
        return _ERROR_TEXT.match(result) is not None
    try:
        value = orjson.loads(result)
    except orjson.JSONDecodeError:
        return False
    if TELLING_KEYS.isdisjoint(value):
        return False
    return _object_reports_error(value) or any(_wrapped_error(value.get(key)) for key in _WRAPPERS)


def _wrapped_error(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _object_reports_error(value)
    return isinstance(value, str) and _ERROR_TEXT.match(value) is not None


def _object_reports_error(value: Mapping[str, Any]) -> bool:
    if any(_says_something(value.get(key)) for key in _ERROR_KEYS):
        return True
    if any(value.get(key) is False for key in _SUCCESS_KEYS):
        return True
    return any(_bad_status(value.get(key)) for key in _STATUS_KEYS)


def _says_something(value: Any) -> bool:
    return value.strip().lower() not in _NOTHING if isinstance(value, str) else bool(value)


def _bad_status(value: Any) -> bool:
    if isinstance(value, str):
        return _BAD_STATUS.match(value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600
