"""One row at a time: converted, checked, counted. The only source of findings in rows."""

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.engine.counting import count, count_unsound
from tuner_tui.data.engine.lengths import Measurer
from tuner_tui.data.engine.task import Task
from tuner_tui.data.examples import Example
from tuner_tui.data.readers import Row
from tuner_tui.data.rules import Finding, Severity, finding
from tuner_tui.data.tally import Tally
from tuner_tui.data.validators import validate


class RowInspector:
    """Adds rows to tallies."""

    def __init__(self, task: Task) -> None:
        """Make ready for a task.

        Raises:
            UserError: the task's model cannot be read.
        """
        self._task = task
        self._measurer = (
            Measurer(task.model, task.max_length, task.token_share) if task.model is not None else None
        )

    def add(self, tally: Tally, row: Row) -> None:
        """Add the next row; its number in the findings is its place in the tally."""
        tally.rows += 1
        example, found = self._examine(row, tally.rows)
        for one in found:
            tally.findings.add(one)
        if example is None or any(one.severity is Severity.ERROR for one in found):
            count_unsound(tally)
            return
        count(tally, example)
        if self._measurer is not None and self._measurer.chooses(tally.fingerprints[-1]):
            self._measurer.add(tally, tally.rows, example)

    def finish(self, tally: Tally) -> None:
        """To be called after the last row of a tally."""
        if self._measurer is not None:
            self._measurer.flush(tally)

    def _examine(self, row: Row, number: int) -> tuple[Example | None, list[Finding]]:
        if row.value is None:
            return None, [finding(row.rule or "not_json", number, None, row.error or "not readable")]
        try:
            example = convert(row.value, self._task.format)
        except ConversionError as error:
            return None, [finding(error.rule, number, error.field, str(error))]
        return example, validate(example, number)
