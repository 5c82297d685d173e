"""Messages, calls and tools in any of their spellings, brought into the canonical one."""

from collections.abc import Mapping
from typing import Any

import orjson

from tuner_tui.data.converters.errors import ConversionError, json_reason, kind_of, malformed, unparseable
from tuner_tui.data.examples import Message, ToolCall
from tuner_tui.data.literals.values import read_value

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
# Roles of which the text *is* the call.
_CALL_ROLES = ("function_call", "tool_call")
_REASONING = ("reasoning_content", "reasoning", "thinking")


def to_messages(value: Any, field: str) -> list[Message]:
    """A list of messages, or the JSON text of one.

    Raises:
        ConversionError: it is no list, is empty, or one of the messages is malformed.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):  # as in CSV
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise malformed(field, json_reason(error)) from None
    if not isinstance(value, list):
        raise malformed(field, f"{kind_of(value)} where a list of messages should be")
    if not value:
        raise malformed(field, "there are no messages")
    return [to_message(message, f"{field}[{index}]") for index, message in enumerate(value)]


def to_turns(value: Any, field: str, role: str) -> list[Message]:
    """Messages, one message, or plain text (then of the given role).

    Raises:
        ConversionError: as `to_messages`.
    """
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if isinstance(value, dict):
        return [to_message(value, field)]
    return to_messages(value, field)


def text_of(value: Any, field: str) -> str:
    """The value, which has to be text.

    Raises:
        ConversionError: it is something else.
    """
    if not isinstance(value, str):
        raise malformed(field, f"{kind_of(value)} where text should be")
    return value


def to_message(value: Any, field: str) -> Message:
    """One message, from `role` and `content` or from `from` and `value`.

    An assistant's message that is marked as not trained (`weight: 0`, `loss: false`, `train: false`)
    keeps that as `weight: 0`.

    Raises:
        ConversionError: the role is missing or unknown, or the content or a call has no known form.
    """
    if not isinstance(value, dict):
        raise malformed(field, f"{kind_of(value)} where a message should be")
    role, speaker = _role(value, field)
    key = "content" if "content" in value or "value" not in value else "value"
    place = f"{field}.{key}"
    is_call = speaker in _CALL_ROLES
    message: Message = {"role": role, "content": ""} if is_call else _spoken(value.get(key), role, place)
    called = calls_in_text(value.get(key), place) if is_call else message.get("tool_calls", [])
    if calls := [*called, *_calls(value, field)]:
        message["tool_calls"] = calls
    if isinstance(name := value.get("name"), str):
        message["name"] = name
    if isinstance(identity := value.get("tool_call_id"), str):
        message["tool_call_id"] = identity
    if role == "assistant":
        _add_assistants_own(message, value, field)
    return message


def _role(value: Mapping[str, Any], field: str) -> tuple[str, str]:
    """The canonical role, and the file's word for it."""
    speaker = value.get("role", value.get("from"))
    if speaker is None:
        raise malformed(field, "there is no role; known are system, user, assistant and tool")
    role = _ROLES.get(speaker.lower()) if isinstance(speaker, str) else None
    if role is None:
        named = f'the role "{str(speaker)[:40]}" is not known'
        raise malformed(field, f"{named}; known are system, user, assistant and tool")
    return role, str(speaker).lower()


def _add_assistants_own(message: Message, value: Mapping[str, Any], field: str) -> None:
    for name in _REASONING:
        if isinstance(thought := value.get(name), str) and thought:
            message["reasoning_content"] = thought
            break
    refusal = value.get("refusal")
    if isinstance(refusal, str) and not message["content"]:
        message["content"] = refusal
    weight = value.get("weight")
    if weight not in (None, 0, 1):
        raise malformed(f"{field}.weight", f"the weight is {str(weight)[:40]}; known are 0 and 1")
    if weight == 0 or value.get("train") is False or value.get("loss") is False:
        message["weight"] = 0


def _spoken(value: Any, role: str, field: str) -> Message:
    """The content of a message, whether text or a list of typed parts."""
    if isinstance(value, str):
        return {"role": role, "content": value}
    if value is None:
        return {"role": role, "content": ""}
    if isinstance(value, list) and all(isinstance(part, dict) and "type" in part for part in value):
        return _from_parts(value, role, field)
    if role == "tool":
        return {"role": role, "content": orjson.dumps(value).decode()}
    raise malformed(field, f"{kind_of(value)} where text should be")


def _from_parts(parts: list[Mapping[str, Any]], role: str, field: str) -> Message:
    """Typed parts: `{"type": "text", "text": …}` (OpenAI), or with the text in `value`."""
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolCall] = []
    for index, part in enumerate(parts):
        kind, place = part["type"], f"{field}[{index}]"
        value = next((part[key] for key in ("value", "text", "content", kind) if key in part), None)
        if kind == "tool_call" and role == "assistant":
            calls.extend(calls_in_text(value, f"{place}.value"))
        elif kind in ("reasoning", "thinking") and role == "assistant" and isinstance(value, str):
            thoughts.append(value)
        elif kind in ("text", "input_text", "output_text", "refusal") and isinstance(value, str):
            texts.append(value)
        elif role == "tool":
            return {"role": role, "content": orjson.dumps(parts).decode()}
        else:
            raise malformed(place, f'a part of the type "{str(kind)[:40]}", which is not text')
    message: Message = {"role": role, "content": "".join(texts)}
    if calls:
        message["tool_calls"] = calls
    if thoughts:
        message["reasoning_content"] = "\n".join(thoughts)
    return message


def _calls(message: Mapping[str, Any], field: str) -> list[ToolCall]:
    calls = message.get("tool_calls")
    if isinstance(calls, str):  # as in columns of a table
        return calls_in_text(calls, f"{field}.tool_calls") if calls.strip() else []
    if calls is not None:
        if not isinstance(calls, list):
            raise malformed(f"{field}.tool_calls", f"{kind_of(calls)} where a list should be")
        return [to_call(call, f"{field}.tool_calls[{index}]") for index, call in enumerate(calls)]
    legacy = message.get("function_call")
    return [to_call(legacy, f"{field}.function_call")] if legacy is not None else []


def calls_in_text(value: Any, field: str) -> list[ToolCall]:
    """The calls of a turn whose text is a call, or a list of them, in JSON.

    Raises:
        ConversionError: it is not JSON, or not a call.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise unparseable(field, f"the call is {json_reason(error)}") from None
    return [to_call(call, field) for call in (value if isinstance(value, list) else [value])]


def calls_in_literal(text: str, field: str) -> list[ToolCall]:
    """The calls of a text that is a call, or a list of them, in JSON or as a Python literal.

    Raises:
        ConversionError: it is neither, or not a call.
    """
    try:
        value = read_value(text)
    except ValueError as error:
        raise unparseable(field, f"the call is neither JSON nor a Python literal ({error})") from None
    return [to_call(call, field) for call in (value if isinstance(value, list) else [value])]


def to_call(value: Any, field: str) -> ToolCall:
    """A call: `{"id", "type", "function": {"name", "arguments"}}`, or the inner object alone.

    Raises:
        ConversionError: it names no tool, or its arguments are no object.
    """
    if not isinstance(value, dict):
        raise malformed(field, f"{kind_of(value)} where a call should be")
    function, inside = value.get("function"), f"{field}.function"
    if not isinstance(function, dict):
        function, inside = value, field
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise malformed(f"{inside}.name", "the call names no tool")
    # Llama 3.1 says `parameters` where all others say `arguments`.
    key = "parameters" if "arguments" not in function and "parameters" in function else "arguments"
    return make_call(name, to_arguments(function.get(key), f"{inside}.{key}"), value.get("id"))


def make_call(name: str, arguments: dict[str, Any], identity: object = None) -> ToolCall:
    """A canonical call; an `identity` that is no text, or empty, is left out."""
    call: ToolCall = {"type": "function", "function": {"name": name, "arguments": arguments}}
    if isinstance(identity, str) and identity:
        call["id"] = identity
    return call


def to_arguments(value: Any, field: str) -> dict[str, Any]:
    """The arguments of a call as an object; JSON text is parsed, null and "" are no arguments.

    Raises:
        ConversionError: it is neither an object nor the JSON text of one.
    """
    if isinstance(value, str) and value.strip():
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise unparseable(field, json_reason(error)) from None
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    if not isinstance(value, dict):
        raise unparseable(field, f"{kind_of(value)} where an object should be")
    return value


def to_tools(value: Any, field: str) -> list[dict[str, Any]]:
    """The tools of a row, from a list or from JSON text; each as it stands there, an object.
    `normalise.normalise_tools` brings them to their canonical form.

    Raises:
        ConversionError: it is neither, or a tool is no object.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value) if value.strip() else []
        except orjson.JSONDecodeError as error:
            raise ConversionError("tools_not_list", field, json_reason(error)) from None
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConversionError("tools_not_list", field, f"{kind_of(value)} where a list should be")
    return [_tool(tool, f"{field}[{index}]") for index, tool in enumerate(value)]


def _tool(value: Any, field: str) -> dict[str, Any]:
    if isinstance(value, str) and value.lstrip().startswith("{"):  # as in columns of a table
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ConversionError("invalid_tool", field, json_reason(error)) from None
    if not isinstance(value, dict):
        raise ConversionError("invalid_tool", field, f"{kind_of(value)} where a tool should be")
    return value


def tools_of(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools of a row: its `tools`, or the older `functions`.

    Raises:
        ConversionError: as `to_tools`.
    """
    name = "functions" if value.get("tools") is None and "functions" in value else "tools"
    return to_tools(value.get(name), name)
