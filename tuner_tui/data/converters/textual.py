"""Calls that are written into the text without tags: Glaive, ToolACE, ToolLLaMA."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tuner_tui.data.converters.answers import glaive_call
from tuner_tui.data.converters.calls import make_call, to_arguments
from tuner_tui.data.converters.errors import ConversionError, kind_of, malformed, require, unparseable
from tuner_tui.data.converters.finish import FINISH, calls_finish, with_answer
from tuner_tui.data.converters.messages import to_messages
from tuner_tui.data.converters.system import with_system
from tuner_tui.data.converters.tools import to_tools
from tuner_tui.data.converters.turns import merge_turns, name_results
from tuner_tui.data.examples import Example, Message, ToolCall
from tuner_tui.data.literals.values import (
    bracketed,
    objects_in_text,
    read_value,
    split_top,
    tools_in_text,
)

# -- Glaive --------------------------------------------------------------------------------------------------
_SPEAKER = re.compile(r"(?:^|\n)[ \t]*(USER|ASSISTANT|FUNCTION RESPONSE):")
_ROLES = {"USER": "user", "ASSISTANT": "assistant", "FUNCTION RESPONSE": "tool"}
_END = "<|endoftext|>"
_CALL_TAG = "<functioncall>"
_ACCESS = re.compile(r",? with access to the following functions\. ?Use them if required ?-?$")
_TOOLS = re.compile(r"access to the following functions[^{]{0,80}(?=\{)|(?=\{\s{0,80}\"name\"\s{0,80}:)")


def from_glaive(value: Mapping[str, Any]) -> Example:
    """`{"system": "SYSTEM: … {tool} {tool} …", "chat": "USER: … ASSISTANT: <functioncall> {\"name\": …,
    \"arguments\": '{…}'} <|endoftext|> FUNCTION RESPONSE: {…} …"}`: arguments are JSON in single quotes.

    https://huggingface.co/datasets/glaiveai/glaive-function-calling-v2

    Raises:
        ConversionError: nobody speaks in `chat`, or a tool or a call cannot be read.
    """
    chat = require(value, "chat")
    if not isinstance(chat, str):
        raise malformed("chat", f"{kind_of(chat)} where text should be")
    system, tools = _glaive_system(value.get("system"))
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    pieces = _SPEAKER.split(chat)
    if len(pieces) < 3:
        raise malformed("chat", "nobody speaks; a turn begins with USER: or ASSISTANT:")
    if pieces[0].strip():
        raise malformed("chat", "there is text before the first USER: or ASSISTANT:")
    for speaker, said in zip(pieces[1::2], pieces[2::2], strict=True):
        text = said.replace(_END, "").strip()
        if speaker == "ASSISTANT" and _CALL_TAG in text:
            spoken, *called = text.split(_CALL_TAG)
            calls = [glaive_call(one.strip(), "chat") for one in called]
            messages.append({"role": "assistant", "content": spoken.strip(), "tool_calls": calls})
        else:
            messages.append({"role": _ROLES[speaker], "content": text})
    return {"messages": name_results(messages), "tools": tools}


def _glaive_system(value: Any) -> tuple[str, list[dict[str, Any]]]:
    """The system text without its tools, and the tools; a brace elsewhere in it, as in {name}, is text."""
    if not isinstance(value, str):
        return "", []
    text = value.strip().removeprefix("SYSTEM:").strip()
    found = _TOOLS.search(text)
    if found is None:
        return text, []
    start = found.end()
    try:
        tools = objects_in_text(text[start:])
    except ValueError as error:
        raise ConversionError("tools_not_list", "system", f"the tools cannot be read ({error})") from None
    return _ACCESS.sub(".", text[:start].strip()), to_tools(tools, "system")


# -- ToolACE -------------------------------------------------------------------------------------------------
_LOOKS_LIKE_CALLS = re.compile(r"\[\s*[^\s\[\](){}'\"=][^\[\](){}'\"=]*\(")
_PYTHON_FORM = re.compile(
    r"(?:Here is|The following is) a list of functions in JSON format that you can invoke:?"
    r"|Should you decide to return the function call\(s\)[^\n]*"
    r"|Put it in the format of \[func1\([^\n]*"
    r"|NO other text MUST be included\.?"
)


def from_toolace(value: Mapping[str, Any]) -> Example:
    """`{"system": "… [{tool}, …] …", "conversations": [{"from": "user", …}, {"from": "assistant", "value":
    "[Get Weather(city=\\"Rome\\"), f(a=1)]"}, {"from": "tool", …}]}`: calls as Python writes them, but for
    names with spaces, and now and then with words around them; tools only in the system text, which they are
    cut out of.

    https://huggingface.co/datasets/Team-ACE/ToolACE

    Raises:
        ConversionError: a call cannot be read, or a message is malformed.
    """
    turns = to_messages(require(value, "conversations"), "conversations")
    given = value.get("system")
    first = turns[0]["content"] if turns[0]["role"] == "system" else None
    system = first if first is not None else given if isinstance(given, str) else ""
    tools = to_tools(value.get("tools"), "tools")
    if not tools and (held := tools_in_text(system)):
        tools = held[0]
        rest = _PYTHON_FORM.sub("", system.replace(held[1], ""))
        system = "\n".join(line.strip() for line in rest.splitlines() if line.strip(" ."))
    names = [tool["name"] for tool in tools if isinstance(tool.get("name"), str)]
    for index, turn in enumerate(turns):
        if turn["role"] == "assistant":
            _read_python(turn, names, f"conversations[{index}].value")
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    messages.extend(merge_turns(turns if first is None else turns[1:]))
    return {"messages": name_results(messages), "tools": tools}


def _read_python(turn: Message, names: list[str], field: str) -> None:
    """Move the calls from the text of an assistant's turn to where they belong."""
    text = turn["content"].strip()
    if _LOOKS_LIKE_CALLS.match(text) and text.endswith("]"):
        turn["tool_calls"] = python_calls(text, names, field)
        turn["content"] = ""
        return
    start = min((place for name in names if (place := text.find(f"[{name}(")) >= 0), default=-1)
    if start < 0 or not (held := bracketed(text, start)):
        return
    try:
        calls = python_calls(held, names, field)
    except ConversionError:  # words that only look like a call; the validators tell if not
        return
    around = (text[:start].strip(), text[start + len(held) :].strip().removeprefix(".").strip())
    turn["tool_calls"] = calls
    turn["content"] = "\n".join(filter(None, around))


def python_calls(text: str, names: Iterable[str], field: str) -> list[ToolCall]:
    """The calls in `[Get Weather(city="Rome"), f(a=1)]`; `names` of tools may hold any character.

    Raises:
        ConversionError: it is no such list, or an argument has no name or no literal value.
    """
    inside = text.strip()[1:-1]
    longest = sorted(names, key=len, reverse=True)
    return [_python_call(piece.strip(), longest, field) for piece in split_top(inside) if piece.strip()]


def _python_call(text: str, names: list[str], field: str) -> ToolCall:
    name = next((name for name in names if text.startswith(f"{name}(")), text.partition("(")[0])
    arguments = text[len(name) :]
    if not name.strip() or not arguments or bracketed(arguments, 0) != arguments:
        raise unparseable(field, f'"{text[:40]}" is no call such as f(a=1)')
    named: dict[str, Any] = {}
    for piece in split_top(arguments[1:-1]):
        if not piece.strip():
            continue
        key, equals, written = piece.partition("=")
        if not equals or not key.strip() or key.strip()[0] in "\"'[{(":
            raise unparseable(field, f'"{name[:40]}": the argument "{piece.strip()[:40]}" has no name')
        try:
            named[key.strip()] = read_value(written.strip())
        except ValueError as error:
            reason = f"the value of {key.strip()[:40]} is no literal ({error})"
            raise unparseable(field, f'"{name[:40]}": {reason}') from None
    return make_call(name.strip(), named)


# -- ToolLLaMA -----------------------------------------------------------------------------------------------
_ACTION = re.compile(r"(?:^|\n)[ \t]*Action:([^\n]*)\n\s*Action Input:")
_REACT_FORM = re.compile(
    r"Your output should follow this format:\s*Thought:\s*Action:?\s*Action Input:\s*"
    r"|Specifically, you have access to the following APIs:\s*"
)


def from_toolllama(value: Mapping[str, Any]) -> Example:
    """`{"conversations": [{"from": "system", "value": "… APIs: [{tool}, …]"}, {"from": "user", …}, {"from":
    "assistant", "value": "\\nThought: …\\nAction: f\\nAction Input: {…}"}, {"from": "function", …}]}`. The
    thought stays text; a `Finish` with an answer becomes that answer.

    https://github.com/OpenBMB/ToolBench/blob/master/preprocess/preprocess_toolllama_data.py

    Raises:
        ConversionError: an input of an action cannot be read, or a message is malformed.
    """
    turns = to_messages(require(value, "conversations"), "conversations")
    tools = to_tools(value.get("tools"), "tools")
    given = len(turns)
    turns = with_system(turns, value)
    for index, turn in enumerate(turns, given - len(turns)):
        field = f"conversations[{index}].value"
        if turn["role"] == "system" and not tools and (held := tools_in_text(turn["content"])):
            tools = held[0]
            turn["content"] = _REACT_FORM.sub("", turn["content"].replace(held[1], "")).strip()
        elif turn["role"] == "assistant" and (found := _ACTION.search(turn["content"])):
            written = turn["content"][found.end() :].strip()
            turn["tool_calls"] = [make_call(found[1].strip(), _action_input(written, field))]
            turn["content"] = turn["content"][: found.start()].strip().removeprefix("Thought:").strip()
    messages = [turn for turn in with_answer(turns) if turn["role"] != "system" or turn["content"]]
    if not any(calls_finish(message) for message in messages):
        tools = [tool for tool in tools if tool.get("name") != FINISH]
    return {"messages": name_results(messages), "tools": tools}


def _action_input(text: str, field: str) -> dict[str, Any]:
    try:
        value = read_value(text) if text else {}
    except ValueError as error:
        raise unparseable(field, f"the input of the action is neither JSON nor Python ({error})") from None
    return to_arguments(value, field)
