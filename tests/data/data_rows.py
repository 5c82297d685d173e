"""Messages, calls and rows, written short."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner_tui.data.examples import Example

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "hours": {"type": "array", "items": {"type": "number"}},
                "place": {
                    "type": "object",
                    "properties": {"country": {"type": "string"}},
                    "required": ["country"],
                    "additionalProperties": False,
                },
            },
            "required": ["city"],
        },
    },
}


def call(name: str = "weather", **arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


def user(text: str = "Will it rain in Rome?") -> dict[str, Any]:
    return {"role": "user", "content": text}


def answer(text: str = "", *calls: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    return message | ({"tool_calls": list(calls)} if calls else {})


def result(text: str = '{"rain": true}', **extra: Any) -> dict[str, Any]:
    return {"role": "tool", "content": text, **extra}


def example(*messages: dict[str, Any], tools: list[Any] | None = None) -> Example:
    return {"messages": list(messages), "tools": [TOOL] if tools is None else tools}


def conversation(number: int, **extra: Any) -> Example:
    """A sound row; each number has its own."""
    return example(
        user(f"Will it rain in city {number}?"),
        answer("", call(city=f"city {number}", days=number % 7)),
        result('{"rain": true}', name="weather"),
        answer(f"Yes, in {number}."),
        **extra,
    )


Writer = Callable[..., Path]
