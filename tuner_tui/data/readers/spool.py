"""Rows of a file without cheap access to row N (packed, a table, an expanded layout), unpacked to a temporary
JSON Lines file that has no name, and is gone with the process."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from tuner_tui.data.readers.line_index import LineIndex
from tuner_tui.data.readers.rows import Row, Span, decode, to_span
from tuner_tui.data.readers.streams import ByteStream
from tuner_tui.errors import UserError

_STEP = 1 << 20  # bytes between two steps
_FIRST = 64 << 10  # of the first step, so that the first rows are there at once
_RESERVE = 512 << 20  # bytes that are left free
_FAULT = b"!"  # begins the line of a row that could not be read; JSON begins otherwise


class SpoolPages:
    """Rows by number of what `spans` gives, which come from `stream` if there is one.

    Raises:
        UserError: there is less room for temporary files than the file takes even as it is.
    """

    def __init__(
        self, path: Path, size: int, spans: Iterable[Span], stream: ByteStream | None = None
    ) -> None:
        self._path, self._size, self._stream = path, size, stream
        self._check_room(size)
        self._spans = iter(spans)
        self._file = tempfile.TemporaryFile(prefix="tuner-")  # noqa: SIM115 (closed by `close`)
        self._index = LineIndex(self._file, 0, _read)
        self.row, self.search = self._index.row, self._index.search

    def __len__(self) -> int:
        return len(self._index)

    def close(self) -> None:
        """Close both files; the temporary one is gone then."""
        self._file.close()
        if self._stream is not None:
            self._stream.close()

    def grow(self) -> Iterator[int]:
        """Unpack the rest.

        Raises:
            UserError: there is no room for it.
        """
        written, step = 0, _FIRST
        held: list[bytes] = []
        weight = 0
        for number, span in enumerate(self._spans, start=1):
            line = _line(span, number)
            held.append(line)
            weight += len(line)
            if weight >= step:
                written += self._write(held)
                held, weight, step = [], 0, _STEP
                # Where there is no one stream, the rows are about as long as in the files.
                yield self._stream.consumed if self._stream else min(self._size, written)
        written += self._write(held)
        self._index.extend(written, ended=True)
        yield self._size

    def _write(self, lines: list[bytes]) -> int:
        data = b"".join(lines)
        self._check_room(len(data))
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file.fileno(), view) :]
        except OSError as error:
            raise self._no_room(error.strerror) from None
        self._index.extend(os.fstat(self._file.fileno()).st_size, ended=False)
        return len(data)

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if size + _RESERVE > free:
            raise self._no_room(f"{free / 2**30:.1f} GiB are free")

    def _no_room(self, reason: str | None) -> UserError:
        return UserError(
            f"{self._path}: too little room in {tempfile.gettempdir()} to unpack it ({reason}); set TMPDIR "
            "to a folder with more, or unpack it to JSON Lines yourself."
        )


def _line(span: Span, number: int) -> bytes:
    if span.data is not None and b"\n" in span.data.strip():
        span = to_span(span.row(number))
    if span.data is None:
        row = span.row(number)
        return _FAULT + orjson.dumps([row.error, row.rule]) + b"\n"
    data = span.data.strip()
    return (_FAULT * 2 if data.startswith(_FAULT) else b"") + data + b"\n"


def _read(number: int, data: bytes | None) -> Row:
    if data is None or not data.startswith(_FAULT):
        return decode(number, data)
    if data.startswith(_FAULT * 2):
        return decode(number, data[2:])
    error, rule = orjson.loads(data[1:])
    return Row(number, None, error, rule)
