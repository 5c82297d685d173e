"""How one model is shown tools and writes calls: told by a probe, not by the model's name."""

import json
from dataclasses import dataclass
from typing import Any

from tuner_tui.data.examples import Call
from tuner_tui.errors import UserError
from tuner_tui.evaluation.parsing import ParsedAnswer, parse_answer

_PROBE_TOOL = {
    "type": "function",
    "function": {
        "name": "probe_tool",
        "description": "A tool.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}
_PROBE_CALL = Call("probe_tool", {"word": "quartz"})
_PROBE: list[dict[str, Any]] = [{"role": "user", "content": "Call it."}]


@dataclass(frozen=True, slots=True)
class Convention:
    """Rendering and parsing for one tokenizer.

    `text_arguments`: the template wants the arguments of past calls as JSON text. `native`: calls are
    parsed by the model's own schema (`parse_response`), because they are not in the form that
    `parse_answer` calls strict.
    """

    tokenizer: Any
    text_arguments: bool
    native: bool

    def render(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
        """The prompt up to the point where the model speaks. Raises UserError when the template refuses."""
        try:
            return _render(self.tokenizer, messages, tools, text_arguments=self.text_arguments)
        except Exception as error:  # templates raise what they like
            raise UserError(f"the model's chat template refuses a conversation: {_line(error)}") from error

    def parse(
        self, text: str, ids: list[int], prompt: list[int], tools: list[dict[str, Any]]
    ) -> ParsedAnswer:
        """The calls in an answer, by the model's own convention first, then by what comes near to it."""
        if not self.native:
            return parse_answer(text)
        return _parse_native(self.tokenizer, ids, prompt, tools) or _not_strict(parse_answer(text))


def find_convention(tokenizer: Any, model: str) -> Convention:
    """Find out by rendering a call, and parsing it back.

    Raises:
        UserError: the chat template does not show tools to the model.
    """
    try:
        shown = _render(tokenizer, _PROBE, [_PROBE_TOOL])
    except Exception as error:
        raise UserError(f"model {model}: its chat template refuses tools: {_line(error)}") from error
    if _PROBE_CALL.name not in shown:
        raise UserError(
            f"model {model}: its chat template does not show tools to the model; take a model that was "
            "made for tool calling."
        )
    for text_arguments in (False, True):
        answer = _rendered_call(tokenizer, shown, text_arguments)
        if answer is not None:
            parsed = parse_answer(_until_end(answer, tokenizer))
            strict = parsed.strict and parsed.calls == [_PROBE_CALL]
            return Convention(tokenizer, text_arguments, not strict and _has_native_parser(tokenizer))
    return Convention(tokenizer, False, _has_native_parser(tokenizer))


def _rendered_call(tokenizer: Any, shown: str, text_arguments: bool) -> str | None:
    """What the template makes of the probe call, None when it fails or drops the call."""
    call = {
        "type": "function",
        "function": {"name": _PROBE_CALL.name, "arguments": _PROBE_CALL.arguments},
    }
    messages = [*_PROBE, {"role": "assistant", "content": "", "tool_calls": [call]}]
    try:
        whole = _render(tokenizer, messages, [_PROBE_TOOL], text_arguments=text_arguments, prompt=False)
    except Exception:
        return None
    answer = whole[len(shown) :] if whole.startswith(shown) else whole
    return answer if "quartz" in answer else None


def _render(
    tokenizer: Any,
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    *,
    text_arguments: bool = False,
    prompt: bool = True,
) -> str:
    if text_arguments:
        messages = [_with_text_arguments(message) for message in messages]
    return str(
        tokenizer.apply_chat_template(
            messages, tools=tools or None, add_generation_prompt=prompt, tokenize=False
        )
    )


def _with_text_arguments(message: dict[str, Any]) -> dict[str, Any]:
    if not message.get("tool_calls"):
        return message
    calls = [
        {**call, "function": {**call["function"], "arguments": json.dumps(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}


def _has_native_parser(tokenizer: Any) -> bool:
    if getattr(tokenizer, "response_template", None) or getattr(tokenizer, "response_schema", None):
        return True
    from trl.chat_template_utils import add_response_schema

    try:
        add_response_schema(tokenizer)
    except ValueError:  # a template that TRL does not know
        return False
    return True


def _parse_native(
    tokenizer: Any, ids: list[int], prompt: list[int], tools: list[dict[str, Any]]
) -> ParsedAnswer | None:
    """The answer by the model's own schema, None when that finds no call."""
    from trl.chat_template_utils import parse_response

    try:
        message = parse_response(tokenizer, ids, prefix=prompt, tools=tools)
        calls = [
            Call(str(call["function"]["name"]), dict(call["function"]["arguments"]))
            for call in message.get("tool_calls") or []
        ]
    except Exception:  # a schema meets whatever a model wrote: no text may stop an evaluation
        return None
    return ParsedAnswer(str(message.get("content") or ""), calls) if calls else None


def _not_strict(answer: ParsedAnswer) -> ParsedAnswer:
    if not answer.attempted:
        return answer
    return ParsedAnswer(answer.content, answer.calls, False, answer.error)


def _until_end(answer: str, tokenizer: Any) -> str:
    end = tokenizer.eos_token
    return answer.split(end)[0] if end else answer


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
