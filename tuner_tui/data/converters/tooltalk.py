"""ToolTalk: a conversation whose assistant turns list the APIs that they used, with request and response.

    {"conversation": [{"role", "text", "apis": [
        {"request": {"api_name", "parameters"}, "response", "exception"}]}],
     "apis_used": [name], "user": {…}, "metadata": {"location", "timestamp", …}}

A turn's calls come one after the other before its text, each with its result, as the benchmark replays
them. The files name their APIs and declare none, so the tools have names only, and arguments cannot be
checked. `metadata` is what the assistant is told (the session token among it, which the calls hold): it
becomes the system message.

Source: https://github.com/microsoft/ToolTalk, data/easy and data/tooltalk.
"""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.calls import make_call, to_arguments
from tuner_tui.data.converters.errors import kind_of, malformed, require
from tuner_tui.data.converters.results import result_text
from tuner_tui.data.examples import Example, Message


def from_tooltalk(value: Mapping[str, Any]) -> Example:
    """One conversation.

    Raises:
        ConversionError: a turn or a call is malformed.
    """
    turns = require(value, "conversation")
    if not isinstance(turns, list) or not turns:
        raise malformed("conversation", "there is no list of turns")
    messages = _told(value.get("metadata"))
    for index, turn in enumerate(turns):
        messages.extend(_turn(turn, f"conversation[{index}]"))
    used = value.get("apis_used")
    names = dict.fromkeys(name for name in used if isinstance(name, str)) if isinstance(used, list) else {}
    return {"messages": messages, "tools": [{"name": name} for name in names]}


def _told(metadata: Any) -> list[Message]:
    if not isinstance(metadata, Mapping) or not metadata:
        return []
    return [{"role": "system", "content": "\n".join(f"{key}: {one}" for key, one in metadata.items())}]


def _turn(turn: Any, field: str) -> list[Message]:
    if not isinstance(turn, Mapping):
        raise malformed(field, f"{kind_of(turn)} where a turn should be")
    role, text = turn.get("role"), turn.get("text")
    if role not in ("user", "assistant"):
        raise malformed(f"{field}.role", "the role is neither user nor assistant")
    if not isinstance(text, str):
        raise malformed(f"{field}.text", f"{kind_of(text)} where text should be")
    messages: list[Message] = []
    used = turn.get("apis") or []
    if not isinstance(used, list):
        raise malformed(f"{field}.apis", f"{kind_of(used)} where a list should be")
    for index, api in enumerate(used):
        messages.extend(_call(api, f"{field}.apis[{index}]"))
    return [*messages, {"role": role, "content": text}]


def _call(api: Any, field: str) -> list[Message]:
    request = api.get("request") if isinstance(api, Mapping) else None
    if not isinstance(request, Mapping):
        raise malformed(f"{field}.request", f"{kind_of(request)} where a request should be")
    name = request.get("api_name")
    if not isinstance(name, str) or not name:
        raise malformed(f"{field}.request.api_name", "the call names no tool")
    call = make_call(name, to_arguments(request.get("parameters"), f"{field}.request.parameters"))
    result = result_text(api.get("response"), api.get("exception"))
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": result, "name": name},
    ]
