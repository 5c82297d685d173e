"""Which rows of a file to look at: all, those with errors, those that break one rule. No widgets."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress, count
from typing import TYPE_CHECKING

from tuner_tui.data.rules import RULES

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection

_NOTHING, _INFO, _WARNING, _ERROR = range(4)  # the bytes of `Inspection.severities`
_LEVELS = (
    ("errors", "with errors", "A run leaves these rows out.", (_ERROR,)),
    ("warnings", "with warnings and no error", "Yours to decide.", (_WARNING,)),
    ("findings", "with any finding", "Errors, warnings and notes.", (_ERROR, _WARNING, _INFO)),
    ("clean", "without a finding", "Nothing to mend.", (_NOTHING,)),
)


@dataclass(frozen=True, slots=True)
class RowFilter:
    """`title` says in words which rows pass ("with errors"); `indexes()` gives them, counted from 0."""

    id: str
    title: str
    note: str
    count: int
    indexes: Callable[[], Sequence[int]]


def row_filters(inspection: "Inspection") -> list[RowFilter]:
    """The filters that some row passes: by severity first, then by rule as the findings are listed."""
    found = []
    for id, title, note, levels in _LEVELS:
        rows = sum(inspection.severities.count(level) for level in levels)
        if rows:
            found.append(RowFilter(id, title, note, rows, _by_level(inspection.severities, levels)))
    by_rule = (rule_filter(inspection, group.rule) for group in inspection.by_rule())
    return [*found, *(each for each in by_rule if each is not None)]


def rule_filter(inspection: "Inspection", rule: str) -> RowFilter | None:
    """The rows that break one rule; None when it is about the file as a whole."""
    rows = inspection.rows_of(rule)
    if not rows:
        return None
    title = RULES[rule].title
    return RowFilter(
        rule, title[0].lower() + title[1:], RULES[rule].explanation, len(rows), _from_numbers(rows)
    )


def _by_level(severities: bytes, levels: Sequence[int]) -> Callable[[], Sequence[int]]:
    # The bytes of the wanted levels become 1, the others 0: the rest is done without a loop of our own.
    table = bytes(level in levels for level in range(256))
    return lambda: array("Q", compress(count(), severities.translate(table)))


def _from_numbers(rows: Sequence[int]) -> Callable[[], Sequence[int]]:
    return lambda: array("Q", (row - 1 for row in rows))
