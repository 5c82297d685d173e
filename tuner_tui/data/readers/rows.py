"""A row, and the JSON text that it is read from."""

from dataclasses import dataclass
from typing import Any

import orjson

from tuner_tui.data.literals.json_text import dump_json, load_json

MAX_ROW_BYTES = 64 * 1024 * 1024
"""A longer row is reported and skipped: no example is that long, and memory has an end."""

_NAMES: dict[type, str] = {
    list: "an array",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}
_NOT_JSON = (b"NaN", b"Infinity", b"-Infinity")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `number` counts from 1, blank lines left out; either `value` or `error` is there,
    and with `error` the id of the rule that it breaks."""

    number: int
    value: dict[str, Any] | None
    error: str | None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A row as text: where it lies (offset and length in bytes, line from 1) and its JSON.

    `data` is None when the row is too long to be kept, or could not be read: then `error` says why.
    """

    start: int
    length: int
    line: int
    data: bytes | None
    error: str | None = None
    rule: str | None = None

    def row(self, number: int) -> Row:
        """The row, parsed."""
        if self.error is not None:
            return Row(number, None, self.error, self.rule)
        return decode(number, self.data, self.line)


def decode(number: int, data: bytes | None, line: int = 1) -> Row:
    """One row from its JSON text; None stands for a text that is too long.

    The place of a fault is a column of the row, and for a row over several lines a line of the file as well
    (`line` is that of its first byte): what is said of a row must not depend on where a chunk begins.
    """
    if data is None:
        return Row(number, None, f"longer than {MAX_ROW_BYTES // 2**20} MiB", "not_json")
    data = data.strip()
    try:
        value = load_json(data)
    except orjson.JSONDecodeError as error:
        place = f"column {error.colno}"
        if b"\n" in data:
            place = f"line {line + error.lineno - 1}, {place}"
        return Row(number, None, _reason(data, error, place), "not_json")
    if not isinstance(value, dict):
        return Row(number, None, f"{_NAMES[type(value)]} where an object should be", "not_object")
    return Row(number, value, None)


def to_span(row: Row) -> Span:
    """The row as JSON text."""
    if row.value is None:
        return Span(0, 0, 1, None, row.error, row.rule)
    try:
        data = dump_json(row.value)
    except (orjson.JSONEncodeError, RecursionError):  # orjson reads deeper than it writes
        return Span(0, 0, 1, None, "nested too deeply", "bad_message")
    return Span(0, len(data), 1, data)


def not_utf8(fault: UnicodeDecodeError) -> str:
    """What is said of a row that is text in another encoding."""
    place = f"byte {fault.start + 1} of the row (0x{fault.object[fault.start]:02X})"
    return f"{place} is not UTF-8; if the file is Latin-1, turn it into UTF-8 (iconv -f LATIN1 -t UTF-8)"


def _reason(data: bytes, error: orjson.JSONDecodeError, place: str) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as fault:
        return not_utf8(fault)
    rest = text[error.pos : error.pos + 9].encode()
    for word in _NOT_JSON:
        if rest.startswith(word):
            return f"{place}: {word.decode()} is no JSON; write null or a number"
    return f"{place}: {error.msg}"
