"""Runs of consecutive rows, to be read by whoever gets them: in this process or in a worker."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from tuner_tui.data.readers.rows import MAX_ROW_BYTES, Row, Span, decode
from tuner_tui.data.readers.streams import open_plain

_BLOCK = 1024 * 1024
_FEW = 256 * 1024  # bytes: a smaller chunk is joined with its neighbours


class Chunk(Protocol):
    """A run of consecutive rows of a source; can be pickled.

    `size` is the bytes on disk that it stands for. Where `json_lines` is True, `data()` gives whole lines of
    JSON, one row each, blank lines being no rows. `rows()` counts from 1.
    """

    @property
    def size(self) -> int: ...
    @property
    def json_lines(self) -> bool: ...
    def data(self) -> bytes: ...
    def rows(self) -> Iterator[Row]: ...


@dataclass(frozen=True, slots=True)
class LineRange:
    """Whole lines of a plain JSON Lines file, by offset; read where they are wanted.

    Of a file that has shrunk meanwhile the rest is read, and none of one that is gone: UserError.
    """

    path: Path
    start: int
    size: int
    json_lines: bool = True

    def data(self) -> bytes:
        """The bytes of the lines."""
        with open_plain(self.path) as file:
            return _read_at(file, self.start, self.size)

    def rows(self) -> Iterator[Row]:
        """The lines, parsed."""
        return _line_rows(self.data())


@dataclass(frozen=True, slots=True)
class SpanBlock:
    """Rows as JSON texts, for sources that only one reader can go through."""

    spans: tuple[Span, ...]
    size: int
    json_lines: bool

    def data(self) -> bytes:
        """The texts, a line each."""
        return b"\n".join(span.data for span in self.spans if span.data is not None)

    def rows(self) -> Iterator[Row]:
        """The texts, parsed."""
        return (span.row(number) for number, span in enumerate(self.spans, start=1))


@dataclass(frozen=True, slots=True)
class Joined:
    """Several small chunks as one."""

    parts: tuple[Chunk, ...]

    @property
    def size(self) -> int:
        """Bytes on disk of all parts."""
        return sum(part.size for part in self.parts)

    @property
    def json_lines(self) -> bool:
        """Whether all parts are lines of JSON."""
        return all(part.json_lines for part in self.parts)

    def data(self) -> bytes:
        """The lines of all parts."""
        # A file's last line may lack its end; a blank line is no row.
        return b"\n".join(part.data() for part in self.parts)

    def rows(self) -> Iterator[Row]:
        """The rows of all parts, counted through."""
        return renumbered(row for part in self.parts for row in part.rows())


def renumbered(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, counted from 1."""
    return (
        row if row.number == number else replace(row, number=number)
        for number, row in enumerate(rows, start=1)
    )


def line_ranges(path: Path, start: int, target: int) -> Iterator[Chunk]:
    """A plain JSON Lines file from `start` on, in ranges of about `target` bytes that end with a line.

    Little of the file is read. A line that is too long to be a row is a chunk of its own.
    """
    target = max(1, min(target, MAX_ROW_BYTES))
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        while start < size:
            end = _after_newline(file, min(start + target, size) - 1, size)
            if end - start > MAX_ROW_BYTES:
                # Only the last line of the range can be that long: it goes past start + target.
                begin = _last_line(file, start, start + target)
                if end - begin > MAX_ROW_BYTES:
                    if begin > start:
                        yield LineRange(path, start, begin - start)
                    yield SpanBlock((Span(begin, end - begin, 1, None),), end - begin, False)
                    start = end
                    continue
            yield LineRange(path, start, end - start)
            start = end


def span_blocks(
    spans: Iterable[Span], target: int, total: int, consumed: Callable[[], int] | None = None
) -> Iterator[SpanBlock]:
    """Spans in blocks of about `target` bytes.

    `total` is the size on disk of the file that they come from, and `consumed` tells how much of it was read
    so far (else: as much as the spans weigh); the last block stands for the rest.
    """
    held: list[Span] = []
    weight = told = 0
    for span in spans:
        held.append(span if span.data is None else replace(span, data=span.data.strip()))
        weight += span.length
        if weight >= target:
            at = min(total, consumed() if consumed else told + weight)
            yield _block(held, at - told)
            held, weight, told = [], 0, at
    if held:
        yield _block(held, total - told)


def _block(spans: list[Span], size: int) -> SpanBlock:
    plain = all(span.data is not None and b"\n" not in span.data for span in spans)
    return SpanBlock(tuple(spans), size, plain)


def joined(chunks: Iterable[Chunk], target: int) -> Iterator[Chunk]:
    """The chunks, those that are small put together, so that a folder of many files is few chunks."""
    held: list[Chunk] = []
    size = 0
    for chunk in chunks:
        small = chunk.size < _FEW
        if held and (not small or size + chunk.size > target or held[0].json_lines != chunk.json_lines):
            yield held[0] if len(held) == 1 else Joined(tuple(held))
            held, size = [], 0
        if small:
            held.append(chunk)
            size += chunk.size
        else:
            yield chunk
    if held:
        yield held[0] if len(held) == 1 else Joined(tuple(held))


def _line_rows(data: bytes) -> Iterator[Row]:
    number = 0
    for line in data.split(b"\n"):
        if line and not line.isspace():
            number += 1
            yield decode(number, line)


def _read_at(file: BinaryIO, start: int, size: int) -> bytes:
    parts = []
    while size > 0 and (data := os.pread(file.fileno(), size, start)):
        parts.append(data)
        start += len(data)
        size -= len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _after_newline(file: BinaryIO, start: int, size: int) -> int:
    """The offset after the first newline at or behind `start`; the size of the file when there is none."""
    block = 4096
    while start < size and (data := os.pread(file.fileno(), block, start)):
        if (at := data.find(b"\n")) >= 0:
            return start + at + 1
        start += len(data)
        block = _BLOCK
    return size


def _last_line(file: BinaryIO, start: int, end: int) -> int:
    """Where the line begins that the byte at `end` - 1 belongs to; not before `start`."""
    at = end - 1  # this byte itself may be the newline that ends the line
    while at > start:
        begin = max(start, at - _BLOCK)
        if (found := _read_at(file, begin, at - begin).rfind(b"\n")) >= 0:
            return begin + found + 1
        at = begin
    return start
