"""Rows in tokens: how long they are, how much of them is trained, and what a limit cuts off."""

from collections.abc import Iterator, Sequence

from tuner_tui.data.examples import Example, Message, conversation
from tuner_tui.data.preview import Encoded
from tuner_tui.data.rules import Finding, finding


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
    answers = [
        message
        for message in conversation(example)
        if message["role"] == "assistant" and message.get("weight") != 0
    ]
    lost = f"{length} tokens; the last {length - max_length} are cut off"
    if not any(encoded.mask[:max_length]):
        yield finding("answer_cut", row, None, f"{lost}, and with them every trained one")
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
