"""What is to be done with a dataset, decided from its first rows and its size."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.engine.fast import FastPath
from tuner_tui.data.engine.task import Task
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.companions import Companion, load_companion
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.layouts.marks import LOOKED_AT
from tuner_tui.data.readers import Chunk, Row, RowFile, RowSource
from tuner_tui.data.rules import Finding
from tuner_tui.data.tally import Tally

TOKENISED_ROWS = 20_000
"""About so many rows are tokenised of a larger dataset: enough for the shape of its lengths, and the
tokenizer is the slowest part by far."""
MOST_ROWS_FOR_NEAR = 50_000
"""Near duplicates are looked for among at most so many rows, unless they are asked for."""

_SMALL, _LARGE = 1 << 20, 8 << 20
"""Bytes of a chunk. A large one is a tenth of a second's work, so that nobody waits long for the end of one.
Of a smaller dataset, all of which is tokenised, the work is more, and small ones show that it goes on."""
_CHUNKS = 64
_MOST_EXTRA_KEYS = 16
_KNOWN = frozenset(("messages", "tools", "parallel_tool_calls"))  # to the fast path


@dataclass(frozen=True, slots=True)
class Plan:
    """The chunks of a dataset, and what is done with each."""

    chunks: Iterator[Chunk]
    task: Task


def make_plan(
    source: RowSource,
    format: Format,
    sample: Sequence[Row],
    model: Path | None,
    max_length: int | None,
    limit: int | None,
    near: bool | None,
    all_tokens: bool,
) -> Plan:
    """The plan of an inspection; the arguments are those of `inspect_file`."""
    chunks = source.chunks(min(_LARGE, max(_SMALL, source.size // _CHUNKS)), limit)
    first = list(islice(chunks, 1))
    rows = _estimate(first, source.size, limit)
    task = Task(
        source.path,
        format,
        model,
        max_length,
        token_share=1.0 if all_tokens else min(1.0, TOKENISED_ROWS / max(rows, 1)),
        signatures=rows <= MOST_ROWS_FOR_NEAR if near is None else near,
        extra_keys=_extra_keys(source.path, format, sample) if FastPath.serves(format) else (),
    )
    return Plan(chain(first, chunks), task)


def near_duplicates(path: Path, task: Task, tally: Tally, stopped: Callable[[], bool]) -> Iterator[Finding]:
    """The findings on rows that are nearly the same; the texts of candidates are read again."""
    from tuner_tui.data.copies.near import pairs, text

    companion = load_companion(task.path, task.format)
    with RowFile(path) as rows:

        def text_of(number: int) -> str:
            value = rows[number - 1].value
            return text(convert(value, task.format, companion)) if value is not None else ""

        yield from pairs(tally.signatures, tally.signed_rows, text_of, tally.fingerprints, stopped)


def _estimate(first: Sequence[Chunk], size: int, limit: int | None) -> int:
    """About how many rows there are, by those of the first chunk."""
    rows = 0
    for chunk in first:
        counted = chunk.data().count(b"\n") + 1 if chunk.json_lines else sum(1 for _ in chunk.rows())
        rows = max(counted, counted * size // max(chunk.size, 1))
    return rows if limit is None else min(rows, limit)


def _extra_keys(path: Path, format: Format, sample: Sequence[Row]) -> tuple[str, ...]:
    """Keys beside the conversation: an id, a source. That they are unusual does not make a row doubtful.

    They are those without which the rows that were looked at are converted to the same examples.
    """
    values = [row.value for row in sample if row.value is not None]
    found = dict.fromkeys(key for value in values for key in value)
    asked = [key for key in found if key not in _KNOWN | LOOKED_AT][:_MOST_EXTRA_KEYS]
    companion = load_companion(path, format)

    def is_extra(key: str) -> bool:
        for value in values:
            if key in value:
                without = {name: item for name, item in value.items() if name != key}
                if _converted(value, format, companion) != _converted(without, format, companion):
                    return False
        return True

    return tuple(key for key in asked if is_extra(key))


def _converted(value: Mapping[str, Any], format: Format, companion: Companion) -> Example | str:
    try:
        return convert(value, format, companion)
    except ConversionError as error:
        return str(error)
