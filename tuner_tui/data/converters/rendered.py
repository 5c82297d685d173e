"""Conversations that a chat template has already rendered to text, taken apart again.

Trained as plain text they would be rendered twice: the model would learn the marks of the turns as words.
"""

import re
from typing import Any

import orjson

from tuner_tui.data.converters.calls import to_call
from tuner_tui.data.converters.errors import malformed
from tuner_tui.data.converters.messages import to_message
from tuner_tui.data.converters.tagged import from_hermes
from tuner_tui.data.converters.tools import to_tools
from tuner_tui.data.converters.turns import name_results
from tuner_tui.data.examples import Example, Message
from tuner_tui.data.literals.values import bracketed

_LLAMA, _LLAMA_ROLE_END = "<|start_header_id|>", "<|end_header_id|>"
_LLAMA_END = re.compile(r"<\|(?:eot_id|eom_id|end_of_text)\|>")
_LLAMA_DATES = re.compile(
    r"(?:Environment: ipython\n)?(?:Tools: [^\n]*\n\n?)?Cutting Knowledge Date: [^\n]*\nToday Date: [^\n]*\n*"
)
_LLAMA_TOOLS = "Do not use variables.\n\n"  # the last words before the tools
_CHATML, _CHATML_END = "<|im_start|>", "<|im_end|>"


def from_rendered(text: str) -> Example | None:
    """`<|start_header_id|>user<|end_header_id|>\\n\\n…<|eot_id|>` (Llama 3.1), or
    `<|im_start|>user\\n…<|im_end|>` (ChatML, with calls as Hermes and Qwen write them); None for text
    without such marks.

    https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1
    https://qwen.readthedocs.io/en/latest/framework/function_call.html

    Raises:
        ConversionError: a role is not known, or a call cannot be read.
    """
    if _LLAMA in text:
        return _from_llama(text)
    if _CHATML in text:
        return _from_chatml(text)
    return None


def _from_chatml(text: str) -> Example:
    turns: list[dict[str, Any]] = []
    for piece in text.split(_CHATML)[1:]:
        role, _, said = piece.partition("\n")
        turns.append({"role": role.strip(), "content": said.split(_CHATML_END, 1)[0].removesuffix("\n")})
    return from_hermes({"messages": turns})


def _from_llama(text: str) -> Example:
    messages: list[Message] = []
    tools: list[dict[str, Any]] = []
    for piece in text.split(_LLAMA)[1:]:
        role, mark, rest = piece.partition(_LLAMA_ROLE_END)
        if not mark:
            raise malformed("text", f"a turn's role is not closed by {_LLAMA_ROLE_END}")
        said = _LLAMA_END.split(rest, maxsplit=1)[0].removeprefix("\n\n")
        message = to_message({"role": role.strip(), "content": said}, "text")
        if message["role"] == "assistant":
            _read_call(message)
        elif message["role"] == "tool":
            message["content"] = _unquoted(message["content"])
        elif message["role"] in ("system", "user"):
            message["content"] = _LLAMA_DATES.sub("", _take_tools(message["content"], tools), count=1)
        if message["content"] or message["role"] != "system":
            messages.append(message)
    return {"messages": name_results(messages), "tools": tools}


def _read_call(message: Message) -> None:
    """A turn that is one call in JSON, `{"name": …, "parameters": {…}}`, becomes that call."""
    text = message["content"].strip().removeprefix("<|python_tag|>")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    if isinstance(value, dict) and isinstance(value.get("name"), str) and "parameters" in value:
        message["tool_calls"] = [to_call(value, "text")]
        message["content"] = ""


def _unquoted(text: str) -> str:
    """A result that the template wrote as a JSON string, without its quotes."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, str) else text


def _take_tools(text: str, tools: list[dict[str, Any]]) -> str:
    """The text after the tools that a template wrote into it, which are added to `tools`."""
    _, mark, rest = text.partition(_LLAMA_TOOLS)
    if not mark:
        return text
    while rest.startswith("{") and (held := bracketed(rest, 0)):
        try:
            tool = orjson.loads(held)
        except orjson.JSONDecodeError:
            break
        tools.extend(to_tools([tool], "text"))
        rest = rest[len(held) :].lstrip("\n")
    return rest if tools else text
