"""Rows in tokens: how long they are, how much of them is trained, and what a limit cuts off."""

from collections.abc import Collection, Iterator, Sequence

from tuner_tui.data.examples import Example, is_preference
from tuner_tui.data.rendering.encoded import Encoded
from tuner_tui.data.rendering.masks import teaches_end
from tuner_tui.data.rules import Finding, finding


def check_length(
    example: Example, rows: Sequence[Encoded], row: int, max_length: int | None, *, ends: Collection[int]
) -> Iterator[Finding]:
    """What the mask and `max_length` (tokens; None for no limit) do to the token `rows` of an example.

    The trainer keeps the first `max_length` tokens of each. An example whose turns are trained in rows of
    their own has several, a preference pair one for each answer. `ends` are the tokens at which the model
    stops.
    """
    if not any(any(encoded.mask) for encoded in rows):
        yield finding("nothing_to_train", row, None, "no token of the rendered row is trained")
        return
    length = max(len(encoded.ids) for encoded in rows)
    limit = length if max_length is None else max_length
    if length > limit:
        cut = _cut(example, rows, row, length, limit)
        yield cut
        if cut.rule in ("answer_cut", "call_cut"):
            return
    unended = [
        encoded for encoded in rows if not teaches_end(encoded.ids[:limit], encoded.mask[:limit], ends)
    ]
    if any(len(encoded.ids) <= limit for encoded in unended):
        message = "the chat template does not let the token be trained at which the model stops"
        yield finding("eos_not_trained", row, None, message)
    elif unended:
        message = f"the end of the answer is cut off at {limit} tokens: the row does not teach to stop"
        yield finding("eos_not_trained", row, None, message)


def _cut(example: Example, rows: Sequence[Encoded], row: int, length: int, limit: int) -> Finding:
    lost = f"{length} tokens; the last {length - limit} are cut off"
    cut = [encoded for encoded in rows if any(encoded.mask) and not any(encoded.mask[:limit])]
    if len(cut) == len(rows) or (cut and is_preference(example)):
        which = "every trained one" if len(cut) == len(rows) else "one of the two answers"
        return finding("answer_cut", row, None, f"{lost}, and with them {which}")
    spans = [
        (turn, span) for encoded in rows for turn, span in zip(encoded.turns, encoded.spans, strict=False)
    ]
    for turn, (start, stop) in spans:
        if start < limit < stop and turn.get("tool_calls"):
            name = turn["tool_calls"][0]["function"]["name"]
            return finding("call_cut", row, None, f'{lost}, in the middle of the call of "{name}"')
    turns = sum(len(encoded.turns) for encoded in rows)
    if len(spans) == turns:
        whole = sum(stop <= limit for _, (_, stop) in spans)
        lost += f": of {turns} assistant turns, {whole} stay whole"
    return finding("too_long", row, None, lost)
