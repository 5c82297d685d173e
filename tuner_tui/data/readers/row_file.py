"""Rows by number, for tables that show a few of very many."""

import os
from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from tuner_tui.data.progress import Progress
from tuner_tui.data.readers.identify import identify
from tuner_tui.data.readers.jsonfile import JsonFile
from tuner_tui.data.readers.rows import MAX_ROW_BYTES, Row, decode
from tuner_tui.data.readers.streams import ByteStream, Compression

_FIRST = 200


class RowFile:
    """Rows by number: an index in memory, rows on disk.

    `row_file[0]` is the first row, whose `Row.number` is 1.
    """

    def __init__(self, path: Path, *, wait: bool = True) -> None:
        self.path = path
        self._json = JsonFile(path, identify(path))
        self._starts, self._lengths, self._lines = array("Q"), array("Q"), array("Q")
        self._file = ByteStream(path, Compression.NONE)
        self.complete = False
        if wait:
            self.build()
        else:
            self._index(_FIRST)

    def _index(self, limit: int | None, report: Callable[[int, int], bool] | None = None) -> bool:
        starts, lengths, lines = array("Q"), array("Q"), array("Q")
        with ByteStream(self.path, Compression.NONE) as stream:
            for span in islice(self._json.spans(stream), limit):
                starts.append(span.start)
                lengths.append(span.length)
                lines.append(span.line)
                if report is not None and len(starts) % 4096 == 0 and report(span.start, len(starts)):
                    return False
        self._starts, self._lengths, self._lines = starts, lengths, lines
        return True

    def build(
        self,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Find the rest of the rows."""
        begun = monotonic()

        def report(done: int, rows: int) -> bool:
            if progress is not None:
                progress(Progress(done, self._json.size, rows, monotonic() - begun))
            return cancelled is not None and cancelled()

        self.complete = self._index(None, report)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Row:
        if index < 0:
            index += len(self)
        start, length, line = self._starts[index], self._lengths[index], self._lines[index]
        data = os.pread(self._file.fileno(), length, start) if length <= MAX_ROW_BYTES else None
        return decode(index + 1, data, line)

    def locate(self, index: int) -> tuple[Path, int]:
        """The file of a row, and its number in that file."""
        return self.path, index + 1

    def search(self, text: str, start: int = 0, cancelled: Callable[[], bool] | None = None) -> Iterator[int]:
        """Indexes from `start` on of the rows whose text holds `text`, in any case."""
        needle = text.lower()
        for index in range(start, len(self)):
            if cancelled is not None and cancelled():
                return
            data = os.pread(self._file.fileno(), self._lengths[index], self._starts[index])
            if needle in data.decode(errors="replace").lower():
                yield index

    def close(self) -> None:
        """Close the file; rows can no longer be fetched."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
