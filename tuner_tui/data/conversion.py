"""A whole file, converted: the rows that could be, the rows that could not, and how many of each."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from tuner_tui.data.canonical import row_converter
from tuner_tui.data.converters import ConversionError
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.literals.json_text import dump_json
from tuner_tui.data.outputs import check_sources, check_targets, replacing
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import ALL_READ, LeftOut, Row, open_rows
from tuner_tui.data.sources import open_source
from tuner_tui.data.writers import WRITERS, NotExpressible, write
from tuner_tui.errors import UserError

_CHUNK = 4 << 20  # bytes of the source in memory, and between two reports of progress


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows were rejected: a rule's id, how many rows broke it, and what the first of them says."""

    rule: str
    count: int
    row: int
    message: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a conversion went, in rows: `rows == converted + rejected`; `format` is the layout read. `reasons`
    for the rejected ones, the most frequent first; `left_out` are files of a folder that were not read."""

    rows: int
    converted: int
    rejected: int
    format: Format
    reasons: tuple[Reason, ...] = ()
    left_out: LeftOut = ALL_READ


def convert_file(
    source: Path,
    out: Path,
    rejected: Path,
    *,
    format: Format | None = None,
    to: Format = Format.CANONICAL,
    progress: Callable[[Progress], None] | None = None,
) -> Conversion:
    """Convert a whole file to JSON Lines of the canonical layout, or of another one.

    Rows that cannot be converted go to `rejected`, one object a line: `row`, `rule`, `field`,
    `reason` and the row's `value` (null when it is not JSON). Both files appear at the end, whole;
    the second one only when a row was rejected, or when there is an older one to replace. Memory does
    not grow with the file.

    Args:
        source: a file, or a folder of files.
        out: the file to write.
        rejected: the file of the rows that could not be converted.
        format: the layout of the source, told from its content unless it is given.
        to: the layout to write, one of `WRITERS`.
        progress: called now and then.

    Raises:
        UserError: the source cannot be read, its layout is not known, or a target cannot be
            written or is the source itself.
    """
    if to not in WRITERS:
        raise UserError(f'the layout "{to}" is read and not written; --to knows {", ".join(WRITERS)}.')
    check_targets(out, rejected)
    layout = open_source(source, format=format).format
    convert_row = row_converter(source, layout)
    opened = open_rows(source)
    check_sources((source, *opened.files), out, rejected)
    started = time.monotonic()
    good = bad = done = 0
    counts: Counter[str] = Counter()
    first: dict[str, tuple[int, str]] = {}
    with replacing(out, optional=rejected) as (target, refuse):
        for chunk in opened.chunks(_CHUNK):
            before = good + bad
            for row in chunk.rows():
                try:
                    line = _line(convert_row(row), to)
                except ConversionError as error:
                    bad += 1
                    counts[error.rule] += 1
                    first.setdefault(error.rule, (before + row.number, str(error)))
                    refuse.write(_rejection(before + row.number, row, error))
                else:
                    good += 1
                    target.write(line)
            done += chunk.size
            if progress is not None:
                progress(Progress(done, opened.size, good + bad, time.monotonic() - started))
    reasons = tuple(Reason(rule, count, *first[rule]) for rule, count in counts.most_common())
    return Conversion(good + bad, good, bad, layout, reasons, opened.left_out)


def _line(example: Example, to: Format) -> bytes:
    if to is not Format.CANONICAL:
        try:
            example = write(example, to)
        except NotExpressible as reason:
            raise ConversionError("not_expressible", None, str(reason)) from None
    return orjson.dumps(example) + b"\n"


def _rejection(number: int, row: Row, error: ConversionError) -> bytes:
    reason = {"row": number, "rule": error.rule, "field": error.field, "reason": str(error)}
    return dump_json({**reason, "value": row.value}) + b"\n"
