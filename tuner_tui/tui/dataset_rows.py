"""The rows of one dataset file, as the table and the row view want them: fetched when they are looked at."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tuner_tui.data.converters import convert
from tuner_tui.data.examples import Example, calls, conversation
from tuner_tui.data.formats import Format
from tuner_tui.data.readers import RowFile
from tuner_tui.data.rules import Finding
from tuner_tui.data.sources import open_source
from tuner_tui.data.stats import kind
from tuner_tui.errors import UserError
from tuner_tui.tui.widgets.dataset_table import Column, RowLine
from tuner_tui.visible import visible

COLUMNS = (
    Column("row", 6, coloured=True),
    Column("", 1, coloured=True),
    Column("kind", 14),
    Column("request", share=2),
    Column("calls", share=1),
)
SYMBOLS = {"error": "✗", "warning": "▲", "info": "•", "": " "}
# A cell shows some hundred characters; a row may hold millions.
_CELL = 300


class DatasetRows:
    """An indexed file: `row`, `example` and `line` by index (from 0), and the findings of each row.

    Opening reads the file once, to index it (thread); everything else reads single rows. Raises UserError
    when the file cannot be read or its layout is not known.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.format: Format = open_source(path).format
        self._stamp = _stamp(path)
        self._rows = RowFile(path)
        self._findings: dict[int, list[Finding]] = {}
        self.line = lru_cache(maxsize=4096)(self._line)

    def __len__(self) -> int:
        return len(self._rows)

    def close(self) -> None:
        """Close the file."""
        self._rows.close()

    def set_findings(self, findings: Sequence[Finding]) -> None:
        """Mark the rows that these findings name."""
        found: dict[int, list[Finding]] = defaultdict(list)
        for each in findings:
            if each.row is not None:
                found[each.row - 1].append(each)
        self._findings = found
        self.line.cache_clear()

    def findings(self, index: int) -> list[Finding]:
        """What is wrong with this row, the worst first."""
        return sorted(self._findings.get(index, ()), key=lambda each: -each.severity.rank)

    def example(self, index: int) -> tuple[Example | None, dict[str, Any] | None, str]:
        """The row as an example, as it stands in the file, and why one of them is missing ("": none is)."""
        row = self._rows[index]
        if row.value is None:
            if _stamp(self.path) != self._stamp:
                return None, None, "The file has changed since it was opened; open it again (o)."
            return None, None, row.error or "This row cannot be read."
        try:
            return convert(row.value, self.format), row.value, ""
        except UserError as error:
            return None, row.value, str(error)

    def _line(self, index: int) -> RowLine:
        """The row in a line of the table."""
        number = str(index + 1)
        found = self.findings(index)
        state = found[0].severity.value if found else ""
        example, _, problem = self.example(index)
        if example is None:
            return RowLine((number, "✗", "–", _cell(problem), ""), "error")
        messages = conversation(example)
        request = next((each["content"] for each in messages if each["role"] == "user"), "")
        names = [call.name for each in messages for call in calls(each)]
        cells = (number, SYMBOLS[state], kind(example).replace("_", " "), _cell(request))
        return RowLine((*cells, _cell(", ".join(names)) if names else "–"), state)


def _cell(text: str) -> str:
    return visible(text[:_CELL].strip(), one_line=True)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
