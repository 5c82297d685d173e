"""Calls that an assistant's turn holds in its text, after the marks by which models write them."""

import re
from collections.abc import Callable, Mapping

import orjson

from tuner_tui.data.converters.calls import calls_in_literal, make_call, to_arguments
from tuner_tui.data.converters.errors import json_reason, malformed, unparseable
from tuner_tui.data.examples import Message, ToolCall
from tuner_tui.data.literals.values import bracketed

# No pattern has two stretches that could share characters: a hostile text costs linear time.
_TAGGED = re.compile(r"<(tool_call|TOOLCALL)>(.*?)(?:(</\1>)|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"\s*<(think|scratch_pad)>(.*?)</\1>", re.DOTALL)
_NAMED = re.compile(r"([A-Za-z0-9_.-]{1,128})(?:\[CALL_ID\]([A-Za-z0-9]{1,64}))?(?:\[ARGS\])?\s*(?=\{)")
_BEGINNINGS = "[{(<\"'0123456789"  # of a value, whether or not it is a call
_ENDS = ("</s>", "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|endoftext|>", "</functioncall>")

Read = tuple[list[ToolCall], str]
"""The calls that were read, and the text without them."""


def read_answer(turn: Message, field: str) -> None:
    """Move thoughts and calls from the text of an assistant's turn to where they belong.

    The marks are those of Hermes and Qwen (`<tool_call>`), Nemotron (`<TOOLCALL>`), Mistral
    (`[TOOL_CALLS]`), Glaive (`<functioncall>`) and Llama 3 (`<|python_tag|>`). A mark that is only spoken of
    stays in the text.

    Raises:
        ConversionError: after a mark stands what should be a call, and it cannot be read.
    """
    text, thoughts = turn["content"], [turn.pop("reasoning_content", "")]
    if thought := _THOUGHT.match(text):
        text = text[thought.end() :].lstrip()
        thoughts.append(thought[2].strip())
    calls: list[ToolCall] = []
    for mark, read in _READERS.items():
        if mark in text:
            found, text = read(text, field)
            calls.extend(found)
    if calls:
        turn["tool_calls"] = [*turn.get("tool_calls", ()), *calls]
    turn["content"] = text
    if reasoning := "\n".join(filter(None, thoughts)):
        turn["reasoning_content"] = reasoning


def _tagged(text: str, field: str) -> Read:
    calls: list[ToolCall] = []
    rest: list[str] = []
    end = 0
    for found in _TAGGED.finditer(text):
        inside = found[2].strip()
        if _is_spoken_of(inside, closed=found[3] is not None):
            continue
        calls.extend(calls_in_literal(inside, field))
        rest.append(text[end : found.start()])
        end = found.end()
    if not end:
        return [], text
    return calls, _joined([*rest, text[end:]])


def _is_spoken_of(inside: str, closed: bool) -> bool:
    """Whether the text after a mark is no call, and not meant to be one."""
    if not inside:
        return True
    if inside[0] in _BEGINNINGS:
        return False
    return not closed or not any(sign in inside for sign in "{(")


def _after(mark: str, read: Callable[[str, str], Read | None]) -> Callable[[str, str], Read]:
    """A reader of what follows each mark, which has no end of its own; None: the mark is spoken of."""

    def reader(text: str, field: str) -> Read:
        calls: list[ToolCall] = []
        head, *pieces = text.split(mark)
        spoken = [head]
        for piece in pieces:
            found = read(piece.lstrip(), field)
            if found is None:
                spoken += (mark, piece)
                continue
            calls.extend(found[0])
            if rest := _without_end(found[1]):
                spoken += ("\n", rest)
        return (calls, "".join(spoken).strip()) if calls else ([], text)

    return reader


def _mistral(text: str, field: str) -> Read | None:
    """`[{"name": …, "arguments": {…}}, …]`, or the newer `name[ARGS]{…}`.

    https://docs.mistral.ai/cookbooks/concept-deep-dive-tokenization-tool_calling
    """
    if text.startswith(("[", "{")):
        held = _closed(text, field)
        return calls_in_literal(held, field), text[len(held) :]
    named = _NAMED.match(text)
    if named is None:
        return None
    held = _closed(text[named.end() :], field)
    call = make_call(named[1], to_arguments(held, field), named[2])
    return [call], text[named.end() + len(held) :]


def _llama(text: str, field: str) -> Read | None:
    """`{"name": …, "parameters": {…}}`, several with ";" between them.

    https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1
    """
    calls: list[ToolCall] = []
    while text.startswith("{"):
        held = _closed(text, field)
        calls.extend(calls_in_literal(held, field))
        text = text[len(held) :].lstrip(" ;\n")
    return (calls, text) if calls else None


def _glaive(text: str, field: str) -> Read | None:
    """One call, up to the end."""
    return ([glaive_call(_without_end(text), field)], "") if text.startswith("{") else None


def glaive_call(text: str, field: str) -> ToolCall:
    """`{"name": "f", "arguments": '{"a": 1}'}`, which is neither JSON nor, with a ' inside, Python.

    Raises:
        ConversionError: it cannot be read.
    """
    head, found, tail = text.partition("'")
    if not found or '"arguments"' not in head:
        return _only(calls_in_literal(text, field), field)
    inside, closed, rest = tail.rpartition("'")
    if not closed or rest.strip() != "}":
        return _only(calls_in_literal(text, field), field)
    try:
        outer = orjson.loads(f"{head}null{rest}")
    except orjson.JSONDecodeError as error:
        raise unparseable(field, f"the call is {json_reason(error)}") from None
    name = outer.get("name")
    if not isinstance(name, str) or not name:
        raise malformed(field, "the call names no tool")
    return make_call(name, to_arguments(inside.replace("\\'", "'"), field))


def _only(calls: list[ToolCall], field: str) -> ToolCall:
    if len(calls) != 1:
        raise unparseable(field, f"{len(calls)} calls where one should be")
    return calls[0]


def _closed(text: str, field: str) -> str:
    held = bracketed(text, 0)
    if held is None:
        raise unparseable(field, f'the call "{text[:40]}" is not closed')
    return held


def _without_end(text: str) -> str:
    text = text.strip()
    for _ in _ENDS:
        end = next((end for end in _ENDS if text.endswith(end)), "")
        text = text.removesuffix(end).rstrip()
    return text


def _joined(pieces: list[str]) -> str:
    return "\n".join(filter(None, (piece.strip() for piece in pieces)))


_READERS: Mapping[str, Callable[[str, str], Read]] = {
    "<tool_call>": _tagged,
    "<TOOLCALL>": _tagged,
    "[TOOL_CALLS]": _after("[TOOL_CALLS]", _mistral),
    "<functioncall>": _after("<functioncall>", _glaive),
    "<|python_tag|>": _after("<|python_tag|>", _llama),
}
