"""Rows by number, for tables that show a few of very many."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from tuner_tui.data.progress import Progress
from tuner_tui.data.readers.columnar import ColumnFile
from tuner_tui.data.readers.files import RowsOfFile
from tuner_tui.data.readers.jsonfile import JsonFile
from tuner_tui.data.readers.needle import Needle
from tuner_tui.data.readers.pages import ColumnPages, LinePages, Pages, SpanPages
from tuner_tui.data.readers.rows import Row, to_span
from tuner_tui.data.readers.source import RowSource, local
from tuner_tui.data.readers.spool import SpoolPages
from tuner_tui.data.readers.streams import ByteStream, Compression
from tuner_tui.data.readers.tables import TextRows

_FEW_FILES = 64  # a folder of more is unpacked to one temporary file: each file would stay open
_REPORT = 0.05  # seconds between two calls of `progress`


class RowFile:
    """Rows by number: an index in memory, rows on disk.

    `row_file[0]` is the first row, whose `Row.number` is 1. With `wait=False` only the first rows are known,
    whatever the size of the file, and `build` finds the rest. Reads are positioned, so that threads may share
    it, and a file which shrinks meanwhile yields rows with an error and no crash. Close it, or use `with`.

    Raises:
        UserError: as `read_rows`; or what must be unpacked to be addressed finds no room for it.
    """

    def __init__(self, path: Path, *, wait: bool = True) -> None:
        self.path = path
        self.source = RowSource(local(path))
        self.complete = False
        self._closed = False
        self._parts: list[Pages] = []
        try:
            self._parts.extend(_parts(self.source))
            # By the end of a part the next one begins; what was indexed stays, when `build` is left early.
            self._steps = self._grow()
            for _ in self._steps:
                if len(self):
                    break
            else:
                self.complete = True
            if wait:
                self.build()
        except BaseException:
            self.close()
            raise

    def build(
        self,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Find the rest of the rows; rows can be fetched meanwhile, and `len` grows.

        When it was cancelled, it goes on from there the next time.

        Raises:
            UserError: there is no room to unpack the rest.
        """
        begun = told = monotonic()
        try:
            for done in self._steps:
                if cancelled is not None and cancelled():
                    return
                if progress is not None and (now := monotonic()) - told >= _REPORT:
                    told = now
                    progress(Progress(done, self.source.size, len(self), now - begun))
        except (OSError, ValueError):
            if self._closed:  # by another thread
                return
            raise
        self.complete = True
        if progress is not None:
            size = self.source.size
            progress(Progress(size, size, len(self), monotonic() - begun))

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __getitem__(self, index: int) -> Row:
        if index < 0:
            index += len(self)
        part, place = self._place(index)
        row = self._parts[part].row(place)
        return row if place == index else Row(index + 1, row.value, row.error, row.rule)

    def locate(self, index: int) -> tuple[Path, int]:
        """The file of a row, and its number in that file."""
        part, place = self._place(index)
        if len(self._parts) < len(self.source.files):
            return self.source.locate(index + 1)
        return self.source.files[part], place + 1

    def search(self, text: str, start: int = 0, cancelled: Callable[[], bool] | None = None) -> Iterator[int]:
        """Indexes from `start` on of the rows whose JSON holds `text`, in any case, as they are found."""
        needle = Needle(text)
        before = 0
        for part in list(self._parts):
            if start < before + len(part):
                for found in part.search(needle, max(start - before, 0)):
                    if cancelled is not None and cancelled():
                        return
                    if found is not None:
                        yield before + found
            before += len(part)

    def close(self) -> None:
        """Close the files; rows can no longer be fetched."""
        self._closed = True
        for part in self._parts:
            part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _grow(self) -> Iterator[int]:
        before = 0
        for part in self._parts:
            done = 0
            for done in part.grow():
                yield before + done
            before += done

    def _place(self, index: int) -> tuple[int, int]:
        """The part that holds a row, and its index there."""
        ends = list(accumulate(map(len, self._parts)))
        if not ends or not 0 <= index < ends[-1]:
            raise IndexError(index)
        part = bisect_right(ends, index)
        return part, index - (ends[part - 1] if part else 0)


def _parts(source: RowSource) -> Iterator[Pages]:
    if len(source.files) > _FEW_FILES:
        yield SpoolPages(source.path, source.size, map(to_span, source.rows()))
        return
    for file, path in zip(source.opened(), source.files, strict=True):
        yield _pages(file, path)


def _pages(file: RowsOfFile, path: Path) -> Pages:
    if isinstance(file, ColumnFile):
        return ColumnPages(file)
    if isinstance(file, JsonFile):
        if file.plain_lines:
            return LinePages(path, file.kind.start)
        if file.kind.compression is Compression.NONE:
            return SpanPages(file)
    if isinstance(file, JsonFile | TextRows):
        stream = ByteStream(path, file.kind.compression)
        return SpoolPages(path, file.size, file.spans(stream), stream)
    size = path.stat().st_size if path.is_file() else 0
    return SpoolPages(path, size, map(to_span, file.rows()))
