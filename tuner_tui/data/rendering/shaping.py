"""How a chat template wants the things about which templates disagree: arguments, and the form of content.

The canonical example keeps arguments as an object and content as text. Of the templates that TRL 1.16 ships,
most want it so; DeepSeek V3 joins arguments as text, and Idefics, LLaVA and SmolVLM want content as a list of
typed parts. `probe.probe` finds out, by rendering, which shape a template needs.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tuner_tui.data.examples import Message


@dataclass(frozen=True, slots=True)
class Shape:
    """What messages are turned into before a template sees them.

    Args:
        text_arguments: arguments as JSON text instead of an object.
        typed_content: content as `[{"type": "text", "text": ...}]` instead of text.
        omit_empty: no `content` at all beside tool calls, instead of an empty text.
    """

    text_arguments: bool = False
    typed_content: bool = False
    omit_empty: bool = False

    def apply(self, messages: Sequence[Message]) -> Sequence[Any]:
        """The messages in this shape; the very same list where nothing has to change."""
        if not (self.text_arguments or self.typed_content or self.omit_empty):
            return messages
        return [self._shaped(message) for message in messages]

    def _shaped(self, message: Message) -> dict[str, Any]:
        shaped: dict[str, Any] = {**message}
        calls = message.get("tool_calls")
        if self.omit_empty and calls and not message.get("content"):
            shaped.pop("content", None)
        elif self.typed_content:
            shaped["content"] = [{"type": "text", "text": message["content"]}]
        if self.text_arguments and calls:
            shaped["tool_calls"] = [
                {**call, "function": {**call["function"], "arguments": _text(call["function"]["arguments"])}}
                for call in calls
            ]
        return shaped


SHAPES = tuple(
    Shape(text, typed, omit) for omit, typed, text in product((False, True), (False, True), (False, True))
)
"""All shapes, the plainest first."""


def _text(arguments: Any) -> str:
    # As transformers' own `tojson` writes it: no ASCII escapes.
    return json.dumps(arguments, ensure_ascii=False)
