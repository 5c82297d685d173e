"""Messages, calls and tools in any of their spellings, brought into the canonical one."""

from collections.abc import Mapping
from typing import Any, Literal

import orjson

from tuner_tui.data.examples import Message, ToolCall
from tuner_tui.errors import UserError

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
    "ipython": "tool",
}
_EXTRAS: tuple[Literal["name", "tool_call_id", "reasoning_content"], ...] = (
    "name",
    "tool_call_id",
    "reasoning_content",
)
# Roles of which the text *is* the call.
_CALL_ROLES = ("function_call", "tool_call")


class ConversionError(UserError):
    """A row that cannot be converted: the id of the rule that it breaks, the field, a sentence."""

    def __init__(self, rule: str, field: str | None, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.field = field


def to_messages(value: Any, field: str) -> list[Message]:
    """A list of messages.

    Raises:
        ConversionError: it is no list, is empty, or one of the messages is malformed.
    """
    if not isinstance(value, list):
        raise _malformed(field, f"{_kind(value)} where a list of messages should be")
    if not value:
        raise _malformed(field, "there are no messages")
    return [to_message(message, f"{field}[{index}]") for index, message in enumerate(value)]


def to_message(value: Any, field: str) -> Message:
    """One message, from `role` and `content` or from `from` and `value`.

    Raises:
        ConversionError: the role is missing or unknown, or the content or a call has no known form.
    """
    if not isinstance(value, Mapping):
        raise _malformed(field, f"{_kind(value)} where a message should be")
    speaker = value.get("role", value.get("from"))
    role = _ROLES.get(speaker) if isinstance(speaker, str) else None
    if role is None:
        named = f'the role "{str(speaker)[:40]}" is not known' if speaker is not None else "there is no role"
        raise _malformed(field, f"{named}; known are system, user, assistant and tool")
    key = "content" if "content" in value or "value" not in value else "value"
    if speaker in _CALL_ROLES:
        calls = _calls_in_text(value.get(key), f"{field}.{key}")
        return {"role": role, "content": "", "tool_calls": calls}
    message: Message = {"role": role, "content": _text(value.get(key), role, f"{field}.{key}")}
    if calls := _calls(value, field):
        message["tool_calls"] = calls
    for extra in _EXTRAS:
        if isinstance(text := value.get(extra), str):
            message[extra] = text
    if value.get("weight") == 0 and role == "assistant":
        message["weight"] = 0
    return message


def to_tools(value: Any, field: str) -> list[dict[str, Any]]:
    """Tools as `{"type": "function", "function": {...}}`, from a list or from JSON text; bare
    function schemas are wrapped.

    Raises:
        ConversionError: it is neither, or a tool is no object.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value) if value.strip() else []
        except orjson.JSONDecodeError as error:
            raise ConversionError(
                "tools_not_list", field, f"not JSON: {error.msg}, character {error.pos + 1}"
            ) from None
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConversionError("tools_not_list", field, f"{_kind(value)} where a list should be")
    return [_tool(tool, f"{field}[{index}]") for index, tool in enumerate(value)]


def merge_turns(messages: list[Message]) -> list[Message]:
    """ShareGPT turns with what belongs together made one.

    Text followed by a call, and calls one after the other, are one assistant message; one
    observation that is a list of as many results as there were calls, is that many results.
    """
    merged: list[Message] = []
    for message in messages:
        last = merged[-1] if merged else None
        if last and last["role"] == message["role"] == "assistant" and message.get("tool_calls"):
            last["tool_calls"] = [*last.get("tool_calls", ()), *message["tool_calls"]]
            last["content"] = "\n".join(filter(None, (last["content"], message["content"])))
        elif last and message["role"] == "tool" and len(last.get("tool_calls", ())) > 1:
            merged.extend(_split_results(message, len(last["tool_calls"])))
        else:
            merged.append(message)
    return merged


def name_results(messages: list[Message]) -> list[Message]:
    """Give every tool message the name of the tool that it answers, where the call tells it: chat
    templates read the name, and some layouts have only an id or the order."""
    waiting: list[ToolCall] = []
    for message in messages:
        if message["role"] != "tool":
            waiting = list(message.get("tool_calls", ()))
        elif waiting and "name" not in message:
            wanted = message.get("tool_call_id")
            same = [call for call in waiting if call.get("id") == wanted] if wanted else waiting
            if same:
                answered = same[0]
                waiting.remove(answered)
                message["name"] = answered["function"]["name"]
    return messages


def _text(value: Any, role: str, field: str) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and all(_is_text_part(part) for part in value):
        return "".join(part["text"] for part in value)
    if role == "tool":
        return orjson.dumps(value).decode()
    raise _malformed(field, f"{_kind(value)} where text should be")


def _is_text_part(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _calls(message: Mapping[str, Any], field: str) -> list[ToolCall]:
    calls = message.get("tool_calls")
    if calls is not None:
        if not isinstance(calls, list):
            raise _malformed(f"{field}.tool_calls", f"{_kind(calls)} where a list should be")
        return [_call(call, f"{field}.tool_calls[{index}]") for index, call in enumerate(calls)]
    legacy = message.get("function_call")
    return [_call(legacy, f"{field}.function_call")] if legacy is not None else []


def _calls_in_text(value: Any, field: str) -> list[ToolCall]:
    """The calls of a turn whose text is a call, or a list of them, in JSON."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            reason = f"the call is not JSON: {error.msg}, character {error.pos + 1}"
            raise ConversionError("unparseable_arguments", field, reason) from None
    return [_call(call, field) for call in (value if isinstance(value, list) else [value])]


def _call(value: Any, field: str) -> ToolCall:
    if not isinstance(value, Mapping):
        raise _malformed(field, f"{_kind(value)} where a call should be")
    function, inside = value.get("function"), f"{field}.function"
    if not isinstance(function, Mapping):
        function, inside = value, field
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise _malformed(f"{inside}.name", "the call names no tool")
    call: ToolCall = {
        "type": "function",
        "function": {
            "name": name,
            "arguments": _arguments(function.get("arguments"), f"{inside}.arguments"),
        },
    }
    if isinstance(identity := value.get("id"), str):
        call["id"] = identity
    return call


def _arguments(value: Any, field: str) -> dict[str, Any]:
    if isinstance(value, str) and value.strip():
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ConversionError(
                "unparseable_arguments", field, f"not JSON: {error.msg}, character {error.pos + 1}"
            ) from None
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        reason = f"{_kind(value)} where an object should be"
        raise ConversionError("unparseable_arguments", field, reason)
    return value


def _tool(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConversionError("invalid_tool", field, f"{_kind(value)} where a tool should be")
    function = value.get("function")
    bare = function if isinstance(function, Mapping) else value
    return {"type": "function", "function": dict(bare)}


def _split_results(message: Message, count: int) -> list[Message]:
    try:
        results = orjson.loads(message["content"])
    except orjson.JSONDecodeError:
        return [message]
    if not isinstance(results, list) or len(results) != count:
        return [message]
    return [
        {"role": "tool", "content": result if isinstance(result, str) else _dumps(result)}
        for result in results
    ]


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _malformed(field: str, reason: str) -> ConversionError:
    return ConversionError("bad_message", field, reason)


_KINDS: dict[type, str] = {
    list: "a list",
    dict: "an object",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), type(value).__name__)
