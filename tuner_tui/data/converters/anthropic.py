"""Messages of Anthropic's API: calls and results are blocks of the content.

https://docs.anthropic.com/en/docs/build-with-claude/tool-use
"""

from collections.abc import Iterator, Mapping
from typing import Any

_BLOCKS = ("tool_use", "tool_result")


def unfold_blocks(messages: Any) -> Any:
    """A row's messages with every `tool_use` block as a call of its message, and every `tool_result` block
    as a tool message before what else its message says; anything else as it is."""
    if not isinstance(messages, list) or not any(map(_has_blocks, messages)):
        return messages
    return [told for message in messages for told in _unfolded(message)]


def _has_blocks(message: Any) -> bool:
    content = message.get("content") if isinstance(message, Mapping) else None
    return isinstance(content, list) and any(_kind(part) in _BLOCKS for part in content)


def _kind(part: Any) -> Any:
    return part.get("type") if isinstance(part, Mapping) else None


def _unfolded(message: Any) -> Iterator[Any]:
    if not _has_blocks(message):
        yield message
        return
    calls: list[dict[str, Any]] = []
    rest: list[Any] = []
    for part in message["content"]:
        if _kind(part) == "tool_use":
            function = {"name": part.get("name"), "arguments": part.get("input")}
            calls.append({"id": part.get("id"), "type": "function", "function": function})
        elif _kind(part) == "tool_result":
            content = part.get("content")
            yield {"role": "tool", "tool_call_id": part.get("tool_use_id"), "content": content}
        else:
            rest.append(part)
    if rest or calls:
        yield {**message, "content": rest, **({"tool_calls": calls} if calls else {})}
