"""ToolAlpaca: an API as an OpenAPI document, with instructions and what answers them.

    {"Name", "Documentation": "{OpenAPI}", "Function_Description": {name: text}, "Function_Projection": {name:
     [path, method]}, "Instructions": [text], "Golden_Answers": [[{"Action", "Action_Input": "{…}"}]]}

The training file has `Instances` in place of `Golden_Answers`: {"input", "output", "Final Thought",
"intermediate_steps": [[[action, input, log], observation], …]}. `reshape` has made a row of each
instruction. The tool `getDetails`, which asks the user back, is offered besides those of the API, as in the
original prompt.

A thought that leads to a call is the text beside it; the final thought is reasoning, and the output is the
answer.

Source: https://github.com/tangqiaoyu/ToolAlpaca, data/ and build_dataset.py.
"""

import re
from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.calls import make_call, to_arguments
from tuner_tui.data.converters.errors import ConversionError, kind_of, malformed, require, unparseable
from tuner_tui.data.converters.openapi import tools_of_document
from tuner_tui.data.examples import Example, Message, ToolCall

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}?")
_OPTIONAL = "[Optional]"  # before an action that may be left out
_GET_DETAILS = {
    "name": "getDetails",
    "description": "Ask the user for information that the request lacks.",
    "parameters": {
        "type": "object",
        "properties": {
            "Question": {
                "type": "string",
                "description": "The question to prompt user to provide sufficient information.",
            }
        },
        "required": ["Question"],
    },
}


def from_toolalpaca(value: Mapping[str, Any]) -> Example:
    """One instruction of an API.

    Raises:
        ConversionError: nothing answers the instruction, an action's input is not JSON (it may hold a
            placeholder `${x from tool}`), or the API's document cannot be read.
    """
    instance, golden = value.get("Instance"), value.get("Golden_Answer")
    if isinstance(instance, Mapping) and instance.get("intermediate_steps"):
        messages = _instance(instance, value.get("Instruction"))
    elif golden:
        messages = [_user(require(value, "Instruction"), "Instruction"), _golden(golden)]
    else:
        raise ConversionError("no_answer", "Instruction", "nothing answers this instruction")
    names, texts = value.get("Function_Projection"), value.get("Function_Description")
    tools = tools_of_document(value.get("Documentation"), "Documentation", names, texts)
    return {"messages": messages, "tools": [*tools, _GET_DETAILS]}


def _user(text: Any, field: str) -> Message:
    if not isinstance(text, str):
        raise malformed(field, f"{kind_of(text)} where text should be")
    return {"role": "user", "content": text}


def _golden(actions: Any) -> Message:
    """All actions in one turn: they come without results, so there is nothing to stand between them."""
    if not isinstance(actions, list):
        raise malformed("Golden_Answer", f"{kind_of(actions)} where a list should be")
    calls: list[ToolCall] = []
    for index, action in enumerate(actions):
        field = f"Golden_Answer[{index}]"
        if not isinstance(action, Mapping):
            raise malformed(field, f"{kind_of(action)} where an action should be")
        calls.append(_call(action.get("Action"), action.get("Action_Input"), field))
    return {"role": "assistant", "content": "", "tool_calls": calls}


def _instance(instance: Mapping[str, Any], instruction: Any) -> list[Message]:
    asked = instance.get("input", instruction)
    if isinstance(asked, str):
        asked = asked.rsplit("\nHint: ", 1)[0]  # as the original training does
    messages = [_user(asked, "Instance.input")]
    steps = instance["intermediate_steps"]
    if not isinstance(steps, list):
        raise malformed("Instance.intermediate_steps", f"{kind_of(steps)} where a list should be")
    for index, step in enumerate(steps):
        messages.extend(_step(step, f"Instance.intermediate_steps[{index}]"))
    output = instance.get("output")
    if isinstance(output, str) and output:
        last: Message = {"role": "assistant", "content": output}
        if isinstance(thought := instance.get("Final Thought"), str) and thought.strip():
            last["reasoning_content"] = thought.strip()
        messages.append(last)
    return messages


def _step(step: Any, field: str) -> list[Message]:
    match step:
        case [[action, argument, str(log)], str(observation)]:
            call = _call(action, argument, f"{field}[0]")
        case _:
            raise malformed(field, "a step is [[action, input, log], observation]")
    thought = log.split("\nAction:", 1)[0].strip().removeprefix("Thought:").strip()
    name = call["function"]["name"]
    return [
        {"role": "assistant", "content": thought, "tool_calls": [call]},
        {"role": "tool", "content": observation, "name": name},
    ]


def _call(action: Any, argument: Any, field: str) -> ToolCall:
    if not isinstance(action, str) or not action:
        raise malformed(field, "the action names no tool")
    if isinstance(argument, str) and (found := _PLACEHOLDER.search(argument)):
        reason = f"the input holds the placeholder {found[0][:80]} where a value should be"
        raise unparseable(f"{field}.Action_Input", reason)
    name = action.removeprefix(_OPTIONAL).strip()
    return make_call(name, to_arguments(argument, f"{field}.Action_Input"))
