"""Rows of a JSON Lines or JSON file, streamed one by one or fetched by number.

What a file is, is told from its first bytes: `.json` files that hold JSON Lines are common. Three
layouts of JSON are read: one value a line; one array of values; values one after the other, each
spread over several lines (as `jq` prints them). Memory stays at one row, whatever the size of the
file, and one bad row costs only itself.
"""

import os
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

from tuner_tui.errors import UserError

MAX_ROW_BYTES = 64 * 1024 * 1024
"""A longer row is reported and skipped: no example is that long, and memory has an end."""

_BLOCK = 1024 * 1024
_HEAD = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_BINARY = {
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive",
    b"ARROW1": "an Arrow file",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `number` counts from 1, blank lines left out; either `value` or `error` is there,
    and with `error` the id of the rule that it breaks."""

    number: int
    value: dict[str, Any] | None
    error: str | None
    rule: str | None = None


class _Layout(Enum):
    LINES = auto()  # one value a line
    ARRAY = auto()  # one array of values
    VALUES = auto()  # values one after the other, over several lines


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a row lies: offset and length in bytes, line from 1; `data` is None when too long."""

    start: int
    length: int
    line: int
    data: bytes | None


def read_rows(path: Path, limit: int | None = None) -> Iterator[Row]:
    """The rows of the file in order, at most `limit`.

    A row that is no JSON object comes with its `error` instead of a value.

    Raises:
        UserError: the file cannot be opened, is empty, or is neither JSON Lines nor JSON.
    """
    with _open(path) as file:
        layout = _layout(file, path)
        for number, span in enumerate(islice(_spans(file, layout), limit), start=1):
            yield _decode(number, span.line, span.data)


class RowFile:
    """Rows by number, for tables that show a few of very many: an index in memory, rows on disk.

    `row_file[0]` is the first row, whose `Row.number` is 1. Reads are positioned, so that a file
    which shrinks meanwhile yields rows with an error and no crash. Close it, or use it in `with`.

    Raises:
        UserError: as `read_rows`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._starts, self._lengths, self._lines = array("Q"), array("Q"), array("Q")
        self._file = _open(path)
        try:
            for span in _spans(self._file, _layout(self._file, path)):
                self._starts.append(span.start)
                self._lengths.append(span.length)
                self._lines.append(span.line)
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Row:
        if index < 0:
            index += len(self)
        start, length, line = self._starts[index], self._lengths[index], self._lines[index]
        data = os.pread(self._file.fileno(), length, start) if length <= MAX_ROW_BYTES else None
        return _decode(index + 1, line, data)

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


def _decode(number: int, line: int, data: bytes | None) -> Row:
    if data is None:
        return Row(number, None, f"longer than {MAX_ROW_BYTES // 2**20} MiB", "not_json")
    try:
        value = orjson.loads(data.rstrip())
    except orjson.JSONDecodeError as error:
        # orjson counts lines and columns inside the row; a person counts them in the file.
        at = line + error.lineno - 1
        place = f"column {error.colno}" if at == number else f"line {at}, column {error.colno}"
        return Row(number, None, f"{place}: {error.msg}", "not_json")
    if not isinstance(value, dict):
        kind = _NAMES[type(value)]
        return Row(number, None, f"{kind} where an object should be", "not_object")
    return Row(number, value, None)


_NAMES: dict[type, str] = {
    list: "an array",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _open(path: Path) -> BinaryIO:
    try:
        # Not blocking: to open a pipe that nobody writes to would wait for ever.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; check the path.") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be opened ({error.strerror}).") from None
    if not path.is_file():
        file.close()
        raise UserError(f"{path}: is not a file; name one JSON Lines or JSON file.")
    return file


def _layout(file: BinaryIO, path: Path) -> _Layout:
    """How the values lie in the file; leaves the file at its first value."""
    head = file.read(_HEAD)
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            raise UserError(f"{path}: is {kind}; turn it into JSON Lines in UTF-8 first.")
    start = len(_BOM) if head.startswith(_BOM) else 0
    file.seek(start)
    text = head[start:].lstrip()
    if not text:
        raise UserError(f"{path}: is empty; a dataset has one JSON object per row.")
    lines = text.split(b"\n", 1)
    first, rest = lines[0].strip(), lines[1] if len(lines) > 1 else b""
    if text.startswith(b"["):
        # A line that is whole in itself, with more lines after it, is a row (a wrong one).
        return _Layout.LINES if rest.strip() and _is_json(first) else _Layout.ARRAY
    if first == b"{":
        return _Layout.VALUES
    if not any(line.lstrip().startswith(b"{") for line in text.split(b"\n")):
        raise UserError(
            f"{path}: is neither JSON Lines nor JSON; no line of it begins with {{ "
            "(one JSON object per line, or one array of objects)."
        )
    return _Layout.LINES


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


def _spans(file: BinaryIO, layout: _Layout) -> Iterator[_Span]:
    return _line_spans(file) if layout is _Layout.LINES else _value_spans(file, layout)


def _line_spans(file: BinaryIO) -> Iterator[_Span]:
    start, line = file.tell(), 0
    while data := file.readline(MAX_ROW_BYTES + 1):
        line += 1
        length = len(data)
        while length > MAX_ROW_BYTES and not data.endswith(b"\n") and (more := file.readline(_BLOCK)):
            data = more
            length += len(more)
        if length > MAX_ROW_BYTES:
            yield _Span(start, length, line, None)
        elif not data.isspace():
            yield _Span(start, length, line, data)
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


def _value_spans(file: BinaryIO, layout: _Layout) -> Iterator[_Span]:
    """The values of an array (without its brackets and commas), or values one after the other."""
    base = 1 if layout is _Layout.ARRAY else 0
    buffer, offset = b"", file.tell()  # offset: where the buffer begins in the file
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
            yield _Span(offset + begin, len(buffer) - begin + MAX_ROW_BYTES, line, None)
            return
        if scanned - begin > MAX_ROW_BYTES:
            dropped += scanned - begin
            dropped_lines += buffer.count(b"\n", begin, scanned)
            begin = scanned
        buffer, offset, scanned, begin = buffer[begin:], offset + begin, scanned - begin, 0
    if dropped or (buffer and not buffer.isspace()):
        yield _span(offset, buffer, line, dropped)


def _span(start: int, value: bytes, line: int, dropped: int) -> _Span:
    if dropped or len(value) > MAX_ROW_BYTES:
        return _Span(start - dropped, len(value) + dropped, line, None)
    lead = len(value) - len(value.lstrip())
    return _Span(start + lead, len(value) - lead, line + value.count(b"\n", 0, lead), value[lead:])
