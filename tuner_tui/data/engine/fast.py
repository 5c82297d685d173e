"""The fast path: rows of messages and tools that are plainly clean, counted without being converted.

It may only say that a row is clean, which means: `convert` accepts it, `validate` finds nothing in it but
what `check_texts` finds in its texts, and it is counted as `counting.count` would. Whatever is not sure goes
to `RowInspector`. So findings are the same with the fast path and without it.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from itertools import islice

from msgspec import UnsetType

from tuner_tui.data.engine.columns import Columns
from tuner_tui.data.engine.counting import ARGUMENT_TYPES
from tuner_tui.data.engine.judge import DOUBTS, Judge
from tuner_tui.data.engine.rows import RowInspector
from tuner_tui.data.engine.shapes import Shape
from tuner_tui.data.engine.task import Task
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import decode
from tuner_tui.data.rules import Finding, Severity
from tuner_tui.data.tally import Tally

_FEW, _MANY = 256, 2048
"""Rows that are judged, and whose texts are then screened together: many, unless many of them are doubtful,
since whether to stop is asked in between."""

_Special = tuple[int, bytes, Sequence[Finding]]
"""A row that is more than counted: how many clean ones are before it; its line, if it is doubtful; what was
found in its texts, if it is clean."""


class FastPath:
    """Adds lines of JSON to tallies."""

    def __init__(self, task: Task, inspector: RowInspector) -> None:
        self._inspector = inspector
        self._judge = Judge(task)
        self._batch = _FEW

    @staticmethod
    def serves(format: Format) -> bool:
        """Whether rows of this layout can be decided here."""
        return format in (Format.CANONICAL, Format.OPENAI)

    def add(self, tally: Tally, data: bytes, stopped: Callable[[], bool]) -> None:
        """Add lines of JSON, one row each, until `stopped`, which is asked in between."""
        lines, shapes = BytesIO(data), Counter[Shape]()
        while lines.tell() < len(data) and not stopped():
            self._add_batch(tally, lines, shapes)
        for shape, times in shapes.items():
            tally.ends_in_call += shape.tally.ends_in_call * times
            for name in ("kinds", "turns_per_row", "calls_per_row", "calls_per_turn"):
                mine, theirs = getattr(tally, name), getattr(shape.tally, name)
                for key, count in theirs.items():
                    mine[key] += count * times

    def _add_batch(self, tally: Tally, lines: BytesIO, shapes: Counter[Shape]) -> None:
        """Add the next rows; the shapes of the clean ones are counted apart."""
        judge, start = self._judge.judge, lines.tell()
        self._judge.columns = clean = Columns()
        special: list[_Special] = []
        for line in islice(lines, self._batch):
            try:
                judge(line)
            except DOUBTS:
                special.append((len(clean), line, ()))
        suspected = clean.suspected()
        again: list[bytes] = []  # the lines of the clean rows, which are not kept for the few that need them
        if suspected or self._inspector.asks:
            lines.seek(start)
            again = list(islice(lines, self._batch))
            for index, (before, _, _) in reversed(list(enumerate(special))):
                del again[before + index]
        self._batch = _MANY if len(special) * 16 < len(clean) else _FEW
        special = self._suspect(suspected, again, special)
        _count(tally, clean)
        shapes.update(clean.shapes)
        fingerprints, answers = _unsigned(clean.fingerprints), _unsigned(clean.answers)
        done = 0
        for before, line, found in [*special, (len(clean), b"", ())]:
            self._place(tally, fingerprints[done:before], answers[done:before], again[done:before])
            done = before
            for one in found:
                tally.findings.add(replace(one, row=tally.rows + 1))
            if line and not line.isspace():
                self._inspector.add(tally, decode(tally.rows + 1, line))

    def _suspect(
        self, suspected: Sequence[int], lines: list[bytes], special: Sequence[_Special]
    ) -> list[_Special]:
        """Look at the texts of the clean rows at these indexes; those which may be in error are taken out of
        the columns and the lines. Gives all special rows in order."""
        dropped: list[int] = []
        seen: list[_Special] = []
        for index in suspected:
            found = self._judge.texts(lines[index])
            if found is None or any(one.severity is Severity.ERROR for one in found):
                dropped.append(index)
                seen.append((index, lines[index], ()))
            elif found:
                seen.append((index, b"", found))
        for index in reversed(dropped):
            self._judge.columns.drop(index)
            del lines[index]
        # Of those with as many clean rows before them, the ones that were special before came first.
        every = sorted([*special, *seen], key=lambda one: one[0])
        return [(before - bisect_left(dropped, before), line, found) for before, line, found in every]

    def _place(
        self, tally: Tally, fingerprints: "array[int]", answers: "array[int]", lines: Sequence[bytes]
    ) -> None:
        """Give clean rows their places in the arrays of a tally; the lines are there if more is asked."""
        if not self._inspector.asks:
            tally.rows += len(fingerprints)
            tally.fingerprints += fingerprints
            tally.answers += answers
            return
        for fingerprint, answer, line in zip(fingerprints, answers, lines, strict=True):
            tally.rows += 1
            tally.fingerprints.append(fingerprint)
            tally.answers.append(answer)
            if self._inspector.wants(fingerprint):
                self._inspector.add_wanted(tally, decode(tally.rows, line))


def _count(tally: Tally, clean: Columns) -> None:
    """Add what clean rows count, but for what has a place in the tally's arrays or follows from the shape."""
    tally.sound += len(clean)
    tally.scripts.update(filter(None, clean.scripts))
    tally.tools_per_row.update(clean.tools)
    tally.tools_offered.update(clean.offered)
    tally.tools_called.update(clean.called)
    for kind, times in Counter(clean.types).items():
        if kind is not UnsetType:
            tally.argument_types[ARGUMENT_TYPES.get(kind, "object")] += times


def _unsigned(numbers: "array[int]") -> "array[int]":
    """The same bits; Python's hashes are signed."""
    return array("Q", numbers.tobytes())
