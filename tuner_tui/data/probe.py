"""Whether a chat template shows the model what tool use needs."""

from collections.abc import Iterator

from tuner_tui.data.examples import Example
from tuner_tui.data.preview import ChatTemplate
from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.template import TemplateFailure

# Words that no template contains of itself.
_IN_CALL = "Quillonbury"
_IN_RESULT = "17.5 millibrams"
_IN_TOOL = "Tells the tide at a port of the probe."
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
                    "function": {"name": "probe_tide", "arguments": {"port": _IN_CALL}},
                }
            ],
        },
        {"role": "tool", "name": "probe_tide", "tool_call_id": "call00001", "content": _IN_RESULT},
        {"role": "assistant", "content": "It is high."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "probe_tide",
                "description": _IN_TOOL,
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
        parts = {"the tools": _IN_TOOL, "the calls": _IN_CALL, "the tool results": _IN_RESULT}
        if lost := [name for name, sign in parts.items() if sign not in text]:
            yield finding("template_drops", None, None, f"the template leaves out {', '.join(lost)}")
    if not template.marks_generation:
        message = "the chat template does not mark which tokens the assistant wrote"
        yield finding("no_loss_mask", None, None, message)
