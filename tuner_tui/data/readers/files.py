"""The rows of one file of any kind."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from tuner_tui.data.layouts.reshape import Reshape, reshaper
from tuner_tui.data.readers.chunks import Chunk, SpanBlock, span_blocks
from tuner_tui.data.readers.columnar import open_columns
from tuner_tui.data.readers.folders import DataFile
from tuner_tui.data.readers.identify import Container
from tuner_tui.data.readers.jsonfile import JsonFile
from tuner_tui.data.readers.rows import Row, Span, to_span
from tuner_tui.data.readers.tables import ProseFile, TableFile
from tuner_tui.data.readers.wrapped import unwrapped


class RowsOfFile(Protocol):
    """What a source asks of a file: `filled_nulls` as in RowSource; `limited` gives at most `limit` rows."""

    @property
    def filled_nulls(self) -> bool: ...
    def rows(self, limit: int | None = None) -> Iterator[Row]: ...
    def chunks(self, target: int) -> Iterator[Chunk]: ...
    def limited(self, target: int, limit: int) -> Iterator[SpanBlock]: ...
    def count(self) -> int: ...


class Reshaped:
    """A file whose rows are not its examples: they are joined or divided as they are read."""

    filled_nulls = False

    def __init__(self, file: JsonFile, reshape: Reshape) -> None:
        self._file, self._reshape = file, reshape

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The examples in order, at most `limit`."""
        return islice(self._reshape(self._file.rows()), limit)

    def chunks(self, target: int) -> Iterator[Chunk]:
        """The examples in chunks."""
        return span_blocks(map(to_span, self.rows()), target, self._file.size)

    def limited(self, target: int, limit: int) -> Iterator[SpanBlock]:
        """At most `limit` examples in chunks."""
        return span_blocks(map(to_span, self.rows(limit)), target, self._file.size)

    def count(self) -> int:
        """How many examples there are."""
        return sum(1 for _ in self.rows())


class Faulty:
    """A file that cannot be read: one row that says why."""

    filled_nulls = False

    def __init__(self, path: Path, error: str) -> None:
        # The row is found in the file already: the sentence need not name the file again.
        self._span = Span(0, 0, 1, None, error.removeprefix(f"{path}: ").rstrip("."), "not_json")

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The one row."""
        return islice(iter([self._span.row(1)]), limit)

    def chunks(self, target: int) -> Iterator[Chunk]:
        """The one row."""
        return iter([SpanBlock((self._span,), 0, False)])

    def limited(self, target: int, limit: int) -> Iterator[SpanBlock]:
        """The one row."""
        return islice(iter([SpanBlock((self._span,), 0, False)]), limit)

    def count(self) -> int:
        """One."""
        return 1


def open_file(entry: DataFile) -> RowsOfFile:
    """The rows of one file.

    Raises:
        UserError: it is damaged, or one object with several lists of rows.
    """
    if entry.kind is None:
        return Faulty(entry.path, entry.error)
    match entry.kind.container:
        case Container.PARQUET | Container.ARROW_FILE | Container.ARROW_STREAM:
            return open_columns(entry.path, entry.kind.container)
        case Container.TABLE:
            return TableFile(entry.path, entry.kind)
        case Container.TEXT:
            return ProseFile(entry.path, entry.kind)
    file = JsonFile(entry.path, entry.kind)
    first = next(file.rows(1), None)
    if first is None:
        return file
    if (inside := unwrapped(file, first)) is not None:
        return inside
    reshape = reshaper(first.value) if first.value is not None else None
    return file if reshape is None else Reshaped(file, reshape)
