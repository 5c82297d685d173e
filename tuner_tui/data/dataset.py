"""A dataset file as the trainer and the evaluator read it: sound examples, and what was left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.companions import Companion, load_companion
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import Row
from tuner_tui.data.rules import Finding, Severity, finding
from tuner_tui.data.sources import open_source
from tuner_tui.data.validators import validate
from tuner_tui.errors import UserError


@dataclass(frozen=True, slots=True)
class LoadedDataset:
    """`examples[i]` is row `rows[i]` of the file (1-based); `rejected` says why the others are missing."""

    examples: list[Example]
    rows: list[int]
    rejected: list[Finding]


@dataclass(frozen=True, slots=True)
class Examined:
    """One row, converted and checked; `example` is None when it could not be converted."""

    number: int
    example: Example | None
    findings: list[Finding]

    @property
    def sound(self) -> bool:
        """Whether the row can be trained on: no finding is an error."""
        return all(found.severity is not Severity.ERROR for found in self.findings)


def load_dataset(path: Path) -> LoadedDataset:
    """Read a dataset of any known layout.

    Rows that cannot be converted, or that have a finding of severity error, are left out.

    Raises:
        UserError: the file cannot be read, its layout is not known, or no row is left.
    """
    examples: list[Example] = []
    rows: list[int] = []
    rejected: list[Finding] = []
    _, examined = examine(path)
    for row in examined:
        if row.example is not None and row.sound:
            examples.append(row.example)
            rows.append(row.number)
        else:
            rejected.extend(found for found in row.findings if found.severity is Severity.ERROR)
    if not examples:
        first = rejected[0]
        raise UserError(
            f"{path}: no row can be used; row {first.row}: {first.message}. `tuner inspect` shows all faults."
        )
    return LoadedDataset(examples, rows, rejected)


def examine(path: Path, limit: int | None = None) -> tuple[Format, Iterator[Examined]]:
    """The layout of a file, and its rows converted and checked one by one, at most `limit`.

    Raises:
        UserError: the file cannot be read, or its layout is not known.
    """
    source = open_source(path, limit)
    companion = load_companion(path, source.format)
    return source.format, (_examine(row, source.format, companion) for row in source.rows)


def _examine(row: Row, format: Format, companion: Companion) -> Examined:
    if row.value is None:
        found = finding(row.rule or "not_json", row.number, None, row.error or "not readable")
        return Examined(row.number, None, [found])
    try:
        example = convert(row.value, format, companion)
    except ConversionError as error:
        return Examined(row.number, None, [finding(error.rule, row.number, error.field, str(error))])
    return Examined(row.number, example, validate(example, row.number))
