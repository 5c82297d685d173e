"""Turns that belong together: calls of one answer, and the results that answer them."""

from collections import Counter

import orjson

from tuner_tui.data.converters.results import result_text
from tuner_tui.data.examples import Message, ToolCall
from tuner_tui.data.literals.json_text import load_json


def merge_turns(messages: list[Message], *, divide: bool = True) -> list[Message]:
    """ShareGPT turns with what belongs together made one.

    Text followed by a call, and calls one after the other, are one assistant message; with `divide`, one
    observation alone that is a list of as many results as there were calls, is that many results, unless a
    name or an id says which call it answers. Turns of which only one is trained stay apart.
    """
    merged: list[Message] = []
    for index, message in enumerate(messages):
        if merged and divide and _answers_all(messages, index, merged[-1]):
            merged.extend(_divided(message, merged[-1]["tool_calls"]))
            continue
        merged.append(message)
        while len(merged) > 1 and _continues(merged[-2], merged[-1]):
            _join(merged[-2], merged.pop())
    return merged


def _join(last: Message, message: Message) -> None:
    last["tool_calls"] = [*last.get("tool_calls", ()), *message["tool_calls"]]
    last["content"] = "\n".join(filter(None, (last["content"], message["content"])))
    thoughts = (last.get("reasoning_content"), message.get("reasoning_content"))
    if thought := "\n".join(filter(None, thoughts)):
        last["reasoning_content"] = thought


def _continues(last: Message, message: Message) -> bool:
    return (
        last["role"] == message["role"] == "assistant"
        and bool(message.get("tool_calls"))
        and last.get("weight") == message.get("weight")
    )


def _answers_all(messages: list[Message], index: int, last: Message) -> bool:
    """Whether this is the one result after several calls, and does not say of which."""
    message = messages[index]
    if message["role"] != "tool" or len(last.get("tool_calls", ())) < 2:
        return False
    more = index + 1 < len(messages) and messages[index + 1]["role"] == "tool"
    return not more and not message.get("name") and not message.get("tool_call_id")


def _divided(message: Message, calls: list[ToolCall]) -> list[Message]:
    """One tool message that holds a JSON list of as many results as there are calls, as that many messages,
    with the tools' names where the results have them (`[{"name": …, "results": …}, …]`, ToolACE); any other
    stays as it is."""
    try:
        results = load_json(message["content"])
    except orjson.JSONDecodeError:
        return [message]
    if not isinstance(results, list) or len(results) != len(calls):
        return [message]
    divided: list[Message] = [{"role": "tool", "content": result_text(result)} for result in results]
    named = [str(result.get("name", "")) if isinstance(result, dict) else "" for result in results]
    if Counter(named) == Counter(call["function"]["name"] for call in calls):
        for one, name in zip(divided, named, strict=True):
            one["name"] = name
    return divided


def name_results(messages: list[Message]) -> list[Message]:
    """Tie every tool message to the call that it answers: by id, else by name, else by order.

    It gets the tool's name, and the call's id where the call has one: chat templates read them, and
    some layouts have only the order.
    """
    waiting: list[ToolCall] = []
    for message in messages:
        if message["role"] != "tool":
            waiting = list(message.get("tool_calls", ()))
            continue
        answered = _answered(message, waiting)
        if answered is None:
            continue
        waiting.remove(answered)
        message.setdefault("name", answered["function"]["name"])
        if identity := answered.get("id"):
            message.setdefault("tool_call_id", identity)
    return messages


def _answered(message: Message, waiting: list[ToolCall]) -> ToolCall | None:
    identity, name = message.get("tool_call_id"), message.get("name")
    if identity and any(call.get("id") for call in waiting):
        return next((call for call in waiting if call.get("id") == identity), None)
    return next((call for call in waiting if not name or call["function"]["name"] == name), None)
