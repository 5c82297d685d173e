"""One row at a time: converted, checked, counted. All findings in rows are from here, but for those in the
texts of rows that are clean in all else: the fast path asks `check_texts` itself."""

from typing import TYPE_CHECKING

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.copies.leaks import question_key
from tuner_tui.data.engine.counting import count
from tuner_tui.data.engine.task import Task
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.companions import load_companion
from tuner_tui.data.readers import Row
from tuner_tui.data.rules import Finding, Severity, finding
from tuner_tui.data.tally import Tally
from tuner_tui.data.validators import validate

if TYPE_CHECKING:
    from tuner_tui.data.engine.lengths import Measurer


class RowInspector:
    """Adds rows to tallies."""

    def __init__(self, task: Task) -> None:
        """Make ready for a task.

        Raises:
            UserError: the task's model, or what stands beside the dataset, cannot be read.
        """
        self._task = task
        self._companion = load_companion(task.path, task.format)
        self._measurer = _measurer(task)

    def add(self, tally: Tally, row: Row) -> None:
        """Add the next row of the tally; its findings are filed under its place there."""
        tally.rows += 1
        example, found = self._examine(row, tally.rows)
        for one in found:
            tally.findings.add(one)
        if example is None or any(one.severity is Severity.ERROR for one in found):
            tally.fingerprints.append(0)
            tally.answers.append(0)
            if self._task.questions:
                tally.questions.append(0)
            return
        fingerprint, answer = count(tally, example)
        tally.fingerprints.append(fingerprint)
        tally.answers.append(answer)
        if self.wants(fingerprint):
            self._add_wanted(tally, example)

    @property
    def asks(self) -> bool:
        """Whether more is asked of some row than to be counted."""
        return self._measurer is not None or self._task.questions or self._task.signatures

    def wants(self, fingerprint: int) -> bool:
        """Whether more is asked of the sound row with this fingerprint than to be counted."""
        measured = self._measurer is not None and self._measurer.chooses(fingerprint)
        return measured or self._task.questions or self._task.signatures

    def add_wanted(self, tally: Tally, row: Row) -> None:
        """Add what more is asked of the last row of the tally, which is sound."""
        example, _ = self._examine(row, tally.rows)
        if example is not None:
            self._add_wanted(tally, example)

    def finish(self, tally: Tally) -> None:
        """To be called after the last row of a tally."""
        if self._measurer is not None:
            self._measurer.flush(tally)

    def _add_wanted(self, tally: Tally, example: Example) -> None:
        if self._task.questions:
            tally.questions.append(question_key(example))
        if self._task.signatures:
            from tuner_tui.data.copies import near

            tally.signatures.append(near.signature(near.text(example)))
            tally.signed_rows.append(tally.rows)
        if self._measurer is not None and self._measurer.chooses(tally.fingerprints[-1]):
            self._measurer.add(tally, tally.rows, example)

    def _examine(self, row: Row, number: int) -> tuple[Example | None, list[Finding]]:
        if row.value is None:
            return None, [finding(row.rule or "not_json", number, None, row.error or "not readable")]
        try:
            example = convert(row.value, self._task.format, self._companion)
        except ConversionError as error:
            return None, [finding(error.rule, number, error.field, str(error))]
        return example, validate(example, number)


def _measurer(task: Task) -> "Measurer | None":
    if task.model is None:
        return None
    # Templates and tokenizers take long to import, and most inspections do without.
    from tuner_tui.data.engine.lengths import Measurer

    return Measurer(task.model, task.max_length, task.token_share)
