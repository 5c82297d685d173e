"""Rows that are conversations: messages of role and content, or turns of from and value."""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.converters.anthropic import unfold_blocks
from tuner_tui.data.converters.errors import require
from tuner_tui.data.converters.messages import to_messages
from tuner_tui.data.converters.system import with_system
from tuner_tui.data.converters.tools import tools_of
from tuner_tui.data.converters.turns import merge_turns, name_results
from tuner_tui.data.examples import Example


def from_messages(value: Mapping[str, Any]) -> Example:
    """`{"messages": [{"role", "content", "tool_calls"}, …], "tools": […]}`: the canonical layout, OpenAI's
    (arguments as JSON text, `functions` and `function_call` of old, `weight` 0 or 1), messages whose content
    is a list of typed parts, Anthropic's (`system` beside them, blocks of `tool_use` and `tool_result`), and
    those of ms-swift (turns of `tool_call` and `tool_response`) and Qwen-Agent (a turn for each call).

    https://huggingface.co/docs/trl/dataset_formats#tool-calling
    https://platform.openai.com/docs/guides/fine-tuning
    https://docs.anthropic.com/en/docs/build-with-claude/tool-use
    https://swift.readthedocs.io/en/latest/Instruction/Agent-support.html
    """
    turns = to_messages(unfold_blocks(require(value, "messages")), "messages")
    messages = merge_turns(with_system(turns, value), divide=False)
    return {"messages": name_results(messages), "tools": tools_of(value)}


def from_sharegpt(value: Mapping[str, Any]) -> Example:
    """`{"conversations": [{"from": "human", "value": …}, {"from": "function_call", "value": "{…}"},
    {"from": "observation", …}, {"from": "gpt", …}], "system": …, "tools": "[…]"}`; one `function_call` may
    hold a list of calls. APIGen-MT has the same turns, AgentInstruct a `loss` flag on each.

    https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md#sharegpt-format
    https://huggingface.co/datasets/Salesforce/APIGen-MT-5k
    https://huggingface.co/datasets/THUDM/AgentInstruct
    """
    turns = to_messages(require(value, "conversations"), "conversations")
    return {"messages": name_results(merge_turns(with_system(turns, value))), "tools": tools_of(value)}
