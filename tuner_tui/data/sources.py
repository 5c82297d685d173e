"""A dataset file, opened: its rows, and the layout that most of them have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from tuner_tui.data.layouts.formats import KNOWN_LAYOUTS, Format, detect, seen
from tuner_tui.data.readers import Row, open_rows, read_rows
from tuner_tui.data.readers.identify import Container, identify
from tuner_tui.errors import UserError

SAMPLE = 100
"""Rows by which the layout is told."""


@dataclass(frozen=True, slots=True)
class Source:
    """An opened dataset; `rows` can be gone through once."""

    format: Format
    rows: Iterator[Row]


def open_source(path: Path, limit: int | None = None, format: Format | None = None) -> Source:
    """Open a dataset and tell its layout from its first hundred rows, unless it is given as `format`.

    Raises:
        UserError: the file cannot be read, none of these rows is a JSON object, or their layout is
            not known; then the sentence names the keys that were seen and the known layouts.
    """
    rows = read_rows(path, limit)
    sample = list(islice(rows, SAMPLE))
    return Source(layout_of_rows(path, sample, format), chain(sample, rows))


def layout_of_rows(path: Path, sample: Sequence[Row], format: Format | None = None) -> Format:
    """The layout of a dataset's first rows, or `format` where it is given.

    Raises:
        UserError: as `open_source`.
    """
    values = [row.value for row in sample if row.value is not None]
    if not sample:
        raise UserError(f"{path}: {_without_rows(path)}.")
    if not values:
        where = _file_of(path, sample[0])
        raise UserError(f"{where}: none of its first rows is a JSON object ({sample[0].error}).")
    format = format or detect(values)
    if format is Format.UNKNOWN:
        where = _file_of(path, next(row for row in sample if row.value is not None))
        raise UserError(
            f"{where}: its layout is not known; a row has {seen(values[0])}. Known are: {KNOWN_LAYOUTS}."
        )
    return format


def _without_rows(path: Path) -> str:
    files = open_rows(path).files
    table = len(files) == 1 and identify(files[0]).container is Container.TABLE
    return "has a header and no rows" if table else "has no rows"


def _file_of(path: Path, row: Row) -> Path:
    """The file that a row was read from: of a folder one of its files."""
    return open_rows(path).locate(row.number)[0]
