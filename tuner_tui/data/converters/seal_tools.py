"""Seal-Tools: a request and the calls that serve it, which may use one another's responses.

    {"id", "query", "calling": [{"api", "parameters": {…}, "responses": ["API_call_0", …]}]}

A call's responses have names, and a later call may have such a name ("API_call_0") as an argument: it stays
as it stands, and the first name is the call's id. The tools are those that are called, from `tool.jsonl`
beside the file: {"api_name", "api_description", "parameters": {name: {"type", "description"}}, "required",
"responses"}. What a tool responds is kept in its declaration, since the names stand for it.

The files of dataset_for_finetune hold the same as text: {"conversations": [human, gpt]}, the tools
(candidates among them) and the request in the one, the calls as a Python list in the other.

Source: https://github.com/fairyshine/Seal-Tools, Seal-Tools_Dataset.
"""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.calls import make_call, to_arguments
from tuner_tui.data.converters.errors import ConversionError, kind_of, malformed, unparseable
from tuner_tui.data.converters.tools import to_tools
from tuner_tui.data.examples import Example, ToolCall
from tuner_tui.data.layouts.companions import Companion
from tuner_tui.data.literals.values import read_value

_TOOLS, _QUERY, _END = "\napi_list = ", "\ntask_instruction = ", "\nOutput:"


def from_seal_tools(value: Mapping[str, Any], companion: Companion) -> Example:
    """One request.

    Raises:
        ConversionError: it is a row of tool.jsonl, that file is needed and not there, or a call is malformed.
    """
    if "conversations" in value:
        return _from_text(value["conversations"])
    if "calling" not in value:
        raise ConversionError(
            "no_answer",
            "api_name",
            "a row of tool.jsonl: it declares a tool, and asks and answers nothing; the requests are in the "
            "files beside it",
        )
    query = value.get("query")
    if not isinstance(query, str):
        raise malformed("query", f"{kind_of(query)} where text should be")
    calls = _calls(value["calling"], "calling")
    if calls and not companion.tools:
        reason = f"the tools of this layout stand in tool.jsonl; {companion.missing or 'it declares none'}"
        raise ConversionError("missing_companion", None, reason)
    names = dict.fromkeys(call["function"]["name"] for call in calls)
    return _example(query, calls, [companion.tools[name] for name in names if name in companion.tools])


def _from_text(turns: Any) -> Example:
    match turns:
        case [{"value": str(prompt)}, {"value": str(answer)}] if _TOOLS in prompt and _QUERY in prompt:
            declared, _, asked = prompt.partition(_TOOLS)[2].partition(_QUERY)
            query = asked.rpartition(_END)[0].strip().removeprefix('"').removesuffix('"')
            tools = to_tools(_literal(declared, "conversations[0].value"), "conversations[0].value")
            calls = _calls(_literal(answer, "conversations[1].value"), "conversations[1].value")
            return _example(query, calls, tools)
        case _:
            reason = "two turns should be here: one with api_list and task_instruction, and its answer"
            raise malformed("conversations", reason)


def _example(query: str, calls: list[ToolCall], tools: list[dict[str, Any]]) -> Example:
    answer: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": calls}
    return {
        "messages": [{"role": "user", "content": query}, answer],
        "tools": [_tool(tool) for tool in tools],
        "original_tools": tools,
    }


def _literal(text: str, field: str) -> Any:
    try:
        return read_value(text)
    except ValueError as error:
        raise unparseable(field, f"the list is no Python literal ({error})") from None


def _calls(value: Any, field: str) -> list[ToolCall]:
    if not isinstance(value, list) or not value:
        raise malformed(field, "there is no list of calls")
    calls: list[ToolCall] = []
    for index, one in enumerate(value):
        place = f"{field}[{index}]"
        name = one.get("api") if isinstance(one, Mapping) else None
        if not isinstance(name, str) or not name:
            raise malformed(f"{place}.api", "the call names no tool")
        responses = one.get("responses")
        identity = responses[0] if isinstance(responses, list) and responses else None
        calls.append(make_call(name, to_arguments(one.get("parameters"), f"{place}.parameters"), identity))
    return calls


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    declared: dict[str, Any] = {
        "name": tool.get("api_name"),
        "description": tool.get("api_description", ""),
        "parameters": {
            "type": "object",
            "properties": tool.get("parameters", {}),
            "required": tool.get("required", []),
        },
    }
    return declared | ({"responses": tool["responses"]} if "responses" in tool else {})
