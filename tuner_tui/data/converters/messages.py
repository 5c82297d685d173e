"""Messages in any of their spellings, brought into the canonical one."""

from collections.abc import Mapping
from typing import Any

import orjson

from tuner_tui.data.converters.calls import calls_in_text, to_call
from tuner_tui.data.converters.errors import json_reason, kind_of, malformed
from tuner_tui.data.converters.keys import (
    BESIDE_CONTENT,
    CALL_ROLES,
    CONTENT,
    IDS,
    OTHER_CONTENT,
    REASONING,
    ROLES,
    identity_of,
    unknown_keys,
)
from tuner_tui.data.examples import Message, ToolCall
from tuner_tui.data.literals.json_text import dump_json, load_json


def to_messages(value: Any, field: str) -> list[Message]:
    """A list of messages, or the JSON text of one.

    Raises:
        ConversionError: it is no list, is empty, or one of the messages is malformed.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):  # as in CSV
        try:
            value = load_json(value)
        except orjson.JSONDecodeError as error:
            raise malformed(field, json_reason(error)) from None
    if not isinstance(value, list):
        raise malformed(field, f"{kind_of(value)} where a list of messages should be")
    if not value:
        raise malformed(field, "there are no messages")
    messages: list[Message] = []
    called: set[str] = set()  # ids
    for index, item in enumerate(value):
        place = f"{field}[{index}]"
        message = to_message(item, place)
        if message["role"] == "tool":
            _take_call(messages, item, place)
            # The id of the message itself, where some dataset puts the call's.
            if (identity := identity_of(item, ("id",))) in called:
                message.setdefault("tool_call_id", identity)
        called.update(call["id"] for call in message.get("tool_calls", ()) if "id" in call)
        messages.append(message)
    return messages


def _take_call(messages: list[Message], value: Mapping[str, Any], field: str) -> None:
    """The call that ChatGLM3 writes into its result, `{"role": "tool", "name", "parameters", "observation"}`,
    as one of the assistant's turn before it.

    https://github.com/THUDM/ChatGLM3/blob/main/finetune_demo/README.md
    """
    if "observation" not in value or "parameters" not in value:
        return
    if not messages or messages[-1]["role"] != "assistant" or "tool_calls" in messages[-1]:
        messages.append({"role": "assistant", "content": ""})
    messages[-1]["tool_calls"] = [
        to_call({"name": value.get("name"), "parameters": value["parameters"]}, field)
    ]


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

    An assistant's message that is marked as not trained (`weight: 0`, `loss: false`, `train: 0` …)
    keeps that as `weight: 0`.

    Raises:
        ConversionError: the role is missing or unknown, or the content or a call has no known form.
    """
    if not isinstance(value, dict):
        raise malformed(field, f"{kind_of(value)} where a message should be")
    role, speaker = _role(value, field)
    given = [key for key in (*CONTENT, *OTHER_CONTENT) if value.get(key) is not None]
    key = given[0] if given else "content"
    place = f"{field}.{key}"
    is_call = speaker in CALL_ROLES
    message: Message = {"role": role, "content": ""} if is_call else _spoken(value.get(key), role, place)
    called = calls_in_text(value.get(key), place) if is_call else message.get("tool_calls", [])
    if calls := [*called, *_calls(value, field)]:
        message["tool_calls"] = calls
    elif not given and (strange := unknown_keys(value, BESIDE_CONTENT)):
        raise malformed(field, f"there is no content; the message has {strange}")
    if isinstance(name := value.get("name"), str) and name:
        message["name"] = name
    if identity := identity_of(value, IDS):
        message["tool_call_id"] = identity
    if role == "assistant":
        _add_assistants_own(message, value, field)
    return message


def _role(value: Mapping[str, Any], field: str) -> tuple[str, str]:
    """The canonical role, and the file's word for it."""
    speaker = value.get("from") if value.get("role") is None else value["role"]
    if speaker is None:
        raise malformed(field, "there is no role; known are system, user, assistant and tool")
    role = ROLES.get(speaker.lower()) if isinstance(speaker, str) else None
    if role is None:
        named = f'the role "{str(speaker)[:40]}" is not known'
        raise malformed(field, f"{named}; known are system, user, assistant and tool")
    return role, str(speaker).lower()


def _add_assistants_own(message: Message, value: Mapping[str, Any], field: str) -> None:
    # In a field, in another, and in a typed part: some say the same in two of them.
    thoughts = [*(value.get(name) for name in REASONING), message.get("reasoning_content")]
    if told := dict.fromkeys(thought for thought in thoughts if isinstance(thought, str) and thought):
        message["reasoning_content"] = "\n".join(told)
    refusal = value.get("refusal")
    if isinstance(refusal, str) and not message["content"]:
        message["content"] = refusal
    weight = value.get("weight")
    if weight not in (None, 0, 1):
        raise malformed(f"{field}.weight", f"the weight is {str(weight)[:40]}; known are 0 and 1")
    if 0 in (weight, value.get("train"), value.get("loss")):  # false is 0, too
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
        return {"role": role, "content": dump_json(value).decode()}
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
            return {"role": role, "content": dump_json(parts).decode()}
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
        calls = calls_in_text(calls, f"{field}.tool_calls") if calls.strip() else []
    if calls is not None and not isinstance(calls, list):
        raise malformed(f"{field}.tool_calls", f"{kind_of(calls)} where a list should be")
    if calls:
        return [to_call(call, f"{field}.tool_calls[{index}]") for index, call in enumerate(calls)]
    legacy = message.get("function_call")  # an empty list of calls may stand beside it
    return calls_in_text(legacy, f"{field}.function_call") if legacy else []
