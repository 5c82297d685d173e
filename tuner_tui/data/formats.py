"""Which layout a dataset has, told from its content and never from its name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import Any

from tuner_tui.data.published import published_layout


class Format(StrEnum):
    """The layouts that are known; `converters` has one function for each."""

    CANONICAL = "canonical"  # TRL: messages (arguments as objects) and tools
    PREFERENCE = "preference"  # TRL: prompt, chosen, rejected
    KTO = "kto"  # TRL: prompt, completion, label
    COMPLETION = "completion"  # TRL: prompt and completion
    OPENAI = "openai"  # messages; arguments as JSON text; or the older functions and function_call
    TYPED_CONTENT = "typed_content"  # messages whose content is a list of typed parts
    SHAREGPT = "sharegpt"  # conversations of from and value
    HERMES = "hermes"  # ShareGPT with <tool_call> in the text, calls as Python literals
    GLAIVE = "glaive"  # one text of USER:, ASSISTANT:, FUNCTION RESPONSE:
    XLAM = "xlam"  # query, answers and tools as JSON text
    TOOLACE = "toolace"  # calls as Python text, tools inside the system text
    APIGEN_MT = "apigen_mt"  # ShareGPT roles with `system` and `tools`
    AGENTINSTRUCT = "agentinstruct"  # actions as text, a loss flag on each message
    TOOLBENCH = "toolbench"  # answer_generation with train_messages
    TOOLLLAMA = "toolllama"  # Thought, Action, Action Input
    TOOLALPACA = "toolalpaca"  # an API's documentation with Instructions
    API_BANK = "api_bank"  # one file a dialogue, one line a turn
    SEAL_TOOLS = "seal_tools"  # query and calling; the tools in a file of their own
    TOOLTALK = "tooltalk"  # conversation with apis in the turns
    APIBENCH = "apibench"  # Gorilla: ###Instruction, ###Output, api_call
    BFCL = "bfcl"  # question, function; ground_truth in possible_answer/
    ALPACA = "alpaca"  # instruction, input, output
    TEXT = "text"  # plain text
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """What a person calls it."""
        return _LABELS[self]


_LABELS = {
    Format.CANONICAL: "conversations with tools (canonical, as TRL)",
    Format.PREFERENCE: "preference pairs (prompt, chosen, rejected)",
    Format.KTO: "unpaired preferences (prompt, completion, label)",
    Format.COMPLETION: "prompts and completions",
    Format.OPENAI: "OpenAI fine-tuning (messages)",
    Format.TYPED_CONTENT: "messages of typed parts",
    Format.SHAREGPT: "ShareGPT (conversations)",
    Format.HERMES: "Hermes (<tool_call> in the text)",
    Format.GLAIVE: "Glaive v2 (one text)",
    Format.XLAM: "xLAM (query, answers, tools)",
    Format.TOOLACE: "ToolACE (calls as Python text)",
    Format.APIGEN_MT: "APIGen-MT (conversations, system, tools)",
    Format.AGENTINSTRUCT: "AgentInstruct (actions as text)",
    Format.TOOLBENCH: "ToolBench (answer_generation)",
    Format.TOOLLLAMA: "ToolLLaMA (Thought, Action, Action Input)",
    Format.TOOLALPACA: "ToolAlpaca (an API and its instructions)",
    Format.API_BANK: "API-Bank (one dialogue a file)",
    Format.SEAL_TOOLS: "Seal-Tools (query, calling)",
    Format.TOOLTALK: "ToolTalk (conversation with apis)",
    Format.APIBENCH: "APIBench (Gorilla)",
    Format.BFCL: "BFCL (question, function)",
    Format.ALPACA: "Alpaca (instruction, output)",
    Format.TEXT: "plain text",
    Format.UNKNOWN: "a layout that is not known",
}

KNOWN_LAYOUTS = (
    "messages + tools (canonical or OpenAI), prompt + chosen + rejected, prompt + completion, "
    "conversations of from/value (ShareGPT)"
)


_FAMILY = {Format.OPENAI: Format.CANONICAL}


def detect(values: Sequence[Mapping[str, Any]]) -> Format:
    """The layout of most of these rows; the first hundred of a file are plenty.

    Canonical and OpenAI differ only in how calls are written, so rows without a call belong to
    both, and the rows with calls decide between them. UNKNOWN only when no row has a known layout.
    """
    found = Counter(layout_of(value) for value in values)
    del found[Format.UNKNOWN]
    if not found:
        return Format.UNKNOWN
    families = Counter({_FAMILY.get(layout, layout): 0 for layout in found})
    for layout, count in found.items():
        families[_FAMILY.get(layout, layout)] += count
    winner = families.most_common(1)[0][0]
    if winner is Format.CANONICAL and found[Format.OPENAI]:
        objects = sum(layout_of(value) is Format.CANONICAL and _has_calls(value) for value in values)
        return Format.OPENAI if found[Format.OPENAI] > objects else Format.CANONICAL
    return winner


def layout_of(value: Mapping[str, Any]) -> Format:
    """The layout of one row."""
    if benchmark := published_layout(value):
        return Format(benchmark)
    if "chosen" in value and "rejected" in value:
        return Format.PREFERENCE
    if "messages" in value:
        if _has_unknown_parts(value["messages"]):
            return Format.UNKNOWN
        return Format.OPENAI if _has_openai_marks(value) else Format.CANONICAL
    if "conversations" in value:
        return Format.SHAREGPT
    if "prompt" in value and "completion" in value:
        return Format.COMPLETION
    return Format.UNKNOWN


def _has_openai_marks(value: Mapping[str, Any]) -> bool:
    if "functions" in value or "parallel_tool_calls" in value:
        return True
    messages = value["messages"]
    if not isinstance(messages, list):
        return False
    return any(_is_openai_message(message) for message in messages if isinstance(message, Mapping))


def _is_openai_message(message: Mapping[str, Any]) -> bool:
    if "function_call" in message or message.get("role") in ("function", "developer"):
        return True
    tool_calls = message.get("tool_calls")
    if not isinstance(tool_calls, list):
        return False
    return any(
        isinstance(call, Mapping)
        and isinstance(function := call.get("function"), Mapping)
        and isinstance(function.get("arguments"), str)
        for call in tool_calls
    )


def _has_calls(value: Mapping[str, Any]) -> bool:
    messages = value["messages"]
    return isinstance(messages, list) and any(
        isinstance(message, Mapping) and message.get("tool_calls") for message in messages
    )


def seen(value: Mapping[str, Any]) -> str:
    """The keys of a row, for a sentence: at most eight, each shown with its control characters."""
    if not value:
        return "no keys"
    if _has_unknown_parts(value.get("messages")):
        return "messages whose content is a list of typed parts"
    names = [repr(key[:40])[1:-1] for key in islice(value, 8)]
    return (
        ("the key " if len(names) == 1 else "the keys ")
        + ", ".join(names)
        + (", …" if len(value) > 8 else "")
    )


def _has_unknown_parts(messages: Any) -> bool:
    """Whether content comes as parts that are not OpenAI's `{"type": "text", "text": ...}`."""
    if not isinstance(messages, list):
        return False
    contents = (m.get("content") for m in messages if isinstance(m, Mapping))
    parts = chain.from_iterable(content for content in contents if isinstance(content, list))
    return any(not isinstance(part, Mapping) or "text" not in part for part in parts)
