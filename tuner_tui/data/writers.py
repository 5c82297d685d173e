"""Canonical examples in other layouts, for other programs: one function a layout, in the table `WRITERS`.

What is written reads back as the same example, or it is not written: a layout has no place for everything,
and nothing is dropped in silence. Only the canonical layout keeps `original_tools`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example, Message, is_preference, is_unpaired
from tuner_tui.data.layouts.formats import Format


class NotExpressible(Exception):
    """The layout has no place for something in the example; the message says what."""


def write(example: Example, layout: Format) -> dict[str, Any]:
    """The example in this layout.

    Raises:
        NotExpressible: the layout is not written, or has no place for something in the example.
    """
    if layout not in WRITERS:
        known = ", ".join(WRITERS)
        raise NotExpressible(f'the layout "{layout}" is read and not written; written are {known}')
    try:
        written = WRITERS[layout](example)
    except NotExpressible as reason:
        raise NotExpressible(f'the layout "{layout}" {reason}') from None
    try:
        again = convert(written, _own_layout(example) if layout is Format.CANONICAL else layout)
    except ConversionError as error:
        raise NotExpressible(
            f'written in the layout "{layout}", it could not be read again: {error}'
        ) from None
    if difference := _difference(example, again):
        raise NotExpressible(f'the layout "{layout}" has no place for {difference}')
    return written


def writable(example: Example, layout: Format) -> str | None:
    """Why the example cannot be written in this layout; None when it can."""
    try:
        write(example, layout)
    except NotExpressible as reason:
        return str(reason)
    return None


def _own_layout(example: Example) -> Format:
    if is_preference(example):
        return Format.PREFERENCE
    return Format.KTO if is_unpaired(example) else Format.CANONICAL


def _difference(example: Example, again: Example) -> str:
    """What is not the same in what came back, in a few words; empty when all is."""
    for key in example.keys() - {"original_tools"}:
        before, after = example[key], again.get(key)
        if _dumps(before) == _dumps(after):
            continue
        if key in ("tools", "label") or not isinstance(after, list) or len(before) != len(after):
            return f"all of its {key}"
        for one, other in zip(before, after, strict=True):
            for name in sorted({*one, *other}):
                if _dumps(one.get(name)) != _dumps(other.get(name)):
                    return f"the {name} of a message of {one['role']}"
    return "" if again.keys() - {"original_tools"} <= example.keys() else "an example of this shape"


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


# -- conversations -------------------------------------------------------------------------------------------


def _messages(example: Example) -> list[Message]:
    if "messages" not in example:
        raise NotExpressible("has a place for one conversation, and this is a preference")
    messages: list[Message] = example["messages"]
    return messages


def _functions(example: Example) -> str:
    return _text([tool["function"] for tool in example["tools"]])


def _to_canonical(example: Example) -> dict[str, Any]:
    return dict(example)


def _to_openai(example: Example) -> dict[str, Any]:
    """Arguments as JSON text; the content of a message that only calls is null."""
    messages: list[dict[str, Any]] = []
    for message in _messages(example):
        written: dict[str, Any] = dict(message)
        if calls := message.get("tool_calls"):
            written["content"] = message["content"] or None
            written["tool_calls"] = [
                {
                    **call,
                    "function": {**call["function"], "arguments": _text(call["function"]["arguments"])},
                }
                for call in calls
            ]
        messages.append(written)
    return {"messages": messages, "tools": example["tools"]}


def _to_typed_content(example: Example) -> dict[str, Any]:
    messages = []
    for message in _messages(example):
        parts = []
        if thought := message.get("reasoning_content"):
            parts.append({"type": "reasoning", "value": thought})
        if message["content"]:
            parts.append({"type": "text", "value": message["content"]})
        parts.extend(
            {"type": "tool_call", "value": _text(call["function"])} for call in message.get("tool_calls", ())
        )
        messages.append({"role": message["role"], "content": parts})
    return {"messages": messages, "tools": _text(example["tools"])}


_SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def _to_sharegpt(example: Example) -> dict[str, Any]:
    """Text and calls of one answer are two turns; several calls are a list in one turn."""
    turns = []
    for message in _messages(example):
        calls = [call["function"] for call in message.get("tool_calls", ())]
        if message["content"] or not calls:
            turns.append({"from": _SPEAKERS[message["role"]], "value": message["content"]})
        if calls:
            turns.append({"from": "function_call", "value": _text(calls[0] if len(calls) == 1 else calls)})
    return {"conversations": turns, "tools": _functions(example)}


def _to_hermes(example: Example) -> dict[str, Any]:
    turns = []
    for message in _messages(example):
        role = message["role"]
        if role == "tool":
            result = {"name": message.get("name"), "content": message["content"]}
            value = f"<tool_response>\n{_text(result)}\n</tool_response>"
        else:
            thought = message.get("reasoning_content")
            pieces = [f"<think>\n{thought}\n</think>" if thought else "", message["content"]]
            pieces.extend(
                f"<tool_call>\n{_text(call['function'])}\n</tool_call>"
                for call in message.get("tool_calls", ())
            )
            value = "\n".join(filter(None, pieces))
        turns.append({"from": "tool" if role == "tool" else _SPEAKERS[role], "value": value})
    return {"conversations": turns, "tools": _functions(example)}


# -- rows of a few named fields ------------------------------------------------------------------------------


def _to_completion(example: Example) -> dict[str, Any]:
    """All before the first trained answer is the prompt: its own answers are not trained."""
    messages = _messages(example)
    trained = [
        index
        for index, message in enumerate(messages)
        if message["role"] == "assistant" and message.get("weight") != 0
    ]
    if not trained or trained[0] == 0:
        raise NotExpressible("needs a prompt, and after it an answer that is trained")
    prompt = [
        {key: value for key, value in message.items() if key != "weight"}
        for message in messages[: trained[0]]
    ]
    return {"prompt": prompt, "completion": messages[trained[0] :], "tools": example["tools"]}


def _to_preference(example: Example) -> dict[str, Any]:
    if not is_preference(example):
        raise NotExpressible("needs a chosen and a rejected answer")
    return {key: example[key] for key in ("prompt", "chosen", "rejected", "tools")}


def _to_kto(example: Example) -> dict[str, Any]:
    if not is_unpaired(example):
        raise NotExpressible("needs an answer with a label, good or bad")
    return {key: example[key] for key in ("prompt", "completion", "label", "tools")}


def _to_xlam(example: Example) -> dict[str, Any]:
    """One request and its calls. The tools keep their JSON Schema, which xLAM's own words cannot say."""
    match _messages(example):
        case [{"role": "user", "content": query}, {"role": "assistant", "content": ""} as answer]:
            calls = [call["function"] for call in answer.get("tool_calls", ())]
            return {"query": query, "answers": _text(calls), "tools": _functions(example)}
    raise NotExpressible("has a place for one request and its calls alone")


def _to_alpaca(example: Example) -> dict[str, Any]:
    messages = _messages(example)
    system = messages[0]["content"] if messages and messages[0]["role"] == "system" else None
    turns = messages if system is None else messages[1:]
    wanted = ["user", "assistant"] * (len(turns) // 2)
    if example["tools"] or not turns or [message["role"] for message in turns] != wanted:
        raise NotExpressible("has a place for questions and answers in turn, and for no tools")
    said = [message["content"] for message in turns]
    written: dict[str, Any] = {"instruction": said[-2], "input": "", "output": said[-1]}
    if system is not None:
        written["system"] = system
    if len(said) > 2:
        written["history"] = [[said[index], said[index + 1]] for index in range(0, len(said) - 2, 2)]
    return written


def _to_text(example: Example) -> dict[str, Any]:
    match _messages(example):
        case [{"role": "assistant", "content": text}]:
            return {"text": text}
    raise NotExpressible("has a place for one text alone")


WRITERS: Mapping[Format, Callable[[Example], dict[str, Any]]] = {
    Format.CANONICAL: _to_canonical,
    Format.OPENAI: _to_openai,
    Format.TYPED_CONTENT: _to_typed_content,
    Format.SHAREGPT: _to_sharegpt,
    Format.HERMES: _to_hermes,
    Format.COMPLETION: _to_completion,
    Format.PREFERENCE: _to_preference,
    Format.KTO: _to_kto,
    Format.XLAM: _to_xlam,
    Format.ALPACA: _to_alpaca,
    Format.TEXT: _to_text,
}
"""The layouts that are written; a converter in the table `CONVERTERS` reads each of them back."""
