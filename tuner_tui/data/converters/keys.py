"""The words for roles, and the keys under which datasets put the parts of a message and of a call."""

from collections.abc import Mapping, Sequence, Set
from itertools import islice
from typing import Any

ROLES = {
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
"""A dataset's word for who speaks to the canonical role."""

CALL_ROLES = ("function_call", "tool_call")
"""Roles of which the text is the call."""

REASONING = ("reasoning_content", "reasoning", "thinking")
CONTENT = ("content", "value")
OTHER_CONTENT = ("output", "observation", "text")
"""Where neither of the usual ones is there."""

IDS = ("tool_call_id", "call_id", "toolCallId")
"""Of a result: the id of the call that it answers."""

ARGUMENTS = ("arguments", "parameters", "args", "input", "kwargs")
"""Llama 3.1 has `parameters` where most have `arguments`; LangChain has `args`, Anthropic `input`."""

BESIDE_ARGUMENTS = {*ARGUMENTS, "name", "id", "call_id", "type", "index"}
"""What a call may have without arguments; any other key may hold them."""

BESIDE_CONTENT = {
    *(*CONTENT, "role", "from", "name", "id", *IDS, *REASONING, "refusal", "weight", "loss", "train"),
    *("tool_calls", "function_call", "tools", "functions", "annotations", "audio"),
}
"""What a message may have without content; any other key may hold it."""

_SHOWN = 4  # keys in a sentence


def unknown_keys(value: Mapping[str, Any], known: Set[str]) -> str:
    """The keys that are none of the known ones, for a sentence; a null says nothing."""
    keys = (key for key in value if key not in known and value[key] is not None)
    return ", ".join(f'"{key[:40]}"' for key in islice(keys, _SHOWN))


def identity_of(value: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """The first id under one of these keys, as text; a number is one, too."""
    given = (value.get(key) for key in keys)
    return next((str(one) for one in given if type(one) in (str, int) and one != ""), None)
