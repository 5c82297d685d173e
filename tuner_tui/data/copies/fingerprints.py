"""64-bit fingerprints of examples, by which exact duplicates are found.

Two examples have the same fingerprint when they are the same to a model: the order of keys, the layout of
arguments, the ids of calls and what the tools looked like before they were normalised make no difference.
Others share one by chance only (2**-61 for a pair).

A fingerprint is mixed of numbers: xxh3 of the texts, of who speaks when, of each tool and of the arguments of
each call. The engine's fast path has most of them at hand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from tuner_tui.data.examples import Example, Message, Tool, conversation, is_preference, is_unpaired

encode = msgspec.msgpack.Encoder(order="deterministic").encode
"""A value as bytes that no other value has; the keys of its objects are sorted."""

digest = xxh3_64_intdigest

SEPARATOR = "\x00"
"""What stands between the texts of a conversation when they are hashed as one."""

MASK = 2**64 - 1


def mix(numbers: tuple[int, ...]) -> int:
    """One number of several, never 0. Python's hash of whole numbers is the same in every process."""
    return hash(numbers) & MASK or 1


def order_digest(roles: Sequence[str], turns: Sequence[int]) -> int:
    """What stands for who speaks when. `turns` has for each assistant turn the number of its calls, or, when
    it is not trained, that number's complement."""
    return digest(repr((*roles, *turns)).encode())


def fingerprint(example: Example) -> int:
    """The fingerprint of an example, never 0."""
    return _whole(example, [declared(tool) for tool in example["tools"]])


def fingerprints(example: Example) -> tuple[int, int]:
    """The fingerprints of an example and of its last assistant turn (of a pair, of the chosen answer); the
    second is 0 when there is none."""
    tools = [declared(tool) for tool in example["tools"]]
    return _whole(example, tools), _answer(example, tools)


def _whole(example: Example, tools: Sequence[tuple[Any, int]]) -> int:
    named = _named(tools)
    numbers = [mark for _, mark in tools]
    if is_preference(example):
        sides: tuple[str, ...] = ("prompt", "chosen", "rejected")
    elif is_unpaired(example):
        sides = ("prompt", "completion")
        numbers.append(int(example["label"]))
    else:
        sides = ("messages",)
    for side in sides:
        numbers += _marks(example[side], named)
    return mix(tuple(numbers))


def _answer(example: Example, tools: Sequence[tuple[Any, int]]) -> int:
    for message in reversed(conversation(example)):
        if message["role"] == "assistant":
            return mix((digest(message["content"].encode()), *_calls(message, _named(tools))))
    return 0


def declared(tool: Tool) -> tuple[Any, int]:
    """What stands for a declared tool: its name, and 64 bits of all of it."""
    return tool["function"].get("name"), digest(encode(tool))


def _named(tools: Sequence[tuple[Any, int]]) -> dict[str, int]:
    return {name: mark for name, mark in tools if isinstance(name, str)}


def _marks(messages: Sequence[Message], tools: Mapping[Any, int]) -> list[int]:
    """The numbers of one conversation: of its texts, of its order, two for each call, and unusual ones."""
    calls: list[int] = []
    unusual: list[int] = []
    turns: list[int] = []
    called: list[str] = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        calls += _calls(message, tools)
        made = message.get("tool_calls", ())
        called += [call["function"]["name"] for call in made]
        turns.append(~len(made) if message.get("weight") == 0 else len(made))
        if reasoning := message.get("reasoning_content"):
            unusual += (index, digest(reasoning.encode()))
    names = [message.get("name") for message in messages if message["role"] == "tool"]
    if names != called[: len(names)]:
        unusual.append(digest(repr(names).encode()))
    text = SEPARATOR.join(escaped(message["content"]) for message in messages)
    order = order_digest([message["role"] for message in messages], turns)
    return [digest(text.encode()), order, *calls, *unusual]


def _calls(message: Message, tools: Mapping[Any, int]) -> list[int]:
    numbers: list[int] = []
    for call in message.get("tool_calls", ()):
        name = call["function"]["name"]
        numbers += (tools.get(name) or digest(name.encode()), digest(encode(call["function"]["arguments"])))
    return numbers


def escaped(text: str) -> str:
    """A text as it is hashed, without the separator in it; two different texts stay different."""
    if SEPARATOR not in text and "\x01" not in text:
        return text
    return text.replace("\x01", "\x01\x01").replace(SEPARATOR, "\x01\x02")
