"""What tells layouts apart that share their keys: marks inside `messages` and `conversations`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from tuner_tui.data.texts.checks import CALL_MARKS

_ACTION = re.compile(r"^[ \t]*Action:.*\n[ \t]*Action Input:", re.MULTILINE)
_CALL_TURNS = ("function_call", "tool_call", "observation")
_ASSISTANTS = ("assistant", "gpt", "model", "bot", "chatgpt")
_TEXT_PARTS = ("text", "input_text", "output_text", "refusal", "image_url", "input_audio", "file")

LOOKED_AT = frozenset(
    (
        *("system", "functions", "label", "kto_tag", "original_tools"),
        *("chosen", "rejected", "chosen_response", "rejected_response", "preferred_output"),
    )
)
"""Keys of a row, beside its turns and tools, that change what the row is read as."""


def turns_of(value: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects in a row's list of turns, also where the list is JSON text (as in CSV)."""
    turns = value.get(key)
    if isinstance(turns, str) and turns.lstrip().startswith("["):
        try:
            turns = orjson.loads(turns)
        except orjson.JSONDecodeError:
            return []
    return [turn for turn in turns if isinstance(turn, Mapping)] if isinstance(turns, list) else []


def has_pair(value: Mapping[str, Any]) -> bool:
    """Whether the row has an answer that is preferred and one that is not, under any of their keys."""
    told = {key for key in _PAIR if value.get(key) is not None}
    if "preferred_output" in told or {"chosen", "rejected"} <= told:
        return True
    if {"chosen_response", "rejected_response"} <= told:
        return True
    # ms-swift: the last message is the preferred answer.
    return "messages" in told and bool(told & {"rejected_response", "rejected"})


_PAIR = ("preferred_output", "chosen", "rejected", "chosen_response", "rejected_response", "messages")


def has_label(value: Mapping[str, Any]) -> bool:
    """Whether a row's one answer is labelled good or bad: `label`, or LLaMA-Factory's `kto_tag`."""
    if not any(key in value for key in ("messages", "conversations", "instruction", "prompt")):
        return False
    return isinstance(value.get("label"), bool) or value.get("kto_tag") is not None


def has_openai_marks(value: Mapping[str, Any]) -> bool:
    """Arguments as JSON text, the older `functions` and `function_call`, the role "developer"."""
    if "functions" in value or "parallel_tool_calls" in value:
        return True
    return any(_is_openai_message(message) for message in turns_of(value, "messages"))


def _is_openai_message(message: Mapping[str, Any]) -> bool:
    if "function_call" in message or message.get("role") in ("function", "developer"):
        return True
    return any(isinstance(function.get("arguments"), str) for function in _functions(message))


def _functions(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, Mapping) and isinstance(function := call.get("function"), Mapping):
            yield function


def has_calls(value: Mapping[str, Any]) -> bool:
    """Whether one of the messages has `tool_calls`."""
    return any(message.get("tool_calls") for message in turns_of(value, "messages"))


def has_typed_parts(messages: list[Mapping[str, Any]]) -> bool:
    """Whether content comes as parts other than OpenAI's `{"type": "text", "text": …}`."""
    for message in messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if not isinstance(part, Mapping) or part.get("type") not in _TEXT_PARTS or "value" in part:
                return True
    return False


def has_call_turns(turns: list[Mapping[str, Any]]) -> bool:
    """Whether calls are turns of their own, as in ShareGPT."""
    return any(turn.get("from") in _CALL_TURNS for turn in turns)


def has_tagged_calls(turns: list[Mapping[str, Any]]) -> bool:
    """Whether calls stand in the text, after `CALL_MARKS`, or tools between <tools> and </tools>."""
    return any(
        (turn.get("from", turn.get("role")) != "system" and any(mark in text for mark in CALL_MARKS))
        or ("<tools>" in text and "</tools>" in text)
        for turn in turns
        if not turn.get("tool_calls")
        and turn.get("from", turn.get("role")) in (*_ASSISTANTS, "system")
        and isinstance(text := turn.get("value", turn.get("content")), str)
    )


def has_actions(turns: list[Mapping[str, Any]]) -> bool:
    """Whether an assistant writes Action: and Action Input:."""
    return any(
        bool(_ACTION.search(text))
        for turn in turns
        if turn.get("from") in _ASSISTANTS and isinstance(text := turn.get("value"), str)
    )


def has_loss_flags(turns: list[Mapping[str, Any]]) -> bool:
    """Whether turns say whether they are trained."""
    return any("loss" in turn for turn in turns)


def has_tools_in_system(value: Mapping[str, Any]) -> bool:
    """Whether the system text holds a JSON list of tools, and nothing else does."""
    system = value.get("system")
    return isinstance(system, str) and not value.get("tools") and "[{" in system and '"parameters"' in system
