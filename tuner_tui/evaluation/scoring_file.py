"""Verdicts on answers that were made elsewhere: JSON Lines with `id` and `text`. No model, and no torch.

Of an item of several turns `text` is a list of all that the model said, in order: its environment gives the
same results to the same calls, so that the conversation is gone through again.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.errors import UserError
from tuner_tui.evaluation.compare import by_category, outcome
from tuner_tui.evaluation.counted import numbers
from tuner_tui.evaluation.driver import judge_given
from tuner_tui.evaluation.shapes import Number, Outcome, Rate
from tuner_tui.evaluation.tasks import Answer, Harness, Task


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used; `line` is 1-based."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Score:
    """What a file of answers reaches.

    `scored` items have an answer; `missing` have none, and are in no rate; `unknown` are ids of the file that
    the suite does not have; `several_turns` items want more answers than the file gives, or the likelihood of
    texts, which none can give.
    """

    outcome: Outcome
    categories: dict[str, Rate]
    numbers: dict[str, Number]
    scored: int
    missing: list[str]
    unknown: list[str]
    several_turns: list[str]
    bad_lines: list[BadLine]
    items: list[dict[str, Any]] = field(repr=False)


def score_file(path: Path, task: Task) -> Score:
    """Judge the answers of a file. Where an id comes twice, the first answer counts.

    Raises:
        UserError: it cannot be read, or no line of it answers an item of the suite.
    """
    if isinstance(task, Harness):
        raise UserError(f"the suite {task.name} asks a loaded model by itself: use `tuner eval`.")
    texts: dict[str, list[str]] = {}
    bad: list[BadLine] = []
    for number, line in _lines(path):
        found = _answer(line)
        if isinstance(found, str):
            bad.append(BadLine(number, found))
        elif found[0] in texts:
            bad.append(BadLine(number, f"the id {found[0]!r} was there already"))
        else:
            texts[found[0]] = found[1]
    known = {item.id: item for item in task.items}
    answered = [item for item in task.items if item.id in texts]
    if not answered:
        first = f"; line {bad[0].line}: {bad[0].words}" if bad else ""
        raise UserError(
            f"{path}: no line answers an item of the suite {task.name}, whose ids are like "
            f"{next(iter(known), '?')!r}{first}."
        )
    lines: list[dict[str, Any]] = []
    several: list[str] = []
    for item in answered:
        answers = [Answer(text, parse_answer(text), 0, 0.0) for text in texts[item.id]]
        judged = judge_given(task, item, answers)
        if judged is None:
            several.append(item.id)
        else:
            lines.append(judged)
    if not lines:
        raise UserError(
            f"the suite {task.name} wants more answers than the file gives, or the likelihood of texts: give "
            'all that the model said about an item in order, "text": ["...", "..."], or evaluate it with '
            "`tuner eval`."
        )
    return Score(
        outcome=outcome(lines, [measure.name for measure in task.measures], task.error_types),
        categories=by_category(lines),
        numbers=numbers(lines),
        scored=len(lines),
        missing=[id for id in known if id not in texts],
        unknown=[id for id in texts if id not in known],
        several_turns=several,
        bad_lines=bad,
        items=lines,
    )


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UserError(f"{path}: cannot read the answers: {error.strerror}.") from error


def _answer(line: bytes) -> tuple[str, list[str]] | str:
    """(id, texts) of a line, or what is wrong with it."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(value, Mapping):
        return 'no object with "id" and "text"'
    id, text = value.get("id"), value.get("text")
    if isinstance(id, bool) or not isinstance(id, str | int):
        return '"id" is missing, or neither text nor a number'
    given = text if isinstance(text, list) else [text]
    texts = [each.encode("utf-8", "replace").decode() for each in given if isinstance(each, str)]
    if not texts or len(texts) < len(given):
        return '"text" is missing, or neither a text nor a list of texts'
    return str(id), texts
