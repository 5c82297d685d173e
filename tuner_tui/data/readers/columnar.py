"""Parquet and Arrow files, read batch by batch, and the zstd stream: what needs pyarrow."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner_tui.data.readers.arrow_values import batch_rows, check_names, has_structs
from tuner_tui.data.readers.batches import BATCH_BYTES, first_line, sound_batches
from tuner_tui.data.readers.chunks import Chunk, SpanBlock, span_blocks
from tuner_tui.data.readers.identify import Container
from tuner_tui.data.readers.rows import Row, Span, to_span
from tuner_tui.data.readers.streams import open_plain
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema

_BATCH_ROWS = 512
_LARGEST_BATCH = 1 << 30


class ColumnFile(ABC):
    """A file of record batches, in pieces that can be read by themselves.

    Raises:
        UserError: it is damaged, or its batches are too large for memory.
    """

    container: Container
    schema: "Schema"

    def __init__(self, path: Path) -> None:
        import pyarrow

        self.path = path
        with open_plain(path):  # for the sentence about a file that cannot be opened
            pass
        self.size = path.stat().st_size
        try:
            self._check()
            check_names(self.schema)
        except UnicodeDecodeError:
            raise UserError(f"{path}: is damaged: the name of a column is not UTF-8.") from None
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise UserError(
                f"{path}: is a damaged {self.container.value} file ({first_line(error)})."
            ) from None
        self.filled_nulls = has_structs(self.schema)

    @abstractmethod
    def _check(self) -> None:
        """Read what the file says of itself: the schema first of all."""

    @abstractmethod
    def batches(self, first: int, last: int) -> Iterator["RecordBatch"]:
        """The batches of the pieces first..last-1 (row groups, or record batches), in order."""

    @abstractmethod
    def pieces(self) -> list[tuple[int, int]]:
        """Bytes on disk and in memory of each piece that can be read by itself; one when none can."""

    def rows_of(self, piece: int) -> int | None:
        """How many rows a piece has; None where the file does not tell."""
        return None

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The rows in order, at most `limit`."""
        return islice(_numbered(self, 0, len(self.pieces())), limit)

    def limited(self, target: int, limit: int) -> Iterator[SpanBlock]:
        """At most `limit` rows in chunks of about `target` bytes."""
        return span_blocks(map(to_span, self.rows(limit)), target, self.size)

    def count(self) -> int:
        """How many rows there are."""
        return sum(1 for _ in self.rows())

    def chunks(self, target: int) -> Iterator[Chunk]:
        """Several pieces as one chunk, or a large piece as several."""
        pieces = self.pieces()
        first = 0
        while first < len(pieces):
            last, disk, memory = first, 0, 0
            while last < len(pieces) and (last == first or memory + pieces[last][1] <= target):
                disk, memory = disk + pieces[last][0], memory + pieces[last][1]
                last += 1
            if memory <= 4 * target:
                yield PieceRange(self.path, self.container, first, last, disk)
            else:
                yield from self._copied(first, target)
            first = last

    def _copied(self, piece: int, target: int) -> Iterator[Chunk]:
        """The batches of a large piece, read here: a worker would have to read it from its beginning."""
        disk, memory = self.pieces()[piece]
        target = min(target, 2 * BATCH_BYTES)  # a batch takes less room here than as rows in a worker
        held: list[RecordBatch] = []
        weight = given = 0
        for batch in sound_batches(self.batches(piece, piece + 1), target):
            if not isinstance(batch, str):
                held.append(batch)
                weight += batch.nbytes
            if held and (weight >= target or isinstance(batch, str)):
                size = min(disk - given, weight * disk // (memory or 1))
                given += size
                yield _copy(held, size)
                held, weight = [], 0
            if isinstance(batch, str):
                yield SpanBlock((Span(0, 0, 1, None, batch, "not_json"),), 0, False)
        if held:
            yield _copy(held, disk - given)


class ParquetRows(ColumnFile):
    """A Parquet file; its pieces are row groups."""

    container = Container.PARQUET

    def _check(self) -> None:
        file = self._open()
        self.schema = file.schema_arrow
        groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
        self._counts: list[int] = [group.num_rows for group in groups]
        self._pieces = [
            (
                sum(group.column(index).total_compressed_size for index in range(group.num_columns)),
                group.total_byte_size,
            )
            for group in groups
        ]
        bytes_a_row = sum(piece[1] for piece in self._pieces) // (sum(self._counts) or 1) + 1
        self.batch_size = max(1, min(_BATCH_ROWS, BATCH_BYTES // bytes_a_row))

    def rows_of(self, piece: int) -> int | None:
        """As the file itself says."""
        return self._counts[piece]

    def count(self) -> int:
        """How many rows there are, as the file itself says."""
        return sum(self._counts)

    def _open(self) -> Any:
        from pyarrow import parquet

        return parquet.ParquetFile(self.path, buffer_size=1 << 20, pre_buffer=False)

    def pieces(self) -> list[tuple[int, int]]:
        """Of each row group."""
        return self._pieces

    def batches(self, first: int, last: int) -> Iterator["RecordBatch"]:
        """Batches of `batch_size` rows, none over the end of a row group."""
        file = self._open()
        for group in range(first, last):
            yield from file.iter_batches(self.batch_size, row_groups=[group], use_threads=False)


class ArrowRows(ColumnFile):
    """An Arrow file with a footer; its pieces are record batches."""

    container = Container.ARROW_FILE

    def _check(self) -> None:
        file = self._open()
        self.schema = file.schema
        count = file.num_record_batches
        share = self.size // (count or 1)
        if share > _LARGEST_BATCH:
            raise UserError(
                f"{self.path}: its record batches are larger than {_LARGEST_BATCH >> 30} GiB; write it with "
                "smaller ones, or as Parquet."
            )
        self._pieces = [(share, share)] * count

    def _open(self) -> Any:
        import pyarrow

        # Not mapped to memory: of a mapped file that shrinks meanwhile, the process would die.
        return pyarrow.ipc.open_file(pyarrow.OSFile(str(self.path)))

    def pieces(self) -> list[tuple[int, int]]:
        """Of each record batch; the file does not tell how they differ."""
        return self._pieces

    def batches(self, first: int, last: int) -> Iterator["RecordBatch"]:
        """The record batches as they were written."""
        file = self._open()
        for index in range(first, last):
            yield file.get_batch(index)


class ArrowStreamRows(ColumnFile):
    """An Arrow stream, as `datasets` saves it: one piece, read from its beginning."""

    container = Container.ARROW_STREAM

    def _check(self) -> None:
        self.schema = self._open().schema

    def _open(self) -> Any:
        import pyarrow

        return pyarrow.ipc.open_stream(pyarrow.OSFile(str(self.path)))

    def pieces(self) -> list[tuple[int, int]]:
        """One: the whole file."""
        return [(self.size, self.size)]

    def batches(self, first: int, last: int) -> Iterator["RecordBatch"]:
        """The record batches as they were written."""
        return iter(self._open())


def open_columns(path: Path, container: Container) -> ColumnFile:
    """A Parquet or Arrow file."""
    files: dict[Container, type[ColumnFile]] = {
        Container.PARQUET: ParquetRows,
        Container.ARROW_FILE: ArrowRows,
        Container.ARROW_STREAM: ArrowStreamRows,
    }
    return files[container](path)


@dataclass(frozen=True, slots=True)
class PieceRange:
    """Row groups or record batches of a file, read where they are wanted."""

    path: Path
    container: Container
    first: int
    last: int
    size: int
    json_lines: bool = False

    def data(self) -> bytes:
        """Nothing: the rows are no text."""
        return b""

    def rows(self) -> Iterator[Row]:
        """The rows, as values."""
        return _numbered(open_columns(self.path, self.container), self.first, self.last)


@dataclass(frozen=True, slots=True)
class BatchBlock:
    """Record batches in Arrow's stream format."""

    stream: bytes
    size: int
    json_lines: bool = False

    def data(self) -> bytes:
        """Nothing: the rows are no text."""
        return b""

    def rows(self) -> Iterator[Row]:
        """The rows, as values."""
        import pyarrow

        number = 1
        for batch in pyarrow.ipc.open_stream(self.stream):
            yield from batch_rows(batch, number)
            number += batch.num_rows


def _numbered(file: ColumnFile, first: int, last: int) -> Iterator[Row]:
    """The rows of some pieces; a piece that is damaged ends with a row that says so."""
    number = 1
    for piece in range(first, last):
        for batch in sound_batches(file.batches(piece, piece + 1)):
            if isinstance(batch, str):
                yield Row(number, None, batch, "not_json")
                number += 1
            else:
                yield from batch_rows(batch, number)
                number += batch.num_rows


def _copy(batches: list["RecordBatch"], size: int) -> BatchBlock:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return BatchBlock(sink.getvalue().to_pybytes(), size)
