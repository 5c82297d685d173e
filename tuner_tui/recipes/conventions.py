"""How one model is shown tools and writes calls: told by a probe, not by the model's name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuner_tui.data.answers.forms import Form
from tuner_tui.data.answers.parsing import ParsedAnswer, parse_answer
from tuner_tui.data.examples import Call, Message, Tool, ToolCall
from tuner_tui.data.rendering.probe import Part, probe
from tuner_tui.data.rendering.shaping import Shape
from tuner_tui.errors import UserError

_PROBE_TOOL: Tool = {
    "type": "function",
    "function": {
        "name": "probe_tool",
        "description": "A tool.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}
_PROBE_CALL = Call("probe_tool", {"word": "quartz"})
_PROBE: list[Message] = [{"role": "user", "content": "Call it."}]


@dataclass(frozen=True, slots=True)
class Convention:
    """Rendering and parsing for one tokenizer.

    `shape`: the shape in which the template wants messages. `native`: calls are parsed by the model's own
    schema (`parse_response`), because they are in no form that `parse_answer` knows; otherwise `form` is
    theirs.
    """

    tokenizer: Any
    shape: Shape
    native: bool
    form: Form = Form.TAGGED

    def render(self, messages: Sequence[Any], tools: list[dict[str, Any]]) -> str:
        """The prompt up to the point where the model speaks. Raises UserError when the template refuses."""
        try:
            return _render(self.tokenizer, self.shape.apply(messages), tools)
        except Exception as error:  # templates raise what they like
            raise UserError(f"the model's chat template refuses a conversation: {_line(error)}") from error

    def parse(
        self, text: str, ids: list[int], prompt: list[int], tools: list[dict[str, Any]]
    ) -> ParsedAnswer:
        """The calls in an answer, by the model's own convention first, then by what comes near to it."""
        if not self.native:
            return parse_answer(text, self.form)
        return _parse_native(self.tokenizer, ids, prompt, tools) or _not_strict(parse_answer(text))


def find_convention(tokenizer: Any, model: str) -> Convention:
    """Find out by rendering a call, and parsing it back.

    Raises:
        UserError: the chat template does not show tools to the model.
    """
    probed = probe(lambda messages, tools, prompt: _render(tokenizer, messages, tools, prompt=prompt))
    shape = probed.shape
    if Part.TOOLS in probed.lost:
        words = probed.lost[Part.TOOLS]
        raise UserError(
            f"model {model}: its chat template "
            + (f"refuses tools: {words}" if words else "does not show tools to the model")
            + "; take a model that was made for tool calling."
        )
    answer = _rendered_call(tokenizer, shape)
    if answer is not None:
        for form in Form:
            parsed = parse_answer(_until_end(answer, tokenizer), form)
            if parsed.strict and parsed.calls == [_PROBE_CALL]:
                return Convention(tokenizer, shape, False, form)
    return Convention(tokenizer, shape, _has_native_parser(tokenizer))


def _rendered_call(tokenizer: Any, shape: Shape) -> str | None:
    """What the template makes of the probe call, None when it fails or drops the call."""
    call: ToolCall = {
        "type": "function",
        "function": {"name": _PROBE_CALL.name, "arguments": _PROBE_CALL.arguments},
    }
    messages: list[Message] = [*_PROBE, {"role": "assistant", "content": "", "tool_calls": [call]}]
    try:
        shown = _render(tokenizer, shape.apply(_PROBE), [_PROBE_TOOL])
        whole = _render(tokenizer, shape.apply(messages), [_PROBE_TOOL], prompt=False)
    except Exception:  # templates raise what they like
        return None
    answer = whole[len(shown) :] if whole.startswith(shown) else whole
    return answer if "quartz" in answer else None


def _render(tokenizer: Any, messages: Sequence[Any], tools: Sequence[Any], *, prompt: bool = True) -> str:
    return str(
        tokenizer.apply_chat_template(
            messages, tools=tools or None, add_generation_prompt=prompt, tokenize=False
        )
    )


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
