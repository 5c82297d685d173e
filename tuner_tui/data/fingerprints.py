"""64-bit fingerprints of examples, by which exact duplicates are found.

Two examples have the same fingerprint when they are the same to a model: the order of keys, the layout of
arguments, the ids of calls and what the tools looked like before they were normalised make no difference.
Others share one by chance only (xxh3, 2**-64 for a pair).

What is hashed is the MessagePack of one flat list: a letter for the shape, the digest of the tools, and the
parts of each message (`message_parts`). The engine's fast path makes the same list from its structs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from xxhash import xxh3_64_digest, xxh3_64_intdigest

from tuner_tui.data.examples import Example, Message, conversation, is_preference, is_unpaired

encode_parts = msgspec.msgpack.Encoder().encode
"""A flat list of parts as bytes that no other list has."""

encode_json = msgspec.json.Encoder(order="sorted").encode
"""A JSON value as compact text with its keys sorted."""

_CODES = {"system": "s", "user": "u", "assistant": "a", "tool": "t"}
NAMED_RESULT = "T"
"""Stands for a tool message that has a name, which follows its content."""
UNTRAINED = "w"
"""Stands for an assistant message of weight 0."""


def fingerprint(example: Example) -> int:
    """The fingerprint of an example, never 0."""
    tools = tools_digest(tool_digest(tool) for tool in example["tools"])
    if is_preference(example):
        sides = (example["prompt"], example["chosen"], example["rejected"])
        return hash_parts(["pair", tools, *(_side(messages) for messages in sides)])
    if is_unpaired(example):
        label = "good" if example["label"] else "bad"
        return hash_parts([label, tools, _side(example["prompt"]), _side(example["completion"])])
    return hash_parts([tools, *_side(example["messages"])])


def answer_fingerprint(example: Example) -> int:
    """The fingerprint of the last assistant turn (of a pair, of the chosen answer); 0 when there is none."""
    for message in reversed(conversation(example)):
        if message["role"] == "assistant":
            return hash_parts(message_parts(message)[1:])
    return 0


def message_parts(message: Message) -> list[Any]:
    """Code of the role, content, and name and arguments (bytes) of each call; then what is special.

    A reader of the list knows each part by its type and place: a code is followed by text, the name of a call
    by bytes, and reasoning stands after None.
    """
    code = _CODES[message["role"]]
    parts: list[Any] = [code, message["content"]]
    for call in message.get("tool_calls", ()):
        parts += (call["function"]["name"], encode_json(call["function"]["arguments"]))
    if code == "t" and "name" in message:
        parts[0] = NAMED_RESULT
        parts.append(message["name"])
    if code == "a" and message.get("weight") == 0:
        parts[0] = UNTRAINED
    if "reasoning_content" in message:
        parts += (None, message["reasoning_content"])
    return parts


def hash_parts(parts: list[Any]) -> int:
    """The fingerprint of a list of parts, never 0."""
    return xxh3_64_intdigest(encode_parts(parts)) or 1


def tool_digest(tool: Mapping[str, Any]) -> bytes:
    """Eight bytes for one declared tool."""
    return xxh3_64_digest(encode_json(tool))


def tools_digest(digests: Iterable[bytes]) -> bytes:
    """Eight bytes for the tools of a row, in their order."""
    return xxh3_64_digest(b"".join(digests))


def _side(messages: Sequence[Message]) -> list[Any]:
    return [part for message in messages for part in message_parts(message)]
