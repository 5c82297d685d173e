"""Calls between tags in the text: Hermes and its kin."""

import re
from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.answers import read_answer
from tuner_tui.data.converters.errors import ConversionError, require
from tuner_tui.data.converters.messages import to_messages
from tuner_tui.data.converters.system import with_system
from tuner_tui.data.converters.tools import to_tools, tools_of
from tuner_tui.data.converters.turns import merge_turns, name_results
from tuner_tui.data.examples import Example, Message
from tuner_tui.data.literals.values import bracketed, objects_in_text, read_value

# No pattern has two stretches that could share characters: a hostile text costs linear time.
_RESULT = re.compile(r"<tool_response>(.*?)(?:</tool_response>|\Z)", re.DOTALL)
_RESULT_KEYS = {"name", "content", "tool_call_id"}
_LONGEST_SYSTEM = 200_000  # characters that are looked through for instructions
# What the system text says about the form of calls; a model's own chat template says it its own way.
_INSTRUCTIONS = (
    re.compile(r"You are provided with function signatures within <tools>\s*</tools> XML tags[.:]?\s*"),
    re.compile(r"# Tools\n\nYou may call one or more functions to assist with the user query\.\s*"),
    re.compile(r"For each function call,? return a json object.*</tool_call>", re.DOTALL | re.IGNORECASE),
    re.compile(r"Here are the available tools:?\s*(?=\Z|\n)"),
)
_SCHEMA = re.compile(r"Use the following pydantic model json schema for each[^{\n]{0,80}\s{0,4}(?=\{)")


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
    turns = with_system(to_messages(require(value, key), key), value)
    tools = tools_of(value)
    first = len(turns) - len(value[key]) if isinstance(value[key], list) else 0  # 1: a system text before
    text = "content" if key == "messages" else "value"
    messages: list[Message] = []
    tagged = False
    for index, turn in enumerate(turns):
        field = f"{key}[{index - first}].{text}"
        if turn["role"] == "system":
            turn["content"] = without_tools(turn["content"], tools, field)
            if not turn["content"]:
                continue
        elif turn["role"] == "assistant":
            read_answer(turn, field)
        elif holds_results(turn):
            messages.extend(results_of(turn))
            tagged = True
            continue
        messages.append(turn)
    return {"messages": name_results(merge_turns(messages, divide=not tagged)), "tools": tools}


def without_tools(text: str, tools: list[dict[str, Any]], field: str) -> str:
    """The system text without its tools, which fill `tools` if the row has no list of its own.

    Raises:
        ConversionError: what stands between <tools> and </tools> cannot be read.
    """
    blocks = _tools_blocks(text)
    if not blocks:
        return text
    if not tools:
        try:
            for start, end in blocks:
                tools.extend(to_tools(_listed(text[start + len("<tools>") : end].strip()), field))
        except ValueError as error:
            raise ConversionError("tools_not_list", field, f"the tools cannot be read ({error})") from None
    ends = [0, *(end + len("</tools>") for _, end in blocks)]
    starts = [*(start for start, _ in blocks), len(text)]
    rest = "".join(text[start:end] for start, end in zip(ends, starts, strict=True))
    if len(rest) <= _LONGEST_SYSTEM:
        if (found := _SCHEMA.search(rest)) and (schema := bracketed(rest, found.end())):
            rest = rest[: found.start()] + rest[found.end() + len(schema) :]
        for pattern in _INSTRUCTIONS:
            rest = pattern.sub("", rest)
    return re.sub(r"\n{3,}", "\n\n", rest).strip()


def _tools_blocks(text: str) -> list[tuple[int, int]]:
    """Where each <tools> that is not empty begins, and where its end tag begins."""
    blocks: list[tuple[int, int]] = []
    end = 0
    while (start := text.find("<tools>", end)) >= 0 and (end := text.find("</tools>", start)) >= 0:
        if text[start + len("<tools>") : end].strip():
            blocks.append((start, end))
    return blocks


def _listed(text: str) -> list[Any]:
    """Tools as a list, or one after the other."""
    value = read_value(text) if text.startswith("[") else objects_in_text(text)
    if not isinstance(value, list):
        raise ValueError("they are no list")
    return value


def holds_results(turn: Message) -> bool:
    """Whether a turn begins with a result between tags."""
    return turn["content"].lstrip().startswith("<tool_response>")


def results_of(turn: Message) -> list[Message]:
    """Every <tool_response> of a turn as a message of its own. Text beside it stays: a tool's with the
    result before it, a user's as a turn of the user after the results."""
    results: list[Message] = []
    pieces = [piece.strip() for piece in _RESULT.split(turn["content"])]  # text, a result, text …
    for inside in pieces[1::2]:
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
    if turn["role"] == "user":
        if said := "\n".join(filter(None, pieces[2::2])):
            results.append({"role": "user", "content": said})
        return results
    for result, beside in zip(results, pieces[2::2], strict=True):
        result["content"] = "\n".join(filter(None, (result["content"], beside)))
    return results
