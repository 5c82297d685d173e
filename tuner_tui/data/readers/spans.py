"""Where the rows of a JSON text lie, found in one pass with the memory of one row.

Three layouts: one value a line; one array of values; values one after the other, each spread over
several lines (as `jq` prints them).
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from tuner_tui.data.readers.rows import MAX_ROW_BYTES, Span

_BLOCK = 1024 * 1024


def line_spans(file: BinaryIO, start: int) -> Iterator[Span]:
    """The lines that are not blank, from where the file stands; `start` is the offset of that place."""
    line = 0
    while data := file.readline(MAX_ROW_BYTES + 1):
        line += 1
        length = len(data)
        while length > MAX_ROW_BYTES and not data.endswith(b"\n") and (more := file.readline(_BLOCK)):
            data = more
            length += len(more)
        if length > MAX_ROW_BYTES:
            yield Span(start, length, line, None)
        elif not data.isspace():
            yield Span(start, length, line, data)
        start += length


# What matters for the structure of a JSON text. A whole string is one token, so that brackets inside it do
# not count; so is a whole bracketed value that nests at most _NESTED deep, which makes most rows one token.
# A lone quote is a string whose end is not in the buffer yet. Possessive throughout: linear time.
_NESTED = 8
_STRING = rb'"(?:[^"\\]++|\\.)*+"'


def _tokens(plain: bytes) -> re.Pattern[bytes]:
    inside = rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+"
    for _ in range(_NESTED):
        inside = rb'(?:[^"\[\]{}]++|' + _STRING + rb"|[\[{]" + inside + rb"[\]}])*+"
    return re.compile(_STRING + rb"|[\[{]" + inside + rb"[\]}]|[\[\]{}" + plain + rb']|"', re.DOTALL)


_QUOTE, _COMMA = b'",'
_OPENING, _CLOSING = b"[{", b"]}"
_TOKEN = _tokens(b"")
_TOKEN_OR_COMMA = _tokens(b",")


def value_spans(file: BinaryIO, start: int, *, array: bool) -> Iterator[Span]:
    """The values of an array (without its brackets and commas), or values one after the other.

    From where the file stands; `start` is the offset of that place.
    """
    base = 1 if array else 0
    buffer, offset = b"", start  # offset: where the buffer begins in the file
    begin = scanned = depth = 0  # begin, scanned: positions in the buffer
    line = 1  # of the value's first byte
    dropped = dropped_lines = 0  # of the present value, when it is too long to be kept
    # As much again as is waiting: a value over many blocks is looked through a few times, not once a block.
    while block := file.read(max(_BLOCK, len(buffer))):
        buffer += block
        while token := (_TOKEN_OR_COMMA if depth == base == 1 else _TOKEN).search(buffer, scanned):
            mark, size = buffer[token.start()], token.end() - token.start()
            if mark == _QUOTE and size == 1:
                break
            if mark in _OPENING and size > 1 and depth < base:
                # The whole array, bracket to bracket: its rows are wanted one by one.
                size = 1
            scanned = token.start() + size
            end = None
            if mark in _OPENING and size == 1:
                depth += 1
                if depth == base == 1:  # the bracket of the array itself
                    line += buffer.count(b"\n", begin, scanned)
                    begin = scanned
            elif mark in _CLOSING:
                depth = max(depth - 1, 0)
                end = scanned - base if depth == 0 else None
            elif mark in _OPENING and depth == base == 0:
                end = scanned
            elif mark == _COMMA:
                end = scanned - 1
            if end is not None:
                if dropped or (begin < end and not buffer[begin:end].isspace()):
                    yield _span(offset + begin, buffer[begin:end], line, dropped)
                line += dropped_lines + buffer.count(b"\n", begin, scanned)
                begin, dropped, dropped_lines = scanned, 0, 0
        else:
            scanned = len(buffer)
        if len(buffer) - scanned > MAX_ROW_BYTES:
            # A string without an end: where the next value begins cannot be known.
            yield Span(offset + begin, len(buffer) - begin + MAX_ROW_BYTES, line, None)
            return
        if scanned - begin > MAX_ROW_BYTES:
            dropped += scanned - begin
            dropped_lines += buffer.count(b"\n", begin, scanned)
            begin = scanned
        buffer, offset, scanned, begin = buffer[begin:], offset + begin, scanned - begin, 0
    if dropped or (buffer and not buffer.isspace()):
        yield _span(offset, buffer, line, dropped)


def _span(start: int, value: bytes, line: int, dropped: int) -> Span:
    if dropped or len(value) > MAX_ROW_BYTES:
        return Span(start - dropped, len(value) + dropped, line, None)
    lead = len(value) - len(value.lstrip())
    return Span(start + lead, len(value) - lead, line + value.count(b"\n", 0, lead), value[lead:])
