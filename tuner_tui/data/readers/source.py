"""A dataset as one stream of rows, whatever files it lies in."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from tuner_tui.data.readers.chunks import Chunk, joined
from tuner_tui.data.readers.files import Faulty, RowsOfFile, open_file
from tuner_tui.data.readers.folders import ALL_READ, DataFile, LeftOut, look_into
from tuner_tui.data.readers.identify import identify
from tuner_tui.data.readers.rows import Row
from tuner_tui.errors import UserError

TARGET = 16 << 20
"""Bytes that a chunk has when nothing else is asked for."""


class RowSource:
    """The rows of a file, or of the files of a folder, numbered through.

    Attributes:
        path: what was opened.
        kind: what it is, for people: "JSON Lines, gzip", "folder of 214 files".
        files: the files with rows, in order.
        skipped: the files of a folder that are not read, with the reason.
        left_out: the same, for people.
        size: bytes on disk of all `files`.
        filled_nulls: whether null fields of structs were left out, because Arrow may have put them in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped: list[tuple[Path, str]] = []
        self.left_out = ALL_READ
        if path.is_dir():
            folder = look_into(path)
            self.left_out = LeftOut.of(path, folder.skipped)
            self._entries, self.skipped = folder.files, folder.skipped
            self.kind = f"folder of {len(self._entries):,} file{'s' * (len(self._entries) > 1)}"
            if folder.split:
                self.kind += f", split {folder.split}"
        else:
            kind = identify(path)
            self._entries = [DataFile(path, kind)]
            self.kind = kind.name
        self.files = [entry.path for entry in self._entries]
        self._single = None if path.is_dir() else open_file(self._entries[0])
        self._ends: list[int] = []  # the number of the last row of each file that was counted
        self.size = sum(_size(file) for file in self.files)
        first = self._single or self._open(self._entries[0])
        self.filled_nulls = first.filled_nulls

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The rows in order, at most `limit`."""
        if self._single is not None:
            yield from self._single.rows(limit)
            return
        number = 0
        for place, entry in enumerate(self._entries):
            for row in self._open(entry).rows():
                number += 1
                if limit is not None and number > limit:
                    return
                yield row if row.number == number else replace(row, number=number)
            if place == len(self._ends):
                self._ends.append(number)

    def chunks(self, target: int = TARGET, limit: int | None = None) -> Iterator[Chunk]:
        """The rows in order, at most `limit`, in chunks of about `target` bytes, made on demand."""
        return joined(self._chunks(target) if limit is None else self._limited(target, limit), target)

    def locate(self, number: int) -> tuple[Path, int]:
        """The file of a row, and its number in that file. Files that no one has counted are counted now."""
        while len(self._ends) < len(self.files) - 1 and (not self._ends or self._ends[-1] < number):
            before = self._ends[-1] if self._ends else 0
            self._ends.append(before + self._open(self._entries[len(self._ends)]).count())
        place = min(bisect_left(self._ends, number), len(self.files) - 1)
        return self.files[place], number - (self._ends[place - 1] if place else 0)

    def opened(self) -> Iterator[RowsOfFile]:
        """The files one by one."""
        return map(self._open, self._entries)

    def _chunks(self, target: int) -> Iterator[Chunk]:
        return chain.from_iterable(file.chunks(target) for file in self.opened())

    def _limited(self, target: int, limit: int) -> Iterator[Chunk]:
        for file in self.opened():
            for block in file.limited(target, limit):
                limit -= len(block.spans)
                yield block
            if limit <= 0:
                return

    def _open(self, entry: DataFile) -> RowsOfFile:
        """A file of this source; of a folder's file that cannot be opened, one row that says why."""
        if self._single is not None:
            return self._single
        try:
            return open_file(entry)
        except UserError as error:
            return Faulty(entry.path, str(error))


def open_rows(path: Path) -> RowSource:
    """Open a dataset: a file, a folder, or the id of a dataset on the Hugging Face hub ("owner/name", or
    "owner/name:split"), which is downloaded first unless it was before.

    Raises:
        UserError: it cannot be opened or had, is empty, or holds no rows that are known here.
    """
    return RowSource(local(path))


def read_rows(path: Path, limit: int | None = None) -> Iterator[Row]:
    """The rows of a dataset in order, at most `limit`.

    A row that is no JSON object comes with its `error` instead of a value.

    Raises:
        UserError: as `open_rows`.
    """
    yield from open_rows(path).rows(limit)


def local(path: Path) -> Path:
    """The path itself, or where the dataset lies whose id on the hub it is."""
    from tuner_tui.data.hub import dataset_id, fetch

    found = None if path.exists() else dataset_id(str(path))
    return path if found is None else fetch(found)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
