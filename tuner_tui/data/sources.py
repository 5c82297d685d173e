"""A dataset file, opened: its rows, and the layout that most of them have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from tuner_tui.data.layouts.formats import KNOWN_LAYOUTS, Format, detect, seen
from tuner_tui.data.readers import Row, read_rows
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
    if not values:
        reason = sample[0].error if sample else "there is no row in it"
        raise UserError(f"{path}: none of its first rows is a JSON object ({reason}).")
    format = format or detect(values)
    if format is Format.UNKNOWN:
        raise UserError(
            f"{path}: its layout is not known; a row has {seen(values[0])}. Known are: {KNOWN_LAYOUTS}."
        )
    return format
