"""JSON files that are one object with the rows in a list of it: `{"version": 1, "data": [row, …]}`."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from tuner_tui.data.layouts.formats import Format, detect
from tuner_tui.data.layouts.reshape import reshaper
from tuner_tui.data.literals.json_text import load_json
from tuner_tui.data.readers.chunks import Chunk, SpanBlock, renumbered, span_blocks
from tuner_tui.data.readers.identify import Container
from tuner_tui.data.readers.jsonfile import JsonFile
from tuner_tui.data.readers.rows import MAX_ROW_BYTES, Row, to_span
from tuner_tui.data.readers.streams import ByteStream, read_up_to
from tuner_tui.errors import UserError

_SAMPLE = 20  # rows by which a list is told to be one of rows
_HEAD = 64 * 1024


class WrappedFile:
    """A file that is one object, small enough to be read at once. Its rows are those of the list at `key`,
    or, without a key, the object itself."""

    filled_nulls = False

    def __init__(self, file: JsonFile, key: str | None) -> None:
        self._file, self._key = file, key

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The rows in order, at most `limit`."""
        value = _whole(self._file)
        if value is None:  # the file has changed
            yield Row(1, None, "no longer one JSON object", "not_json")
            return
        values = [value] if self._key is None else value.get(self._key, [])
        yield from renumbered(Row(0, one, None) for one in islice(values, limit))

    def chunks(self, target: int) -> Iterator[Chunk]:
        """The rows in chunks of about `target` bytes."""
        return span_blocks(map(to_span, self.rows()), target, self._file.size)

    def limited(self, target: int, limit: int) -> Iterator[SpanBlock]:
        """At most `limit` rows in chunks."""
        return span_blocks(map(to_span, self.rows(limit)), target, self._file.size)

    def count(self) -> int:
        """How many rows there are."""
        return sum(1 for _ in self.rows())


def unwrapped(file: JsonFile, first: Row) -> WrappedFile | None:
    """The rows inside a file that is one object, told from its `first` row as lines or values; None for all
    other files, and for one whose object is an example itself.

    Raises:
        UserError: several lists of the object hold rows.
    """
    if file.kind.container is Container.ARRAY or not _may_be_one(file, first):
        return None
    value = _whole(file)
    if value is None:
        return None
    if reshaper(value) is not None or detect([value]) is not Format.UNKNOWN:
        return None if first.value is not None else WrappedFile(file, None)
    keys = [key for key, item in value.items() if _is_rows(item)]
    if len(keys) > 1:
        named = ", ".join(f'"{key[:40]}"' for key in keys[:8])
        raise UserError(
            f"{file.path}: is one object with several lists of rows ({named}); write each of them to a file "
            "of its own, and name the one to be read."
        )
    return WrappedFile(file, keys[0]) if keys else None


def _may_be_one(file: JsonFile, first: Row) -> bool:
    """Whether the file may be one object, without reading it whole."""
    if first.value is not None:
        return next(islice(file.rows(2), 1, None), None) is None
    with ByteStream(file.path, file.kind.compression) as stream:
        stream.read(file.kind.start)
        line, _, rest = read_up_to(stream, _HEAD).lstrip().partition(b"\n")
    # Printed over several lines, of which the first opens a list or goes on.
    return line.startswith(b"{") and line.rstrip().endswith((b"[", b"{", b",")) and bool(rest)


def _whole(file: JsonFile) -> dict[str, Any] | None:
    """The object that the file is; None if it is something else, or larger than a row may be."""
    with ByteStream(file.path, file.kind.compression) as stream:
        stream.read(file.kind.start)
        data = read_up_to(stream, MAX_ROW_BYTES + 1)
    if len(data) > MAX_ROW_BYTES:
        return None
    try:
        value = load_json(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _is_rows(value: Any) -> bool:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        return False
    return detect(value[:_SAMPLE]) is not Format.UNKNOWN
