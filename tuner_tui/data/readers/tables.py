"""CSV, TSV and plain text: rows that are no JSON by themselves."""

import ast
import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from tuner_tui.data.literals.json_text import dump_json, load_json
from tuner_tui.data.literals.safe_ast import parse_expression
from tuner_tui.data.readers.chunks import Chunk, SpanBlock, span_blocks
from tuner_tui.data.readers.identify import Kind
from tuner_tui.data.readers.rows import MAX_ROW_BYTES, Row, Span, not_utf8, to_span
from tuner_tui.data.readers.streams import ByteStream
from tuner_tui.errors import UserError

_LONGEST_NAME = 200
# Of unpaired preferences; elsewhere the words stay text, for an answer may be "true".
_FLAGS = {"label": {"true": True, "false": False, "1": True, "0": False}}
_TOO_LONG = f"longer than {MAX_ROW_BYTES // 2**20} MiB"
_BLOCK = 1024 * 1024


class TextRows:
    """A file whose rows are made from lines of text; `make` gives them from the open file."""

    filled_nulls = False

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path, self.kind = path, kind
        self.size = path.stat().st_size

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The rows in order, at most `limit`; where the file has a fault, the last row is that fault."""
        with ByteStream(self.path, self.kind.compression) as stream:
            yield from islice(self._rows(stream), limit)

    def chunks(self, target: int) -> Iterator[Chunk]:
        """The rows in chunks of about `target` bytes."""
        return self._blocks(target, None)

    def limited(self, target: int, limit: int) -> Iterator[SpanBlock]:
        """At most `limit` rows in chunks of about `target` bytes."""
        return self._blocks(target, limit)

    def count(self) -> int:
        """How many rows there are."""
        return sum(1 for _ in self.rows())

    def _blocks(self, target: int, limit: int | None) -> Iterator[SpanBlock]:
        with ByteStream(self.path, self.kind.compression) as stream:
            spans = islice(self.spans(stream), limit)
            yield from span_blocks(spans, target, self.size, lambda: stream.consumed)

    def spans(self, stream: ByteStream) -> Iterator[Span]:
        """The rows as JSON, from the beginning of the stream."""
        return map(to_span, self._rows(stream))

    def _rows(self, stream: ByteStream) -> Iterator[Row]:
        stream.read(self.kind.start)
        row = None
        for row in self.make(stream):
            yield row
        if stream.fault is not None:
            yield Row(row.number + 1 if row else 1, None, stream.fault, "not_json")

    def make(self, stream: ByteStream) -> Iterator[Row]:
        """The rows, from where the first one begins."""
        raise NotImplementedError


class TableFile(TextRows):
    """CSV or TSV with a header line.

    A cell that begins with a bracket and holds JSON, or a Python literal as pandas writes it, becomes that
    value; an empty cell becomes null; every other cell stays text.
    """

    def __init__(self, path: Path, kind: Kind) -> None:
        super().__init__(path, kind)
        with ByteStream(path, kind.compression) as stream:
            stream.read(kind.start)
            self.names = self._header(_Records(stream, kind.delimiter))

    def make(self, stream: ByteStream) -> Iterator[Row]:
        """One row a record."""
        records = _Records(stream, self.kind.delimiter)
        self._header(records)
        for number, record in enumerate(records, start=1):
            yield self._row(number, record)

    def _header(self, records: "_Records") -> list[str]:
        first = next(records, [])
        if isinstance(first, str):
            raise UserError(f"{self.path}: its header line cannot be read ({first}).")
        names = [name.strip() or f"column {place}" for place, name in enumerate(first, start=1)]
        for name in names:
            if name[0] in "{[" or len(name) > _LONGEST_NAME or _is_number(name):
                raise UserError(
                    f"{self.path}: its first line names no columns ({name[:40]!r} stands where a name "
                    "should); add a header line."
                )
            if names.count(name) > 1:
                raise UserError(
                    f"{self.path}: two columns are called {name!r}; rename one in the header line."
                )
        return names

    def _row(self, number: int, record: list[str] | str) -> Row:
        if isinstance(record, str):
            return Row(number, None, record, "not_json")
        if len(record) != len(self.names):
            error = (
                f"{len(record)} cells where the header has {len(self.names)}; quote a cell that holds the "
                "delimiter or a line end"
            )
            return Row(number, None, error, "not_json")
        return Row(
            number, {name: _value(name, cell) for name, cell in zip(self.names, record, strict=True)}, None
        )


class ProseFile(TextRows):
    """Plain text: rows {"text": ...}, one a paragraph where blank lines divide it, else one a line."""

    def make(self, stream: ByteStream) -> Iterator[Row]:
        """One row a paragraph or a line."""
        texts = _paragraphs(_lines(stream)) if self.kind.paragraphs else _lines(stream)
        texts = (text for text in texts if text is None or not text.isspace())
        for number, text in enumerate(texts, start=1):
            if text is None:
                yield Row(number, None, _TOO_LONG, "not_json")
                continue
            try:
                yield Row(number, {"text": text.decode().strip()}, None)
            except UnicodeDecodeError as fault:
                yield Row(number, None, not_utf8(fault), "not_json")


class _Unreadable(Exception):
    """A line that csv must not see."""


class _Records:
    """The records of a table one by one; instead of one that cannot be read, the reason."""

    def __init__(self, stream: ByteStream, delimiter: str) -> None:
        # For the whole process, and always the same: the usual limit, 128 KiB, is less than a list of tools.
        csv.field_size_limit(MAX_ROW_BYTES)
        self._lines = _lines(stream)
        self._reader = csv.reader(_Text(self), delimiter=delimiter, strict=True)
        self._size = 0
        self._fault = ""

    def __iter__(self) -> Iterator[list[str] | str]:
        return self

    def __next__(self) -> list[str] | str:
        while True:
            self._size, self._fault = 0, ""
            try:
                record = next(self._reader)
            except _Unreadable as error:
                return str(error)
            except csv.Error as error:
                return "a quote is opened and not closed" if "end of data" in str(error) else str(error)
            if self._fault:
                return self._fault
            if record:
                return record

    def line(self) -> str:
        """The next line of the present record."""
        line = next(self._lines)
        self._size += MAX_ROW_BYTES + 1 if line is None else len(line)
        if line is None or self._size > MAX_ROW_BYTES:
            raise _Unreadable(_TOO_LONG)
        try:
            return line.decode()
        except UnicodeDecodeError as fault:
            # Passed on, so that a quoted cell over several lines ends where it should.
            self._fault = not_utf8(fault)
            return line.decode(errors="replace")


class _Text:
    """The lines for csv: an iterator that goes on after an exception, as a generator does not."""

    def __init__(self, records: _Records) -> None:
        self._records = records

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return self._records.line()


def _lines(stream: ByteStream) -> Iterator[bytes | None]:
    """The lines, None for one that is too long; a last one that a fault of the stream cut off is left out."""
    while line := stream.readline(MAX_ROW_BYTES + 1):
        if len(line) > MAX_ROW_BYTES:
            while not line.endswith(b"\n") and (more := stream.readline(_BLOCK)):
                line = more
            yield None
        elif line.endswith(b"\n") or stream.fault is None:
            yield line


def _paragraphs(lines: Iterator[bytes | None]) -> Iterator[bytes | None]:
    held: list[bytes] = []
    size = 0
    for line in chain(lines, (b"\n",)):
        if line is not None and line.isspace():
            if size:
                yield b"".join(held) if size <= MAX_ROW_BYTES else None
            held, size = [], 0
            continue
        size += MAX_ROW_BYTES + 1 if line is None else len(line)
        if line is not None and size <= MAX_ROW_BYTES:
            held.append(line)
        else:
            held.clear()


def _value(name: str, cell: str) -> Any:
    if not cell:
        return None
    if name in _FLAGS:
        return _FLAGS[name].get(cell.strip().lower(), cell)
    if cell.lstrip()[:1] not in ("{", "["):
        return cell
    try:
        return load_json(cell)
    except orjson.JSONDecodeError:
        pass
    try:
        # Through JSON once more: a literal may hold what JSON does not know.
        return load_json(dump_json(ast.literal_eval(parse_expression(cell))))
    except (ValueError, TypeError, RecursionError, MemoryError):
        return cell


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
