"""Rows by number of one file, for each way in which a file can be addressed."""

import os
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import orjson

from tuner_tui.data.readers.arrow_values import batch_rows
from tuner_tui.data.readers.batches import sound_batches
from tuner_tui.data.readers.columnar import ColumnFile
from tuner_tui.data.readers.jsonfile import JsonFile
from tuner_tui.data.readers.line_index import LineIndex
from tuner_tui.data.readers.needle import Needle
from tuner_tui.data.readers.rows import MAX_ROW_BYTES, Row, decode
from tuner_tui.data.readers.streams import ByteStream, Compression, open_plain

if TYPE_CHECKING:
    from pyarrow import RecordBatch

_REPORT = 512  # rows between two steps
_CACHED = 8  # batches


class Pages(Protocol):
    """Rows of one file by index (from 0), as far as they are known.

    `grow` finds the rest: it gives the bytes on disk that were gone through, step by step, and can be left
    and taken up again. `search` gives indexes, and None now and then where none was found.
    """

    def __len__(self) -> int: ...
    def row(self, index: int) -> Row: ...
    def grow(self) -> Iterator[int]: ...
    def search(self, needle: Needle, start: int) -> Iterator[int | None]: ...
    def close(self) -> None: ...


class LinePages:
    """Plain JSON Lines: any place of the file can be read."""

    def __init__(self, path: Path, start: int) -> None:
        self._file = open_plain(path)
        self._index = LineIndex(self._file, start)
        self._size = os.fstat(self._file.fileno()).st_size
        self.row, self.search, self.close = self._index.row, self._index.search, self._file.close

    def __len__(self) -> int:
        return len(self._index)

    def grow(self) -> Iterator[int]:
        """Index the file."""
        return self._index.extended(self._size)


class SpanPages:
    """A plain JSON array, or JSON values: where each row lies is kept."""

    def __init__(self, json: JsonFile) -> None:
        self._json = json
        self._starts, self._lengths, self._lines = array("Q"), array("Q"), array("Q")
        self._file = open_plain(json.path)
        self.close = self._file.close

    def __len__(self) -> int:
        return len(self._lines)

    def grow(self) -> Iterator[int]:
        """Go through the file."""
        with ByteStream(self._json.path, Compression.NONE) as stream:
            for number, span in enumerate(self._json.spans(stream), start=1):
                self._starts.append(span.start)
                self._lengths.append(span.length)
                self._lines.append(span.line)
                if number % _REPORT == 0:
                    yield span.start + span.length
        yield self._json.size

    def row(self, index: int) -> Row:
        """The row at `index`."""
        return decode(index + 1, self._data(index), self._lines[index])

    def search(self, needle: Needle, start: int) -> Iterator[int | None]:
        """Row by row."""
        for index in range(start, len(self)):
            data = self._data(index)
            if data is not None and needle.found_in(data):
                yield index
            elif index % _REPORT == 0:
                yield None

    def _data(self, index: int) -> bytes | None:
        length = self._lengths[index]
        if length > MAX_ROW_BYTES:
            return None
        return os.pread(self._file.fileno(), length, self._starts[index])


class ColumnPages:
    """Parquet or Arrow: the batch of a row is found by going through its piece, and kept."""

    def __init__(self, file: ColumnFile) -> None:
        self._file = file
        self._ends = array("Q")  # of each piece: the rows up to its end
        self._rows = 0
        self._cache: OrderedDict[int, RecordBatch | str] = OrderedDict()  # by the index of their first row
        self._piece: tuple[int, int, Iterator[RecordBatch | str]] | None = (
            None  # the piece, next row, the rest
        )
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._rows

    def close(self) -> None:
        """Let the batches go."""
        with self._lock:
            self._cache.clear()
            self._piece = None

    def grow(self) -> Iterator[int]:
        """Count the rows of each piece: at once where the file tells them."""
        done = 0
        for piece, (disk, _) in enumerate(self._file.pieces()):
            told = self._file.rows_of(piece)
            if told is not None:
                self._rows += told
            else:
                for batch in sound_batches(self._file.batches(piece, piece + 1)):
                    self._rows += _height(batch)
                    yield done
            self._ends.append(self._rows)
            done += disk
        yield self._file.size

    def row(self, index: int) -> Row:
        """The row at `index`."""
        with self._lock:
            start, batch = self._batch(index)
        if isinstance(batch, str):
            return Row(index + 1, None, batch, "not_json")
        return next(iter(batch_rows(batch.slice(index - start, 1), index + 1)))

    def search(self, needle: Needle, start: int) -> Iterator[int | None]:
        """Batch by batch, in the JSON that the rows would be."""
        index = start
        while index < len(self):
            with self._lock:
                first, batch = self._batch(index)
            if isinstance(batch, str):
                index += 1
                yield None
                continue
            for row in batch_rows(batch.slice(index - first), index + 1):
                found = needle.found_in(orjson.dumps(row.value, default=str))
                yield row.number - 1 if found else None
            index = first + batch.num_rows

    def _batch(self, index: int) -> tuple[int, "RecordBatch | str"]:
        """The batch that holds the row, with the index of its first row."""
        for first, batch in self._cache.items():
            if first <= index < first + _height(batch):
                self._cache.move_to_end(first)
                return first, batch
        piece = bisect_right(self._ends, index)
        begin = self._ends[piece - 1] if piece else 0
        if self._piece is None or self._piece[0] != piece or self._piece[1] > index:
            self._piece = (piece, begin, sound_batches(self._file.batches(piece, piece + 1)))
        _, at, rest = self._piece
        for batch in rest:
            height = _height(batch)
            self._piece = (piece, at + height, rest)
            # What is passed on the way is kept too: who scrolls upwards wants it next.
            self._cache[at] = batch
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
            if at <= index < at + height:
                return at, batch
            at += height
        self._piece = None
        return index, "the file is damaged or has changed: it has fewer rows than it says"


def _height(batch: "RecordBatch | str") -> int:
    return 1 if isinstance(batch, str) else int(batch.num_rows)
