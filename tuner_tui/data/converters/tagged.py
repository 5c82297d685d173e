"""Calls between tags in the text: Hermes and its kin."""

import re
from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.errors import ConversionError, require
from tuner_tui.data.converters.messages import calls_in_literal, to_messages, to_tools
from tuner_tui.data.converters.turns import merge_turns, name_results
from tuner_tui.data.examples import Example, Message, ToolCall
from tuner_tui.data.literals.values import objects_in_text, read_value

# No pattern has two stretches that could share characters: a hostile text costs linear time.
_CALL = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_RESULT = re.compile(r"<tool_response>(.*?)(?:</tool_response>|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"\s*<(think|scratch_pad)>(.*?)</\1>", re.DOTALL)
_RESULT_KEYS = {"name", "content", "tool_call_id"}
_LONGEST_SYSTEM = 200_000  # characters that are looked through for instructions
# What the system text says about the form of calls; a model's own chat template says it its own way.
_INSTRUCTIONS = (
    re.compile(r"You are provided with function signatures within <tools>\s*</tools> XML tags[.:]?\s*"),
    re.compile(r"# Tools\n\nYou may call one or more functions to assist with the user query\.\s*"),
    re.compile(r"Use the following pydantic model json schema for each.*?(?=For each|\Z)", re.DOTALL),
    re.compile(r"For each function call,? return a json object.*</tool_call>", re.DOTALL | re.IGNORECASE),
    re.compile(r"Here are the available tools:?\s*(?=\Z|\n)"),
)


def from_hermes(value: Mapping[str, Any]) -> Example:
    """`{"conversations": [{"from": "system", "value": "… <tools>[…]</tools> …"}, …, {"from": "gpt", "value":
    "<tool_call>\\n{'name': …, 'arguments': {…}}\\n</tool_call>"}, {"from": "tool", "value":
    "<tool_response>…</tool_response>"}], "tools": "[…]"}`; the calls are JSON or Python literals. Tools are
    read from `tools`, else from the system text, and cut out of that. Also with `messages`.

    https://huggingface.co/datasets/NousResearch/hermes-function-calling-v1

    Raises:
        ConversionError: a call or the list of tools cannot be read, or a message is malformed.
    """
    key = "messages" if "messages" in value else "conversations"
    turns = to_messages(require(value, key), key)
    tools = to_tools(value.get("tools"), "tools")
    messages: list[Message] = []
    tagged = False
    for index, turn in enumerate(turns):
        field = f"{key}[{index}].{'content' if key == 'messages' else 'value'}"
        if turn["role"] == "system":
            turn["content"] = _without_tools(turn["content"], tools, field)
            if not turn["content"]:
                continue
        elif turn["role"] == "assistant":
            _read_answer(turn, field)
        elif turn["content"].lstrip().startswith("<tool_response>"):
            messages.extend(_results(turn))
            tagged = True
            continue
        messages.append(turn)
    return {"messages": name_results(merge_turns(messages, divide=not tagged)), "tools": tools}


def _without_tools(text: str, tools: list[dict[str, Any]], field: str) -> str:
    """The system text without its tools, which fill `tools` if the row has no list of its own."""
    start, end = _tools_block(text)
    if end < 0:
        return text
    if not tools:
        try:
            tools.extend(to_tools(_listed(text[start:end].strip()), field))
        except ValueError as error:
            raise ConversionError("tools_not_list", field, f"the tools cannot be read ({error})") from None
    rest = text[: start - len("<tools>")] + text[end + len("</tools>") :]
    for pattern in _INSTRUCTIONS if len(rest) <= _LONGEST_SYSTEM else ():
        rest = pattern.sub("", rest)
    return re.sub(r"\n{3,}", "\n\n", rest).strip()


def _tools_block(text: str) -> tuple[int, int]:
    """Where the inside of the first <tools> that is not empty begins and ends; the end is -1 without one."""
    end = 0
    while (start := text.find("<tools>", end)) >= 0 and (end := text.find("</tools>", start)) >= 0:
        start += len("<tools>")
        if text[start:end].strip():
            return start, end
    return 0, -1


def _listed(text: str) -> list[Any]:
    """Tools as a list, or one after the other."""
    value = read_value(text) if text.startswith("[") else objects_in_text(text)
    if not isinstance(value, list):
        raise ValueError("they are no list")
    return value


def _read_answer(turn: Message, field: str) -> None:
    """Move thoughts and calls from the text of an assistant's turn to where they belong."""
    text, thoughts = turn["content"], [turn.pop("reasoning_content", "")]
    if thought := _THOUGHT.match(text):
        text = text[thought.end() :].lstrip()
        thoughts.append(thought[2].strip())
    if "<tool_call>" in text:
        # In turn: text, the inside of a call, text …
        pieces = [piece.strip() for piece in _CALL.split(text)]
        calls: list[ToolCall] = list(turn.get("tool_calls", ()))
        for inside in pieces[1::2]:
            calls.extend(calls_in_literal(inside, field))
        if calls:
            turn["tool_calls"] = calls
        text = "\n".join(filter(None, pieces[::2]))
    turn["content"] = text
    if reasoning := "\n".join(filter(None, thoughts)):
        turn["reasoning_content"] = reasoning


def _results(turn: Message) -> list[Message]:
    """Every <tool_response> of a turn as a message of its own."""
    results: list[Message] = []
    for found in _RESULT.finditer(turn["content"]):
        inside = found[1].strip()
        result: Message = {"role": "tool", "content": inside}
        try:
            value = read_value(inside)
        except ValueError:
            value = None
        if isinstance(value, dict) and {"name", "content"} <= value.keys() <= _RESULT_KEYS:
            (told,) = to_messages([{**value, "role": "tool"}], "tool_response")
            result |= told
        results.append(result)
    if len(results) == 1:  # its name may stand beside the text
        for key in ("name", "tool_call_id"):
            if key in turn and key not in results[0]:
                results[0][key] = turn[key]
    return results
