"""Calls that stand in a trained text, where the model would learn to spell them."""

import re
from collections.abc import Callable, Iterator, Sequence

from tuner_tui.data.examples import Example, Message, is_preference, is_unpaired
from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.texts.checks import CALL_MARKS, may_hold_calls

_CALL = re.compile("(?:" + "|".join(map(re.escape, CALL_MARKS)) + r")\s{0,8}[\[{(]")


def check_written(
    example: Example, messages: Sequence[Message], place: Callable[[int], str], row: int
) -> Iterator[Finding]:
    """Calls, or the marks before them, in the answers that are trained: of a preference pair or a labelled
    answer the good one, of a conversation every assistant turn without weight 0.

    Args:
        messages: `conversation(example)`.
        place: the field of each of them.
    """
    labelled = is_unpaired(example)
    if labelled and not example["label"]:
        return
    first = len(example["prompt"]) if labelled or is_preference(example) else 0
    for index, message in enumerate(messages[first:], first):
        text = message["content"]
        if message["role"] != "assistant" or message.get("weight") == 0 or not may_hold_calls(text):
            continue
        if found := _call(text, example):
            yield finding("call_in_text", row, f"{place(index)}.content", f"{found} stands in the text")
        elif mark := next((mark for mark in CALL_MARKS if mark in text), None):
            yield finding("call_mark", row, f"{place(index)}.content", f"{mark} stands in the text")


def _call(text: str, example: Example) -> str | None:
    """The beginning of a call in a text."""
    if found := _CALL.search(text):
        return found[0]
    if (mark := next((mark for mark in CALL_MARKS if text.lstrip().startswith(mark)), None)) is not None:
        return mark
    if ")]" not in text:
        return None
    starts = (f"[{name}(" for name in _names(example))
    return next((start for start in sorted(starts) if start in text), None)


def _names(example: Example) -> Iterator[str]:
    """The names of the tools, also as they stood in the file, where anything may stand."""
    originals = example.get("original_tools")
    for tool in [*example["tools"], *(originals if isinstance(originals, list) else ())]:
        function = tool.get("function", tool) if isinstance(tool, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if isinstance(name, str) and name:
            yield name
