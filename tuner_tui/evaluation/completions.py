"""Chat completions on the wire: our messages as a server wants them, and its answer taken apart."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.data.answers.parsing import ParsedAnswer, parse_answer
from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.tasks import Answer

_ENDS = ("length", "max_tokens")


def wire_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages whose arguments are JSON text, and whose tool results name the calls that they answer."""
    wired: list[dict[str, Any]] = []
    waiting: list[str] = []
    for message in messages:
        kept = {"role": message["role"], "content": message.get("content") or ""}
        if calls := message.get("tool_calls"):
            waiting = [
                str(call.get("id") or f"call_{len(wired)}_{place}") for place, call in enumerate(calls)
            ]
            kept["tool_calls"] = [
                {
                    "id": id,
                    "type": "function",
                    "function": {
                        "name": call["function"]["name"],
                        "arguments": _text(call["function"].get("arguments", {})),
                    },
                }
                for id, call in zip(waiting, calls, strict=True)
            ]
        elif message["role"] == "tool":
            given = message.get("tool_call_id")
            kept["tool_call_id"] = given or (waiting[0] if waiting else "call_0")
            waiting = [id for id in waiting if id != kept["tool_call_id"]]
        wired.append(kept)
    return wired


def parse_completion(value: Any) -> Answer:
    """The first choice of a completion.

    Calls come from `tool_calls`; where the server leaves them in the text, from there. The text that is kept
    for people shows calls in the form of Hermes.

    Raises:
        UserError: it is no chat completion.
    """
    try:
        choice = value["choices"][0]
        message = choice["message"]
        content = _clean(message.get("content") or "")
        made = message.get("tool_calls") or []
        functions = [call["function"] for call in made]
        names = [_clean(str(function["name"])) for function in functions]
    except (KeyError, IndexError, TypeError, AttributeError):
        raise UserError(
            "the server's answer is no chat completion; is it an OpenAI-compatible server?"
        ) from None
    usage = value.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    parsed = parse_answer(content)
    text = content
    if functions:
        arguments = [_arguments(function.get("arguments")) for function in functions]
        calls = [Call(name, found) for name, found in zip(names, arguments, strict=True) if found is not None]
        error = None if len(calls) == len(functions) else "a call whose arguments are no JSON object"
        parsed = ParsedAnswer(content, calls, error is None, error)
        text = "\n".join([*([content] if content else []), *map(_shown, functions)])
    return Answer(
        text,
        parsed,
        tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else 0,
        0.0,
        cut=choice.get("finish_reason") in _ENDS,
    )


def _arguments(value: Any) -> dict[str, Any] | None:
    """The arguments of one call, read as carefully as those that stand in a text."""
    if value in (None, ""):
        return {}
    text = value if isinstance(value, str) else json.dumps(value)
    found = parse_answer('<tool_call>{"name": "x", "arguments": ' + text + "}</tool_call>")
    return found.calls[0].arguments if len(found.calls) == 1 and found.error is None else None


def _shown(function: Mapping[str, Any]) -> str:
    name, arguments = json.dumps(function["name"]), _text(function.get("arguments") or {})
    return _clean(f'<tool_call>\n{{"name": {name}, "arguments": {arguments}}}\n</tool_call>')


def _text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)


def _clean(text: Any) -> str:
    """Text without what cannot be written in UTF-8; of a list of parts, their texts."""
    if isinstance(text, list):
        text = "".join(str(part.get("text", "")) for part in text if isinstance(part, dict))
    return str(text).encode("utf-8", "replace").decode()
