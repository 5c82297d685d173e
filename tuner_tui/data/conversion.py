"""A whole file, converted: the rows that could be, the rows that could not, and how many of each."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example
from tuner_tui.data.formats import Format
from tuner_tui.data.readers import Row
from tuner_tui.data.sources import open_source
from tuner_tui.errors import UserError


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a conversion went, in rows: `rows == converted + rejected`."""

    rows: int
    converted: int
    rejected: int
    format: Format


def convert_file(source: Path, out: Path, rejected: Path) -> Conversion:
    """Convert a whole file to canonical JSON Lines.

    Rows that cannot be converted go to `rejected`, one object a line: `row`, `rule`, `field`,
    `reason` and the row's `value` (null when it is not JSON). Both files appear at the end, whole;
    the second one only when a row was rejected, or when there is an older one to replace.

    Raises:
        UserError: the source cannot be read, its layout is not known, or a target cannot be
            written or is the source itself.
    """
    if source.resolve() in (out.resolve(), rejected.resolve()) or out.resolve() == rejected.resolve():
        raise UserError(f"{out}: source, target and rejected must be three files; name another.")
    opened = open_source(source)
    good = bad = 0
    with replacing(out, always=True) as target, replacing(rejected, always=False) as refuse:
        for row in opened.rows:
            try:
                line = orjson.dumps(_convert_row(row, opened.format)) + b"\n"
            except ConversionError as error:
                bad += 1
                refuse.write(_rejection(row, error))
            else:
                good += 1
                target.write(line)
    return Conversion(good + bad, good, bad, opened.format)


def row_converter(path: Path, format: Format | None = None) -> Callable[[Row], Example]:
    """What converts a row of this dataset: its layout is told from its first rows when none is given. A row
    that cannot be converted raises ConversionError.

    Raises:
        UserError: the dataset cannot be read, or its layout is not known.
    """
    layout = format or open_source(path).format
    return lambda row: _convert_row(row, layout)


def _convert_row(row: Row, format: Format) -> Example:
    if row.value is None:
        raise ConversionError(row.rule or "not_json", None, row.error or "")
    return convert(row.value, format)


def _rejection(row: Row, error: ConversionError) -> bytes:
    reason = {"row": row.number, "rule": error.rule, "field": error.field, "reason": str(error)}
    return orjson.dumps({**reason, "value": row.value}) + b"\n"


@contextmanager
def replacing(path: Path, *, always: bool) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when all went well.

    An empty one does so only if `always`, or if there is an older one to replace.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            written = file.tell()
        if written or always or path.exists():
            temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}).") from None
    finally:
        temporary.unlink(missing_ok=True)
