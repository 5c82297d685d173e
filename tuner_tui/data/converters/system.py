"""The system text that stands beside the conversation, in a field of its own."""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.examples import Message


def with_system(messages: list[Message], value: Mapping[str, Any]) -> list[Message]:
    """The messages, after the row's `system` unless a system turn is there already.

    It is text, or a list of `{"type": "text", "text": …}`
    (https://docs.anthropic.com/en/api/messages#body-system).
    """
    text = value.get("system")
    if isinstance(text, list):
        parts = (part.get("text") for part in text if isinstance(part, Mapping))
        text = "\n".join(part for part in parts if isinstance(part, str))
    if not isinstance(text, str) or not text.strip() or (messages and messages[0]["role"] == "system"):
        return messages
    return [{"role": "system", "content": text}, *messages]
