"""A dataset as one stream of rows, whatever files it lies in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tuner_tui.data.readers.chunks import Chunk, joined
from tuner_tui.data.readers.columnar import open_columns
from tuner_tui.data.readers.identify import Container, Kind, identify
from tuner_tui.data.readers.jsonfile import JsonFile
from tuner_tui.data.readers.rows import Row
from tuner_tui.data.readers.tables import ProseFile, TableFile

TARGET = 16 << 20
"""Bytes that a chunk has when nothing else is asked for."""


class RowsOfFile(Protocol):
    """One file's rows: what a source asks of a container."""

    @property
    def size(self) -> int: ...
    def rows(self, limit: int | None = None) -> Iterator[Row]: ...
    def chunks(self, target: int, limit: int | None) -> Iterator[Chunk]: ...


def open_file(path: Path, kind: Kind) -> RowsOfFile:
    """The rows of one file of a known kind."""
    if kind.container in (Container.PARQUET, Container.ARROW_FILE, Container.ARROW_STREAM):
        return open_columns(path, kind.container)
    if kind.container is Container.TABLE:
        return TableFile(path, kind)
    if kind.container is Container.TEXT:
        return ProseFile(path, kind)
    return JsonFile(path, kind)


class RowSource:
    """Rows of a file; `kind` names it for people, `size` is in bytes on disk."""

    def __init__(self, path: Path) -> None:
        kind = identify(path)
        self.path, self.kind = path, kind.name
        self.files = [path]
        self._file: RowsOfFile = open_file(path, kind)
        self.size = self._file.size

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The rows in order, at most `limit`."""
        return self._file.rows(limit)

    def chunks(self, target: int = TARGET, limit: int | None = None) -> Iterator[Chunk]:
        """The rows in order, at most `limit`, in chunks of about `target` bytes, made on demand."""
        return joined(self._file.chunks(target, limit), target)

    def locate(self, number: int) -> tuple[Path, int]:
        """The file of a row, and its number in that file."""
        return self.path, number


def open_rows(path: Path) -> RowSource:
    """Open a dataset.

    Raises:
        UserError: it cannot be opened, is empty, or holds no rows that are known here.
    """
    return RowSource(path)


def read_rows(path: Path, limit: int | None = None) -> Iterator[Row]:
    """The rows of a dataset in order, at most `limit`.

    A row that is no JSON object comes with its `error` instead of a value.

    Raises:
        UserError: as `open_rows`.
    """
    yield from open_rows(path).rows(limit)
