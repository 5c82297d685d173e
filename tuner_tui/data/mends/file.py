"""A whole file with the safe mends applied: a new file, and the rows that are still wrong."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tuner_tui.data.canonical import row_converter
from tuner_tui.data.converters import ConversionError
from tuner_tui.data.copies.fingerprints import fingerprint
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.literals.json_text import dump_json
from tuner_tui.data.mends.rules import SAFE, mend
from tuner_tui.data.outputs import check_sources, check_targets, replacing
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import ALL_READ, LeftOut, Row, open_rows
from tuner_tui.data.rules import Finding, Severity, finding
from tuner_tui.data.sources import open_source
from tuner_tui.data.validators import validate

_CHUNK = 4 << 20  # bytes of the source in memory, and between two reports of progress


@dataclass(slots=True)
class Fix:
    """How mending a file went: `rows == written + dropped + rejected`.

    `mended` counts by rule the faults that are gone, and the copies that were dropped; `left` the errors of
    the rejected rows; `left_out` are the files of a folder that were not read.
    """

    format: Format
    rows: int = 0
    written: int = 0
    dropped: int = 0
    rejected: int = 0
    mended: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    left_out: LeftOut = ALL_READ

    def to_json(self) -> dict[str, Any]:
        """The shape that `tuner inspect --fix --json` prints."""
        return {
            "format": self.format.value,
            "rows": self.rows,
            "written": self.written,
            "dropped": self.dropped,
            "rejected": self.rejected,
            "mended": dict(self.mended.most_common()),
            "left": dict(self.left.most_common()),
            **self.left_out.to_json(),
        }


def fix_file(
    source: Path,
    out: Path,
    rejected: Path,
    *,
    format: Format | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Fix:
    """Write the rows of a dataset to canonical JSON Lines, mended where there is one right answer.

    Exact duplicates are dropped. Rows that still have a finding of severity error go to `rejected`, one
    object a line: `row`, `rule`, `field`, `reason` of the first such finding, and the row's `value` as it
    was. Both files appear at the end, whole; the second one only when a row was rejected, or when there is
    an older one to replace. Memory grows by some 70 bytes a row, for the duplicates.

    Raises:
        UserError: the source cannot be read, its layout is not known, or a target cannot be written or is
            the source itself.
    """
    check_targets(out, rejected)
    layout = open_source(source, format=format).format
    convert_row = row_converter(source, layout)
    opened = open_rows(source)
    check_sources((source, *opened.files), out, rejected)
    started, done = time.monotonic(), 0
    fix, seen = Fix(layout, left_out=opened.left_out), set[int]()
    with replacing(out, optional=rejected) as (target, refuse):
        for chunk in opened.chunks(_CHUNK):
            for row in chunk.rows():
                fix.rows += 1
                _fix_row(row, convert_row, fix, seen, target, refuse)
            done += chunk.size
            if progress is not None:
                progress(Progress(done, opened.size, fix.rows, time.monotonic() - started))
    return fix


def _fix_row(
    row: Row,
    convert_row: Callable[[Row], Example],
    fix: Fix,
    seen: set[int],
    target: BinaryIO,
    refuse: BinaryIO,
) -> None:
    try:
        example = convert_row(row)
    except ConversionError as error:
        _reject(row, [finding(error.rule, fix.rows, error.field, str(error))], fix, refuse)
        return
    found = before = validate(example, fix.rows)
    if any(one.rule in SAFE for one in before):
        example = mend(example)
        found = validate(example, fix.rows)
    if errors := [one for one in found if one.severity is Severity.ERROR]:
        _reject(row, errors, fix, refuse)
        return
    mended = Counter(one.rule for one in before) - Counter(one.rule for one in found)
    fix.mended.update({rule: count for rule, count in mended.items() if rule in SAFE})
    known = len(seen)
    seen.add(fingerprint(example))
    if len(seen) == known:
        fix.dropped += 1
        fix.mended["duplicate_row"] += 1
        return
    fix.written += 1
    target.write(orjson.dumps(example) + b"\n")


def _reject(row: Row, errors: list[Finding], fix: Fix, refuse: BinaryIO) -> None:
    fix.rejected += 1
    fix.left.update(one.rule for one in errors)
    first = errors[0]
    reason = {"row": fix.rows, "rule": first.rule, "field": first.field, "reason": first.message}
    refuse.write(dump_json({**reason, "value": row.value}) + b"\n")
