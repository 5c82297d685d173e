"""Rows in tokens: how long they are, how much of them is trained, and what a limit cuts off."""

from collections.abc import Iterator, Sequence

from tuner_tui.data.examples import Example, Message, conversation
from tuner_tui.data.preview import ChatTemplate, Encoded
from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.template import TemplateFailure

PROBE_CALL = "Quillonbury"
PROBE_RESULT = "17.5 millibrams"
PROBE_TOOL = "Tells the tide at a port of the probe."
_PROBE: Example = {
    "messages": [
        {"role": "user", "content": "How high is the tide?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "type": "function",
                    "id": "call00001",
                    "function": {"name": "probe_tide", "arguments": {"port": PROBE_CALL}},
                }
            ],
        },
        {"role": "tool", "name": "probe_tide", "tool_call_id": "call00001", "content": PROBE_RESULT},
        {"role": "assistant", "content": "It is high."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "probe_tide",
                "description": PROBE_TOOL,
                "parameters": {
                    "type": "object",
                    "properties": {"port": {"type": "string", "description": "A port."}},
                    "required": ["port"],
                },
            },
        }
    ],
}


def check_template(template: ChatTemplate) -> Iterator[Finding]:
    """Render a conversation with a tool, a call and its result, and look whether all three appear.

    Several templates in use leave one of them out without a word.
    """
    try:
        text = template.render(_PROBE).text
    except TemplateFailure as failure:
        message = f"the template refuses a conversation with a tool call: {failure}"
        yield finding("template_drops", None, None, message)
    else:
        parts = {"the tools": PROBE_TOOL, "the calls": PROBE_CALL, "the tool results": PROBE_RESULT}
        if lost := [name for name, sign in parts.items() if sign not in text]:
            yield finding("template_drops", None, None, f"the template leaves out {', '.join(lost)}")
    if not template.marks_generation:
        message = "the chat template does not mark which tokens the assistant wrote"
        yield finding("no_loss_mask", None, None, message)


def check_length(
    example: Example, encoded: Encoded, row: int, max_length: int | None, *, masked: bool
) -> Iterator[Finding]:
    """What the mask and `max_length` (tokens; None for no limit) do to one encoded row.

    The trainer keeps the first `max_length` tokens. `masked`: whether the template marks what is trained.
    """
    length = len(encoded.ids)
    if masked and not any(encoded.mask):
        yield finding("nothing_to_train", row, None, "no token of the rendered row is trained")
        return
    if max_length is None or length <= max_length:
        return
    answers = [message for message in conversation(example) if message["role"] == "assistant"]
    lost = f"{length} tokens; the last {length - max_length} are cut off"
    if not any(encoded.mask[:max_length]):
        yield finding("nothing_to_train", row, None, f"{lost}, and with them every trained one")
        return
    cut = encoded.offsets[max_length][0]
    halved = _halved(answers, encoded, cut)
    if halved is not None and halved.get("tool_calls"):
        name = halved["tool_calls"][0]["function"]["name"]
        yield finding("call_cut", row, None, f'{lost}, in the middle of the call of "{name}"')
        return
    whole = sum(end <= cut for _, end in encoded.spans)
    kept = f"of {len(answers)} assistant turns, {whole} stay whole" if answers else "all of it untrained"
    yield finding("too_long", row, None, f"{lost}: {kept}")


def _halved(answers: Sequence[Message], encoded: Encoded, cut: int) -> Message | None:
    """The assistant turn that the cut goes through, where turns and marked spans agree in number."""
    if len(answers) != len(encoded.spans):
        return None
    for answer, (start, end) in zip(answers, encoded.spans, strict=True):
        if start < cut < end:
            return answer
    return None
