"""What a pass over rows has counted: of one chunk, or, merged in order, of a whole file.

A tally is made in a worker and sent to the parent, so it holds counters and flat arrays only. Arrays have one
entry a row, readable or not; 0 stands for "this row has none".
"""

from array import array
from bisect import insort
from collections import Counter
from dataclasses import dataclass, field, replace

from tuner_tui.data.rules import RULES, Finding, Severity

KEPT_FINDINGS = 1000
"""Findings of one rule that are kept in full; of the others the row is kept, and the count is exact."""

_LATE = 256
"""A finding comes at most so many rows after those of later rows: the tokenizer works in batches."""

_LEVELS = {Severity.INFO: 1, Severity.WARNING: 2, Severity.ERROR: 3}


def _row_of(found: Finding) -> int:
    return found.row or 0


@dataclass(slots=True)
class FindingLog:
    """Findings by rule, in the order of the rows: how many, in which rows, and the first of them in full."""

    counts: Counter[str] = field(default_factory=Counter)
    rows: dict[str, "array[int]"] = field(default_factory=dict)
    kept: dict[str, list[Finding]] = field(default_factory=dict)

    def add(self, found: Finding) -> None:
        """Note one finding; those of one rule come nearly in the order of their rows, and are kept in it."""
        self.counts[found.rule] += 1
        if found.row is not None:
            rows = self.rows.setdefault(found.rule, array("Q"))
            if not rows or rows[-1] < found.row:
                rows.append(found.row)
            elif found.row not in rows[-_LATE:]:
                insort(rows, found.row)
        kept = self.kept.setdefault(found.rule, [])
        if len(kept) < KEPT_FINDINGS:
            insort(kept, found, key=_row_of)

    def merge(self, other: "FindingLog", offset: int) -> None:
        """Append what was found in the rows after the first `offset`."""
        self.counts.update(other.counts)
        for rule, rows in other.rows.items():
            self.rows.setdefault(rule, array("Q")).extend(row + offset for row in rows)
        for rule, kept in other.kept.items():
            mine = self.kept.setdefault(rule, [])
            for found in kept[: KEPT_FINDINGS - len(mine)]:
                mine.append(found if found.row is None else replace(found, row=found.row + offset))

    def severities(self, rows: int) -> bytes:
        """One byte a row, the worst that was found in it: 0 nothing, 1 info, 2 warning, 3 error."""
        worst = bytearray(rows)
        for rule, numbers in self.rows.items():
            level = _LEVELS[RULES[rule].severity]
            for number in numbers:
                if worst[number - 1] < level:
                    worst[number - 1] = level
        return bytes(worst)


@dataclass(slots=True)
class Tally:
    """Counts of a run of rows.

    A row is sound when it could be converted and has no finding of severity error; but for `rows`, `findings`
    and `bytes_read`, only sound rows are counted.
    """

    rows: int = 0
    sound: int = 0
    bytes_read: int = 0
    findings: FindingLog = field(default_factory=FindingLog)
    kinds: Counter[str] = field(default_factory=Counter)
    ends_in_call: int = 0
    preference_pairs: int = 0
    labels: Counter[str] = field(default_factory=Counter)  # "true" and "false" of unpaired preference
    tools_offered: Counter[str] = field(default_factory=Counter)  # rows that offer the tool
    tools_called: Counter[str] = field(default_factory=Counter)  # calls of the tool
    calls_per_row: Counter[int] = field(default_factory=Counter)
    calls_per_turn: Counter[int] = field(
        default_factory=Counter
    )  # assistant turns that call; over 1: parallel
    turns_per_row: Counter[int] = field(default_factory=Counter)  # messages
    tools_per_row: Counter[int] = field(default_factory=Counter)
    argument_types: Counter[str] = field(
        default_factory=Counter
    )  # string integer number boolean array object null
    scripts: Counter[str] = field(
        default_factory=Counter
    )  # rows whose user writes in it: latin, cyrillic, han …
    fingerprints: "array[int]" = field(
        default_factory=lambda: array("Q")
    )  # of the example, for exact duplicates
    answers: "array[int]" = field(default_factory=lambda: array("Q"))  # of the last assistant turn
    questions: "array[int]" = field(
        default_factory=lambda: array("Q")
    )  # leaks.question_key; empty when not asked for
    signatures: list[bytes] = field(
        default_factory=list
    )  # near.signature of sound rows; empty when not asked for
    signed_rows: "array[int]" = field(default_factory=lambda: array("Q"))  # the rows of `signatures`
    lengths: "array[int]" = field(default_factory=lambda: array("I"))  # tokens of tokenised rows
    trained: "array[int]" = field(default_factory=lambda: array("I"))  # trained tokens of the same rows
    tokenised: "array[int]" = field(default_factory=lambda: array("Q"))  # the rows of `lengths`
    parts: Counter[str] = field(default_factory=Counter)  # tokenised rows with each `probe.Part`

    def merge(self, other: "Tally") -> None:
        """Append the tally of the rows that come next."""
        offset = self.rows
        self.findings.merge(other.findings, offset)
        self.signed_rows.extend(row + offset for row in other.signed_rows)
        self.tokenised.extend(row + offset for row in other.tokenised)
        for name in ("rows", "sound", "bytes_read", "ends_in_call", "preference_pairs"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name in ("fingerprints", "answers", "questions", "signatures", "lengths", "trained"):
            getattr(self, name).extend(getattr(other, name))


_COUNTERS = (
    *("kinds", "labels", "tools_offered", "tools_called", "calls_per_row", "calls_per_turn"),
    *("turns_per_row", "tools_per_row", "argument_types", "scripts", "parts"),
)
