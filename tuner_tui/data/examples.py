"""The canonical example: the one shape that every dataset is turned into.

It is TRL's conversational type, so that nothing has to be translated twice
(https://huggingface.co/docs/trl/dataset_formats#tool-calling):

    {"messages": [Message, ...], "tools": [Tool, ...]}
    {"prompt": [Message, ...], "chosen": [...], "rejected": [...], "tools": [Tool, ...]}
    {"prompt": [Message, ...], "completion": [...], "label": true, "tools": [Tool, ...]}

The first is a conversation, the second a preference pair, the third unpaired preference (KTO). An optional
`original_tools` keeps the tools as they stood in the file, where normalising them changed something; it is
never shown to a model.

An example is a plain dict, because it comes from JSON and goes to JSON and to chat templates.
After `converters.convert` it is sound in its shape: `content` is text, `tool_calls` is absent or a
list that is not empty, arguments are an object, `tools` is a list of objects. What is *in* it is
the business of `validators`.
"""

from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict


class Function(TypedDict):
    """What a tool call names: a tool, and its arguments as an object."""

    name: str
    arguments: dict[str, Any]


class ToolCall(TypedDict):
    """One call in an assistant message; `id` ties it to the tool message that answers it."""

    type: Literal["function"]
    function: Function
    id: NotRequired[str]


class Message(TypedDict):
    """One turn. `name` and `tool_call_id` are a tool message's; `reasoning_content` and `weight`
    (0: not to be trained) an assistant message's."""

    role: str
    content: str
    tool_calls: NotRequired[list[ToolCall]]
    name: NotRequired[str]
    tool_call_id: NotRequired[str]
    reasoning_content: NotRequired[str]
    weight: NotRequired[int]


class Tool(TypedDict):
    """A declared tool; `function` holds `name`, `description` and `parameters` (JSON Schema)."""

    type: Literal["function"]
    function: dict[str, Any]


Example = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call, reduced to what is compared: the tool's name and the arguments."""

    name: str
    arguments: dict[str, Any]


def is_preference(example: Example) -> bool:
    """Whether the example is a preference pair rather than one conversation."""
    return "chosen" in example


def is_unpaired(example: Example) -> bool:
    """Whether the example is one answer with a label, good or bad (KTO)."""
    return "label" in example


def conversation(example: Example) -> list[Message]:
    """All messages in order; of a preference pair, the prompt and the chosen answer."""
    if is_preference(example):
        return [*example["prompt"], *example["chosen"]]
    if is_unpaired(example):
        return [*example["prompt"], *example["completion"]]
    messages: list[Message] = example["messages"]
    return messages


def calls(message: Message) -> list[Call]:
    """The tool calls of one message, in order."""
    return [
        Call(call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls", ())
    ]


def gold_calls(example: Example) -> list[Call]:
    """The calls of the last assistant message: what the model should answer, empty for none."""
    for message in reversed(conversation(example)):
        if message["role"] == "assistant":
            return calls(message)
    return []
