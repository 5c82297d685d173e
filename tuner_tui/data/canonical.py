"""From the rows of any dataset to canonical lines, and to the files that they are written into."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.companions import load_companion
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import Row
from tuner_tui.data.sources import open_source
from tuner_tui.errors import UserError


def row_converter(path: Path, format: Format | None = None) -> Callable[[Row], Example]:
    """What converts a row of this dataset: its layout is told from its first rows when none is given. A row
    that cannot be converted raises ConversionError.

    Raises:
        UserError: the dataset or the file that goes with it cannot be read, or its layout is not known.
    """
    layout = open_source(path, format=format).format
    companion = load_companion(path, layout)

    def to_example(row: Row) -> Example:
        if row.value is None:
            raise ConversionError(row.rule or "not_json", None, row.error or "")
        return convert(row.value, layout, companion)

    return to_example


@contextmanager
def replacing(path: Path, *, always: bool = True) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when all went well.

    An empty one does so only if `always`, or if there is an older one to replace.

    Raises:
        UserError: the disk refuses it.
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


@contextmanager
def spool(beside: Path) -> Iterator[BinaryIO]:
    """A file without a name on the disk of `beside`, for converted rows that wait to be written.

    Raises:
        UserError: the disk refuses it.
    """
    try:
        with tempfile.TemporaryFile(dir=beside.absolute().parent) as file:
            yield file
    except OSError as error:
        raise UserError(f"{beside}: cannot be written ({error.strerror}).") from None
