"""64-bit fingerprints of examples, by which exact duplicates are found.

Two examples have the same fingerprint when they are the same to a model: the order of keys, the layout of
arguments, the ids of calls and what the tools looked like before they were normalised make no difference.
Others share one by chance only (xxh3, 2**-64 for a pair).

What is hashed is the MessagePack of the tools' names and digests and of the messages as `structs`. The
engine's fast path has these structs already.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from tuner_tui.data.examples import Example, Message, Tool, conversation, is_preference, is_unpaired
from tuner_tui.data.structs import Assistant, Call, Function, Result, System, User

encode = msgspec.msgpack.Encoder(order="deterministic").encode
"""A value as bytes that no other value has; the keys of its objects are sorted."""

digest = xxh3_64_intdigest


def fingerprint(example: Example) -> int:
    """The fingerprint of an example, never 0."""
    tools = [declared(tool) for tool in example["tools"]]
    if is_preference(example):
        sides = [_structs(example[side]) for side in ("prompt", "chosen", "rejected")]
        return digest(encode((tools, *sides))) or 1
    if is_unpaired(example):
        sides = [_structs(example[side]) for side in ("prompt", "completion")]
        return digest(encode((tools, bool(example["label"]), *sides))) or 1
    return digest(encode((tools, _structs(example["messages"])))) or 1


def answer_fingerprint(example: Example) -> int:
    """The fingerprint of the last assistant turn (of a pair, of the chosen answer); 0 when there is none."""
    for message in reversed(conversation(example)):
        if message["role"] == "assistant":
            if calls := _calls(message):
                return digest(encode((message["content"] or None, calls))) or 1
            return digest(message["content"].encode()) or 1
    return 0


def declared(tool: Tool) -> tuple[Any, int]:
    """What stands for a declared tool: its name, and 64 bits of all of it."""
    return tool["function"].get("name"), digest(encode(tool))


def _structs(messages: Sequence[Message]) -> list[Any]:
    return [_struct(message) for message in messages]


def _struct(message: Message) -> Any:
    role, content = message["role"], message["content"]
    if role == "assistant":
        reasoning = message.get("reasoning_content") or None
        weight: Any = 0 if message.get("weight") == 0 else None
        return Assistant(content or None, _calls(message), reasoning, weight=weight)
    if role == "tool":
        return Result(content, name=message.get("name"))
    return User(content) if role == "user" else System(content)


def _calls(message: Message) -> list[Call] | None:
    made: Iterable[Any] = message.get("tool_calls", ())
    functions = (call["function"] for call in made)
    return [Call(Function(one["name"], one["arguments"])) for one in functions] or None
