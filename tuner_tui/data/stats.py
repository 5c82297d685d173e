"""What kind of lesson an example is."""

import re
from collections.abc import Sequence

import orjson

from tuner_tui.data.examples import Example, Message, conversation

KINDS = ("function_call", "multi_step", "error_recovery", "negative", "other")

_ERROR_TEXT = re.compile(r"\s*(error|exception|traceback|failed|failure)\b", re.IGNORECASE)
_BAD_STATUS = frozenset(("error", "failed", "failure", "fail"))


def kind(example: Example) -> str:
    """One of KINDS, told from the conversation (of a preference pair, with the chosen answer).

    error_recovery: a tool result reports an error, and a later assistant turn calls again.
    multi_step: calls in at least two assistant turns.
    function_call: calls in one assistant turn.
    negative: tools are offered, and none is called.
    other: no tools and no calls.
    """
    messages = conversation(example)
    calling = [index for index, message in enumerate(messages) if message.get("tool_calls")]
    if not calling:
        return "negative" if example["tools"] else "other"
    if len(calling) == 1:
        return "function_call"
    return "error_recovery" if _recovers(messages, calling) else "multi_step"


def _recovers(messages: Sequence[Message], calling: Sequence[int]) -> bool:
    return any(
        message["role"] == "tool" and index < calling[-1] and reports_error(message["content"])
        for index, message in enumerate(messages)
    )


def reports_error(result: str) -> bool:
    """Whether the text of a tool result reports a failure: as text that begins so, or as an object
    with an `error` or `exception`, `"success": false`, or a status such as "error" or 404."""
    if _ERROR_TEXT.match(result):
        return True
    if not result.lstrip().startswith("{"):
        return False
    try:
        value = orjson.loads(result)
    except orjson.JSONDecodeError:
        return False
    if any(value.get(key) for key in ("error", "errors", "exception")):
        return True
    if value.get("success") is False or value.get("ok") is False:
        return True
    status = value.get("status")
    if isinstance(status, str):
        return status.lower() in _BAD_STATUS
    return isinstance(status, int) and status >= 400
