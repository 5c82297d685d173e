"""Calls that still stand in the text of a converted example, whatever its layout: read as calls.

A file has one layout, and a row of it may write its calls another way. Trained as they stand, they would
teach the model to spell the marks of some other model's calls.
"""

from tuner_tui.data.converters.answers import read_answer
from tuner_tui.data.converters.errors import ConversionError
from tuner_tui.data.converters.tagged import holds_results, results_of, without_tools
from tuner_tui.data.converters.turns import merge_turns, name_results
from tuner_tui.data.examples import Example, Message
from tuner_tui.data.texts.checks import CALL_MARKS, may_hold_calls

_PARTS = ("messages", "prompt", "chosen", "rejected", "completion")


def read_written(example: Example) -> None:
    """Move calls after `CALL_MARKS`, and with them the results and tools between Hermes' tags, to where they
    belong; in place. To do it again changes nothing.

    An answer that is meant to be wrong (rejected, or labelled so) may hold a call that cannot be read: it
    stays as it is.

    Raises:
        ConversionError: a call, or the list of tools, cannot be read.
    """
    parts = [part for part in _PARTS if part in example]
    if not any(may_hold_calls(message["content"]) for part in parts for message in example[part]):
        return
    called = [_read_answers(example[part], part, wrong=_is_wrong(example, part)) for part in parts]
    if any(called) or not example["tools"]:
        _read_tools(example[parts[0]], example, parts[0])
    if not any(called):
        return
    for part in parts:
        turns = example[part]
        told = [one for turn in turns for one in (results_of(turn) if _is_result(turn) else (turn,))]
        example[part] = merge_turns(told, divide=False)
    for answer in parts[1:] or ("messages",):
        before = example["prompt"] if len(parts) > 1 else []
        name_results([*before, *example[answer]])


def _is_wrong(example: Example, part: str) -> bool:
    return part == "rejected" or (part == "completion" and example.get("label") is False)


def _is_result(turn: Message) -> bool:
    return turn["role"] in ("user", "tool") and holds_results(turn)


def _read_answers(turns: list[Message], part: str, *, wrong: bool) -> bool:
    """Whether a call was read out of the text of one of the turns."""
    called = False
    for index, turn in enumerate(turns):
        if turn["role"] != "assistant" or turn.get("tool_calls"):
            continue
        if not any(mark in turn["content"] for mark in CALL_MARKS):
            continue
        read = turn.copy()
        try:
            read_answer(read, f"{part}[{index}].content")
        except ConversionError:
            if wrong:
                continue
            raise
        if read.get("tool_calls"):
            turns[index] = read
            called = True
    return called


def _read_tools(turns: list[Message], example: Example, part: str) -> None:
    first = turns[0] if turns else None
    if first and first["role"] == "system" and "<tools>" in first["content"]:
        first["content"] = without_tools(first["content"], example["tools"], f"{part}[0].content")
        if not first["content"]:
            del turns[0]
