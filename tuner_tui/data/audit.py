"""What is wrong with a dataset as a whole: copies, gaps, imbalance; drawn from its tally."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tuner_tui.data.rules import Finding, finding
from tuner_tui.data.tally import Tally

FEW_ROWS = 50
"""Fewer rows than this are too few for any fine-tuning: OpenAI's guide sees clear gains from 50 to 100 rows
(https://platform.openai.com/docs/guides/supervised-fine-tuning)."""


@dataclass(frozen=True, slots=True)
class Need:
    """How many usable rows a goal needs at least, and a reason that a person can weigh."""

    rows: int
    reason: str


NEEDS: Mapping[str, Need] = {
    "prototype": Need(FEW_ROWS, "a trial shows something from 50 rows on"),
    "structured": Need(200, "one fixed schema is learned from a few hundred rows"),
    "domain_tools": Need(300, "a fixed set of tools wants about 20 requests a tool, 300 in all"),
    "instructions": Need(1000, "LIMA taught tone and form with 1,000 chosen rows (arXiv:2305.11206)"),
    "proprietary": Need(1000, "varied behaviour wants 1,000 rows; facts belong into retrieval"),
    "smaller_model": Need(1000, "a small model copies a large one's behaviour from 1,000 varied rows on"),
    "agent": Need(1800, "AgentTuning used 1,866 trajectories (arXiv:2310.12823)"),
}
"""By goal, in the words of `tuner decide`."""

DOMINANT_SHARE = 0.5
"""One tool dominates when it gets more than this share of the calls, of at least DOMINANT_CALLS."""
DOMINANT_CALLS = 30
_LARGEST_SHARE_OF_FEW = 3  # with one or two tools, one of them always has half of the calls

DOMINANT_ANSWER_SHARE = 0.2
"""One answer dominates when it ends more than this share of the rows, of at least DOMINANT_ANSWER_ROWS."""
DOMINANT_ANSWER_ROWS = 50
_FEW_ANSWERS = 20  # a file with fewer different answers sorts requests into classes: that is its lesson

_BLOCK = 1 << 20  # rows that are looked up at once

_LEAST_SCRIPT_ROWS = 3  # fewer rows in a second script are a quotation, not a second language


def conclude(tally: Tally, *, complete: bool, goal: str | None = None) -> Iterator[Finding]:
    """The findings on a file as a whole, and its copies; `complete` when the tally is of all its rows.

    What is missing, or too little, is only said of a complete file. `goal` is one of NEEDS, else the least
    that any fine-tuning needs counts.
    """
    yield from _copies(tally)
    if complete:
        yield from _gaps(tally, goal)
    if tally.ends_in_call:
        text = f"{tally.ends_in_call:,} of {tally.sound:,} rows end in a call"
        yield finding("ends_in_call", None, None, text)
    yield from _imbalance(tally)
    scripts = [(script, rows) for script, rows in tally.scripts.most_common() if rows >= _LEAST_SCRIPT_ROWS]
    if len(scripts) > 1:
        text = ", ".join(f"{rows:,} rows {script}" for script, rows in scripts)
        yield finding("several_languages", None, None, f"by what their users write: {text}")


def _copies(tally: Tally) -> Iterator[Finding]:
    """A finding for each row that is the same as an earlier one, in their order. Takes 9 bytes a row, and 16
    for each that has a copy."""
    import numpy as np

    prints = np.frombuffer(tally.fingerprints, dtype=np.uint64)
    ordered = np.sort(prints)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    repeated = repeated[repeated != 0]
    if not len(repeated):
        return
    first = np.zeros(len(repeated), np.int64)
    for start in range(0, len(prints), _BLOCK):
        block = prints[start : start + _BLOCK]
        places = np.searchsorted(repeated, block)
        places[places == len(repeated)] = 0
        for index in np.flatnonzero(repeated[places] == block):
            row, place = start + int(index) + 1, places[index]
            if first[place]:
                yield finding("duplicate_row", row, None, f"the same as row {first[place]}")
            else:
                first[place] = row


def _gaps(tally: Tally, goal: str | None) -> Iterator[Finding]:
    need = NEEDS.get(goal or "")
    usable = "1 usable row" if tally.sound == 1 else f"{tally.sound:,} usable rows"
    if tally.sound < FEW_ROWS:
        yield finding("few_rows", None, None, f"{usable}; fewer than {FEW_ROWS} teach little")
    elif need is not None and tally.sound < need.rows:
        yield finding("few_rows", None, None, f"{usable}; {need.reason}")
    called = bool(tally.tools_called)
    if called and not tally.kinds["negative"]:
        yield finding("no_negatives", None, None, "no row offers tools and calls none of them")
    if called and not tally.kinds["error_recovery"]:
        yield finding("no_error_recovery", None, None, "no row repairs a call that failed")
    if len(tally.labels) == 1:
        (label,) = tally.labels
        yield finding("one_label", None, None, f"each of the {tally.labels[label]:,} labels is {label}")


def _imbalance(tally: Tally) -> Iterator[Finding]:
    total = tally.tools_called.total()
    if total >= DOMINANT_CALLS and len(tally.tools_called) >= _LARGEST_SHARE_OF_FEW:
        # Of equally frequent ones the first by name: the order of chunks must make no difference.
        name, count = min(tally.tools_called.items(), key=lambda item: (-item[1], item[0]))
        if count > DOMINANT_SHARE * total:
            text = f'"{name}" gets {count:,} of {total:,} calls ({count / total:.0%})'
            yield finding("dominant_tool", None, None, text)
    yield from _dominant_answer(tally)


def _dominant_answer(tally: Tally) -> Iterator[Finding]:
    import numpy as np

    if tally.sound < DOMINANT_ANSWER_ROWS:
        return
    answers = np.frombuffer(tally.answers, dtype=np.uint64)
    ordered = np.sort(answers[answers != 0])
    if np.count_nonzero(ordered[1:] != ordered[:-1]) + 1 < _FEW_ANSWERS:
        return
    # What has more than a fifth of the sorted places stands at one of these.
    candidates = np.unique(ordered[:: max(1, len(ordered) // 10)])
    starts, ends = np.searchsorted(ordered, candidates), np.searchsorted(ordered, candidates, side="right")
    most = int(np.argmax(ends - starts))
    count = int(ends[most] - starts[most])
    if count > DOMINANT_ANSWER_SHARE * tally.sound:
        row = int(np.argmax(answers == candidates[most])) + 1
        text = f"{count:,} of {tally.sound:,} rows end in the answer of row {row} ({count / tally.sound:.0%})"
        yield finding("dominant_answer", None, None, text)
