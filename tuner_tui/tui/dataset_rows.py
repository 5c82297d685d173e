"""The rows of one dataset, as the table and the row view want them: fetched when they are looked at."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example, calls, conversation, is_preference, is_unpaired
from tuner_tui.data.layouts.companions import load_companion
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import RowFile, open_rows
from tuner_tui.data.rules import RULES, Finding, finding
from tuner_tui.data.sources import SAMPLE, layout_of_rows
from tuner_tui.data.stats import kind
from tuner_tui.data.validators import validate
from tuner_tui.tui.widgets.dataset_table import RowLine
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection

SYMBOLS = {"error": "✗", "warning": "▲", "info": "•", "": " "}
_STATES = ("", "info", "warning", "error")  # of the bytes of `Inspection.severities`
# A cell shows some hundred characters; a row may hold millions.
_CELL = 300


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row: its example, or why it is none (`fault`); `value` is what stands in the file."""

    example: Example | None
    value: dict[str, Any] | None
    fault: Finding | None = None

    @property
    def kind(self) -> str:
        """The kind of example, in words."""
        return "not readable" if self.example is None else kind(self.example).replace("_", " ")

    @property
    def title(self) -> str:
        """The kind, and of preference data that it is some."""
        if self.example is None or not (is_preference(self.example) or is_unpaired(self.example)):
            return self.kind
        return f"{'preference pair' if is_preference(self.example) else 'unpaired preference'}, {self.kind}"


class DatasetRows:
    """A dataset by row (index from 0): what it holds, the line of the table, what is wrong with it.

    Only the first rows are known at once; `build` finds the others, and `len` grows meanwhile.
    Raises UserError when the file cannot be read or its layout is not known.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = RowFile(path, wait=False)
        try:
            sample = [self._rows[index] for index in range(min(len(self._rows), SAMPLE))]
            self.format: Format = layout_of_rows(path, sample)
            self._companion = load_companion(path, self.format)
        except BaseException:
            self._rows.close()
            raise
        self.indexed = Event()
        """Set when all rows are known, or will not be."""
        self.bytes_on_disk = open_rows(path).size
        self._stamp = _stamp(path)
        self._inspection: Inspection | None = None
        self._line = lru_cache(maxsize=4096)(self._describe)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def complete(self) -> bool:
        """Whether all rows are known."""
        return self._rows.complete

    def build(self, progress: Callable[[Progress], None], cancelled: Callable[[], bool]) -> None:
        """Find all rows. It may take its time: call it in a thread."""
        try:
            self._rows.build(progress, cancelled)
        finally:
            self.indexed.set()

    def close(self) -> None:
        """Close the file."""
        self._rows.close()

    def set_inspection(self, inspection: "Inspection") -> None:
        """Mark the rows by what was found in them."""
        self._inspection = inspection

    def severity(self, index: int) -> str:
        """The worst that was found in a row: "error", "warning", "info"; "" for nothing, or not known yet."""
        found = self._inspection.severities if self._inspection is not None else b""
        return _STATES[found[index]] if index < len(found) else ""

    def search(self, text: str, cancelled: Callable[[], bool]) -> Iterator[int]:
        """The indexes of the rows that hold `text`, in any case of letters. Call it in a thread."""
        return self._rows.search(text, 0, cancelled)

    def place(self, index: int) -> tuple[Path, int] | None:
        """Of a dataset of several files: the file, and the number of the row in it."""
        path, number = self._rows.locate(index)
        return None if path == self.path else (path, number)

    def shown(self, index: int) -> ShownRow:
        """What stands in a row."""
        if _stamp(self.path) != self._stamp:
            # The offsets no longer fit: what stands there now is another row, or half of one.
            return self._unreadable("not_json", index, "The file has changed since it was opened: press o.")
        row = self._rows[index]
        if row.value is None:
            return self._unreadable(row.rule or "not_json", index, row.error or "This row cannot be read.")
        try:
            return ShownRow(convert(row.value, self.format, self._companion), row.value)
        except ConversionError as error:
            return ShownRow(None, row.value, finding(error.rule, index + 1, error.field, str(error)))

    def findings(self, index: int, shown: ShownRow | None = None) -> list[Finding]:
        """Everything that is wrong with a row, the worst first.

        The row is checked anew: an inspection keeps only the first thousand findings of a rule. What one row
        alone cannot show (a copy, a leak, its length) is taken from the inspection.
        """
        row = shown or self.shown(index)
        if row.example is None:
            return [row.fault] if row.fault is not None else []
        found = validate(row.example, index + 1)
        if self._inspection is not None:
            found += _of_the_file(self._inspection, index + 1, {each.rule for each in found})
        return sorted(found, key=lambda each: -each.severity.rank)

    def line(self, index: int) -> RowLine:
        """The row in a line of the table."""
        line = self._line(index)
        state = line.state or self.severity(index)
        number, _, *cells = line.cells
        return RowLine((number, SYMBOLS[state], *cells), state)

    def _describe(self, index: int) -> RowLine:
        row = self.shown(index)
        number = str(index + 1)
        if row.example is None:
            problem = row.fault.message if row.fault is not None else ""
            return RowLine((number, "", "–", _cell(problem), ""), "error")
        messages = conversation(row.example)
        first = messages[0]["content"] if messages else ""
        request = next((each["content"] for each in messages if each["role"] == "user"), first)
        names = [call.name for each in messages for call in calls(each)]
        return RowLine((number, "", row.kind, _cell(request), _cell(", ".join(names)) if names else "–"))

    @staticmethod
    def _unreadable(rule: str, index: int, reason: str) -> ShownRow:
        return ShownRow(None, None, finding(rule, index + 1, None, reason))


def _of_the_file(inspection: "Inspection", number: int, known: set[str]) -> Iterator[Finding]:
    """The findings of a row (from 1) by rules that are not known from the row itself."""
    for rule in inspection.counts:
        rows = inspection.rows_of(rule)
        at = bisect_left(rows, number)
        if rule in known or at == len(rows) or rows[at] != number:
            continue
        kept = (each for each in inspection.findings if each.rule == rule and each.row == number)
        yield next(kept, None) or finding(rule, number, None, RULES[rule].title)


def _cell(text: str) -> str:
    return visible(text[:_CELL].strip(), one_line=True)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
