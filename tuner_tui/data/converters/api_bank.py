"""API-Bank: a file is one dialogue, a line one turn; a call and its result stand in one line.

    {"role": "User" | "AI", "text"}
    {"role": "API", "api_name", "param_dict", "result": {"output", "exception"}}

`reshape` has made one row of a file: `{"dialogue": [turn, …]}`. What the AI says before a call is the text
of the same turn. The tools are those that the dialogue calls, as `api_bank_tools` reads them from the
programs or the table beside the dialogues; the types are left to the normalisation.

Source: https://github.com/AlibabaResearch/DAMO-ConvAI, api-bank/lv1-lv2-samples.
"""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.calls import make_call, to_arguments
from tuner_tui.data.converters.errors import ConversionError, kind_of, malformed, require
from tuner_tui.data.converters.results import result_text
from tuner_tui.data.examples import Example, Message
from tuner_tui.data.layouts.companions import Companion

_SPEAKERS = {"User": "user", "AI": "assistant"}


def from_api_bank(value: Mapping[str, Any], companion: Companion) -> Example:
    """One dialogue.

    Raises:
        ConversionError: a turn is malformed, or the dialogue has calls and no tools are declared.
    """
    turns = require(value, "dialogue")
    if not isinstance(turns, list) or not turns:
        raise malformed("dialogue", "there is no list of turns")
    messages: list[Message] = []
    called: dict[str, None] = {}
    for index, turn in enumerate(turns):
        field = f"dialogue[{index}]"
        if not isinstance(turn, Mapping):
            raise malformed(field, f"{kind_of(turn)} where a turn should be")
        if turn.get("role") == "API":
            # What the AI has just said is text of the same turn.
            said = messages.pop()["content"] if messages and _is_text_alone(messages[-1]) else ""
            messages.extend(_call(turn, field, said))
            called[turn["api_name"]] = None
        else:
            messages.append(_said(turn, field))
    if called and not companion.tools:
        reason = f"the tools stand in files of their own; {companion.missing or 'they declare none'}"
        raise ConversionError("missing_companion", None, reason)
    tools = [companion.tools[name] for name in called if name in companion.tools]
    return {"messages": messages, "tools": tools}


def _said(turn: Mapping[str, Any], field: str) -> Message:
    role, text = _SPEAKERS.get(str(turn.get("role"))), turn.get("text")
    if role is None:
        raise malformed(f"{field}.role", "the role is not one of User, AI and API")
    if not isinstance(text, str):
        raise malformed(f"{field}.text", f"{kind_of(text)} where text should be")
    return {"role": role, "content": text}


def _call(turn: Mapping[str, Any], field: str, said: str) -> list[Message]:
    """The call and its result."""
    name, result = turn.get("api_name"), turn.get("result")
    if not isinstance(name, str) or not name:
        raise malformed(f"{field}.api_name", "the call names no tool")
    call = make_call(name, to_arguments(turn.get("param_dict"), f"{field}.param_dict"))
    messages: list[Message] = [{"role": "assistant", "content": said, "tool_calls": [call]}]
    if isinstance(result, Mapping):
        text = result_text(result.get("output"), result.get("exception"))
        messages.append({"role": "tool", "content": text, "name": name})
    return messages


def _is_text_alone(message: Message) -> bool:
    return message["role"] == "assistant" and "tool_calls" not in message
