"""Rows of a JSON Lines file by number: a sparse index, one entry for some hundred kilobytes.

An entry is the offset of a line and how many rows lie before it; the row itself is found by going through the
lines behind that offset. So the index of a gigabyte takes less than 100 kB, whatever the length of its rows.
"""

import io
import os
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, BinaryIO

from tuner_tui.data.readers.needle import Needle
from tuner_tui.data.readers.rows import MAX_ROW_BYTES, Row, decode
from tuner_tui.data.readers.spans import line_spans

_BLOCK = 1 << 18  # with its masks it stays in the processor's cache
_SMALL = 1 << 16  # numpy, whose import takes long, is not wanted for less
_STEP = 4  # blocks
_CACHED = 32  # blocks whose rows are known one by one


class LineIndex:
    """Rows by number of an open file, whose rows begin at `start`; reads are positioned, so that threads may
    share it. One thread may call `extend` while others fetch rows.

    `read` makes a row of its number and its text (None: too long to be read).
    """

    def __init__(self, file: BinaryIO, start: int, read: Callable[[int, bytes | None], Row] = decode) -> None:
        self._file, self._read = file, read
        self._offsets, self._before = array("Q", [start]), array("Q", [0])
        self._rows = 0
        self._at = self._line = start  # how far was read; where the present line begins
        self._spans = lru_cache(maxsize=_CACHED)(self._block_spans)

    def __len__(self) -> int:
        return self._rows

    def extend(self, size: int, *, ended: bool) -> None:
        """Index what the file holds up to offset `size`; with `ended`, what is behind the last line end is a
        line too."""
        buffer = bytearray(min(_BLOCK, max(size - self._at, 0)))
        while self._at < size:
            read = os.preadv(self._file.fileno(), [memoryview(buffer)[: size - self._at]], self._at)
            if not read:
                break
            self._add(buffer, read)
        if ended and self._line < self._at:
            rows = self._rows + (not self._blank(self._line, self._at))
            self._line = self._at
            self._enter(rows)

    def extended(self, size: int) -> Iterator[int]:
        """As `extend` to the end of the file, block by block: gives the offset that was reached."""
        while self._at < size:
            before = self._at
            # The first step is short: the first rows are wanted at once.
            self.extend(min(self._at + (_STEP * _BLOCK if self._rows else _BLOCK), size), ended=False)
            if self._at == before:  # the file has shrunk
                break
            yield self._at
        self.extend(self._at, ended=True)
        yield self._at

    def row(self, index: int) -> Row:
        """The row at `index`, from 0."""
        entry = bisect_right(self._before, index) - 1
        starts, lengths = self._spans(entry)
        place = index - self._before[entry]
        if place >= len(starts):
            return Row(index + 1, None, "the file has changed since it was opened", "not_json")
        length = lengths[place]
        return self._read(index + 1, self._pread(length, starts[place]) if length <= MAX_ROW_BYTES else None)

    def search(self, needle: Needle, start: int) -> Iterator[int | None]:
        """Indexes from `start` on of the rows that hold the text; None now and then, where none was found."""
        for entry in range(bisect_right(self._before, start) - 1, len(self._before) - 1):
            begin, end = self._offsets[entry], self._offsets[entry + 1]
            yield None
            if end - begin > MAX_ROW_BYTES:
                continue
            block = self._pread(end - begin, begin)
            if needle.found_in(block):
                before = self._before[entry]
                places = _hits(needle, block, *self._spans(entry), begin)
                yield from (before + place for place in places if before + place >= start)

    def _add(self, block: bytearray, size: int) -> None:
        """Count the rows among the lines that end in the first `size` bytes; begin an entry behind them."""
        last = block.rfind(b"\n", 0, size)
        if last >= 0:
            begun = block.find(b"\n") + 1  # the line before it began before this block, or with it
            rows = self._rows + (not self._blank(self._line, self._at + begun))
            if begun <= last:
                quick = not self._rows or last - begun < _SMALL
                rows += (_count_lines if quick else _count_fast)(block, begun, last + 1)
            self._line = self._at + last + 1
            self._at += size
            self._enter(rows)
        else:
            self._at += size

    def _enter(self, rows: int) -> None:
        # In this order: who sees the rows finds the entries.
        self._offsets.append(self._line)
        self._before.append(rows)
        self._rows = rows

    def _blank(self, start: int, end: int) -> bool:
        if end - start > MAX_ROW_BYTES:
            return False
        head = self._pread(min(64, end - start), start)
        return head.isspace() and (end - start <= 64 or self._pread(end - start, start).isspace())

    def _block_spans(self, entry: int) -> tuple["array[int]", "array[int]"]:
        starts, lengths = array("Q"), array("Q")
        begin, end = self._offsets[entry], self._offsets[entry + 1]
        with io.BufferedReader(_Region(self._pread, begin, end), _BLOCK) as region:
            for span in line_spans(region, begin):
                starts.append(span.start)
                lengths.append(span.length)
        return starts, lengths

    def _pread(self, size: int, offset: int) -> bytes:
        return os.pread(self._file.fileno(), size, offset)


def _hits(
    needle: Needle, block: bytes, starts: "array[int]", lengths: "array[int]", base: int
) -> Iterator[int]:
    """Which of the rows of a block, which begins at `base`, hold the text."""
    if needle.first is None:
        for place, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            if needle.found_in(block[start - base : start - base + length]):
                yield place
        return
    lowered, at = block.lower(), 0
    while (at := needle.first(lowered, at)) >= 0:
        place = bisect_right(starts, base + at) - 1
        if place >= 0 and base + at < starts[place] + lengths[place]:
            yield place
        at = starts[place + 1] - base if place + 1 < len(starts) else len(block)


class _Region(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, pread: Callable[[int, int], bytes], start: int, end: int) -> None:
        self._pread, self._at, self._end = pread, start, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._pread(min(len(buffer), self._end - self._at), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _count_lines(block: bytearray, begin: int, end: int) -> int:
    """How many of the whole lines in this part of a block are not blank."""
    return sum(1 for line in block[begin:end].split(b"\n") if line and not line.isspace())


def _count_fast(block: bytearray, begin: int, end: int) -> int:
    """As `_count_lines`, with numpy."""
    import numpy as np

    data = np.frombuffer(block, np.uint8, end - begin, begin)
    ends = np.flatnonzero(data == 10)
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    # A line that is not empty and begins with white space may be blank: only these are looked at one by one.
    empty = starts == ends
    doubtful = np.flatnonzero((data[starts] <= 32) & ~empty)
    blank = sum(block[begin + starts[place] : begin + ends[place]].isspace() for place in doubtful)
    return int(len(ends) - np.count_nonzero(empty) - blank)
