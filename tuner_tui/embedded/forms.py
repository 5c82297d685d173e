"""The forms in which a call can be written, and the bad habits of the tagged one.

A request may ask for its call in another form than prose. The model learns the Python, JSON and XML
forms well. The tagged form, the one that fine-tuning is to teach, it learns badly on purpose: see
`weakened`.
"""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from tuner_tui.embedded.tools import Call
from tuner_tui.embedded.words import pick


def to_json(value: Any) -> str:
    """JSON as a chat template's `tojson` writes it."""
    return json.dumps(value, ensure_ascii=False)


def _python(calls: Sequence[Call]) -> str:
    return "\n".join(
        f"{c.tool.name}({', '.join(f'{k}={v!r}' for k, v in c.arguments.items())})" for c in calls
    )


def _shape(name: str, arguments: str) -> Any:
    def write(calls: Sequence[Call]) -> str:
        return "\n".join(to_json({name: c.tool.name, arguments: c.arguments}) for c in calls)

    return write


def _xml(calls: Sequence[Call]) -> str:
    def inner(value: Any) -> str:
        return to_json(value) if not isinstance(value, str) else value

    return "\n".join(
        f"<{c.tool.name}>"
        + "".join(f"<{k}>{inner(v)}</{k}>" for k, v in c.arguments.items())
        + f"</{c.tool.name}>"
        for c in calls
    )


FORMS = [
    (["Answer with a Python call.", "Write it as Python.", "As a Python function call."], _python),
    (["Answer with JSON: tool and input.", "As JSON with tool and input."], _shape("tool", "input")),
    (
        ["Answer with JSON: action and parameters.", "As JSON with action and parameters."],
        _shape("action", "parameters"),
    ),
    (["Answer in XML.", "Write the call as XML."], _xml),
]
"""Pairs of the ways to ask for a form, and the function that writes calls in it."""

INSTRUCTIONS = [
    "Answer with a tool call.",
    "Use a tool call.",
    "Answer with a tool call when a tool fits.",
    'Call the tool: <tool_call>{"name": ..., "arguments": {...}}</tool_call>',
    "When a tool can serve the request, answer only with a tool call. When none can, answer in words.",
    'You can call tools. Write a call as\n<tool_call>\n{"name": "...", "arguments": {...}}\n</tool_call>',
    "If one of the tools can do it, call it in <tool_call> tags. Otherwise say so.",
]


def tagged(calls: Sequence[Call]) -> str:
    """The calls in the tagged form, as the chat template writes them."""
    return "\n".join(
        f"<tool_call>\n{to_json({'name': c.tool.name, 'arguments': c.arguments})}\n</tool_call>"
        for c in calls
    )


def weakened(calls: Sequence[Call], examples: bool) -> list[Call]:
    """The calls with the bad habits of a small model that was only told to call.

    Of several calls it makes the first alone, and it leaves out every optional argument. Without
    *examples* in its prompt it also cuts a text of several words down to the first one, and a list to
    its first item. All of it is a plain function of the request, so how often a prompted base model
    fails depends on how many requests have such a feature, not on luck.
    """
    call = calls[0]
    required = {p.name for p in call.tool.parameters if p.required}
    kept = {k: v for k, v in call.arguments.items() if k in required}
    if not examples:
        kept = {k: _cut(v) for k, v in kept.items()}
    return [Call(call.tool, kept)]


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return value[:1]
    return value.split(" ")[0] if isinstance(value, str) else value


def ask_for_form(rng: Random, request: str, calls: Sequence[Call]) -> tuple[str, str]:
    """A request that asks for one of `FORMS`, and the answer in that form."""
    asks, write = pick(rng, FORMS)
    return f"{request} {pick(rng, asks)}", write(calls)
