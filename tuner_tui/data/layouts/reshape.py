"""Layouts in which a row of a file is not one example: the rows of such a file, cut or joined to examples.

- API-Bank: a file is one dialogue, a line of it one turn; the file becomes one row `{"dialogue": [turn, …]}`.
- ToolAlpaca: an object is one API with many instructions; each of these becomes a row that holds the API,
  `Instruction`, and what answers it: `Golden_Answer` (evaluation files) or `Instance` (the training file).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the readers import this module
    from tuner_tui.data.readers.rows import Row

Reshape = Callable[[Iterator["Row"]], Iterator["Row"]]
"""From the rows of a file, in order, to the rows that are examples."""

MAX_TURNS = 2000
"""Lines of one dialogue; a longer file is no dialogue, and memory has an end."""

_SPEAKERS = ("User", "AI", "API")


def reshaper(first: Mapping[str, Any]) -> Reshape | None:
    """What turns the rows of a file into examples, told from the file's first object; None where each row is
    an example as it stands. The rows that come out are numbered from 1."""
    if is_dialogue_turn(first):
        return _one_dialogue
    if is_toolalpaca_api(first):
        return _one_row_per_instruction
    return None


def is_dialogue_turn(value: Mapping[str, Any]) -> bool:
    """Whether this is a line of an API-Bank dialogue."""
    return value.get("role") in _SPEAKERS and ("text" in value or "api_name" in value)


def is_toolalpaca_api(value: Mapping[str, Any]) -> bool:
    """Whether this is an API of ToolAlpaca with its instructions."""
    known = "Documentation" in value or "NLDocumentation" in value
    return known and ("Instructions" in value or "Instances" in value)


def _one_dialogue(rows: Iterator["Row"]) -> Iterator["Row"]:
    turns: list[dict[str, Any]] = []
    row = None
    for row in rows:
        if row.value is None:
            yield replace(row, number=1, error=f"turn {row.number}: {row.error}")
            return
        turns.append(row.value)
        if len(turns) > MAX_TURNS:
            error = f"more than {MAX_TURNS:,} turns, and a file is one dialogue"
            yield replace(row, number=1, value=None, error=error, rule="bad_message")
            return
    if row is not None:
        yield replace(row, number=1, value={"dialogue": turns})


def _one_row_per_instruction(rows: Iterator["Row"]) -> Iterator["Row"]:
    number = 0
    for row in rows:
        for value in [None] if row.value is None else _instructions(row.value):
            number += 1
            yield replace(row, number=number, value=value)


def _instructions(api: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The API once for each of its instructions; as it stands where there is none, so that no row is lost."""
    plural = {"Instructions": "Instruction", "Golden_Answers": "Golden_Answer", "Instances": "Instance"}
    shared = {key: value for key, value in api.items() if key not in plural}
    lists = {plural[key]: api[key] for key in plural if isinstance(api.get(key), list)}
    if not any(lists.values()):
        yield api
    for values in zip_longest(*lists.values()):
        yield shared | dict(zip(lists, values, strict=True))
