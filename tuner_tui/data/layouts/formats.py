"""Which layout a dataset has, told from its content and never from its name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any

from tuner_tui.data.layouts import marks
from tuner_tui.data.layouts.published import published_layout
from tuner_tui.errors import UserError


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
    Format.APIGEN_MT: "ShareGPT with a system text (APIGen-MT)",
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
    "messages + tools (canonical or OpenAI), prompt + chosen + rejected, prompt + completion (+ label), "
    "conversations of from/value (ShareGPT, Hermes, ToolACE …), query + answers + tools (xLAM), "
    "system + chat (Glaive), instruction + output (Alpaca), text; and the files of ToolBench, ToolAlpaca, "
    "API-Bank, Seal-Tools, ToolTalk, APIBench and BFCL"
)


def layout_named(name: str) -> Format:
    """The layout that a person names, as in `--format openai`.

    Raises:
        UserError: there is none of this name.
    """
    known = {layout.value: layout for layout in Format if layout is not Format.UNKNOWN}
    try:
        return known[name.strip().lower().replace("-", "_")]
    except KeyError:
        raise UserError(f'there is no layout "{name}"; there are {", ".join(known)}.') from None


def detect(values: Sequence[Mapping[str, Any]]) -> Format:
    """The layout of most of these rows; the first hundred of a file are plenty.

    Layouts with the same keys (canonical and OpenAI, ShareGPT and Hermes …) differ only in how calls are
    written: rows without a call belong to all of them, and the rows with calls decide. UNKNOWN only when no
    row has a known layout.
    """
    told = [(layout, value) for value in values if (layout := layout_of(value)) is not Format.UNKNOWN]
    if not told:
        return Format.UNKNOWN
    families = Counter(_family(layout, value) for layout, value in told)
    winner = families.most_common(1)[0][0]
    members = [(layout, value) for layout, value in told if _family(layout, value) is winner]
    decided = Counter(layout for layout, value in members if not _is_neutral(layout, value))
    return decided.most_common(1)[0][0] if decided else winner


def layout_of(value: Mapping[str, Any]) -> Format:
    """The layout of one row."""
    if benchmark := published_layout(value):
        return Format(benchmark)
    keys = value.keys()
    if marks.has_pair(value):
        return Format.PREFERENCE
    if marks.has_label(value):
        return Format.KTO
    if "messages" in keys:
        return _of_messages(value)
    if "conversations" in keys:
        return _of_conversations(value)
    for layout, wanted in _BY_KEYS.items():
        if any(names <= keys for names in wanted):
            return layout
    return Format.TEXT if isinstance(value.get("text"), str) else Format.UNKNOWN


_BY_KEYS: dict[Format, tuple[set[str], ...]] = {
    Format.KTO: ({"prompt", "completion", "label"},),
    Format.COMPLETION: ({"prompt", "completion"},),
    Format.XLAM: ({"query", "answers"},),
    Format.GLAIVE: ({"chat"},),
    Format.ALPACA: ({"instruction", "output"}, {"instruction", "response"}),
}


def _of_messages(value: Mapping[str, Any]) -> Format:
    messages = marks.turns_of(value, "messages")
    if marks.has_typed_parts(messages):
        return Format.TYPED_CONTENT
    if marks.has_tagged_calls(messages):
        return Format.HERMES
    return Format.OPENAI if marks.has_openai_marks(value) else Format.CANONICAL


def _of_conversations(value: Mapping[str, Any]) -> Format:
    turns = marks.turns_of(value, "conversations")
    if marks.has_loss_flags(turns):
        return Format.AGENTINSTRUCT
    if marks.has_tagged_calls(turns):
        return Format.HERMES
    if marks.has_actions(turns):
        return Format.TOOLLLAMA
    if marks.has_call_turns(turns):
        return Format.APIGEN_MT if value.get("system") and value.get("tools") else Format.SHAREGPT
    return Format.TOOLACE if marks.has_tools_in_system(value) else Format.SHAREGPT


_CONVERSATIONS = (
    *(Format.SHAREGPT, Format.HERMES, Format.APIGEN_MT, Format.TOOLACE),
    *(Format.TOOLLLAMA, Format.AGENTINSTRUCT),
)
_MESSAGES = (Format.CANONICAL, Format.OPENAI, Format.TYPED_CONTENT, Format.HERMES)


def _family(layout: Format, value: Mapping[str, Any]) -> Format:
    """The plainest layout with the same keys."""
    if layout in _MESSAGES and "messages" in value:
        return Format.CANONICAL
    return Format.SHAREGPT if layout in _CONVERSATIONS and "conversations" in value else layout


def _is_neutral(layout: Format, value: Mapping[str, Any]) -> bool:
    """Whether the row could be of any layout of its family: it has no call."""
    if layout is Format.CANONICAL:
        return not marks.has_calls(value)
    return layout is Format.SHAREGPT and not marks.has_call_turns(marks.turns_of(value, "conversations"))


def seen(value: Mapping[str, Any]) -> str:
    """The keys of a row, for a sentence: at most eight, each shown with its control characters."""
    if not value:
        return "no keys"
    names = [repr(key[:40])[1:-1] for key in islice(value, 8)]
    return (
        ("the key " if len(names) == 1 else "the keys ")
        + ", ".join(names)
        + (", …" if len(value) > 8 else "")
    )
