"""Two answers to one prompt: from a file that `tuner answers` made, or pairs that are judged anew."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example, Message, Tool
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.readers import Row, read_rows
from tuner_tui.data.sources import SAMPLE, layout_of_rows
from tuner_tui.errors import UserError


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two answers to compare. `sources` says where they come from, such as ("base", "tuned"); it is not shown
    before the verdict. `key` is the same whichever answer comes first."""

    row: int
    prompt: list[Message]
    tools: list[Tool]
    answers: tuple[list[Message], list[Message]]
    sources: tuple[str, str]
    key: str

    def pair(self, better: int) -> Example:
        """The canonical preference pair in which the answer `better` (0 or 1) is chosen."""
        return {
            "prompt": self.prompt,
            "chosen": self.answers[better],
            "rejected": self.answers[1 - better],
            "tools": self.tools,
        }


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What a file holds. `same` counts pairs whose answers are equal, `unusable` rows that cannot be read."""

    items: list[Comparison]
    same: int
    unusable: int


def load_comparisons(path: Path) -> Comparisons:
    """Read a file of answers or of preference pairs.

    A row of answers is `{"prompt": [...], "answers": [[...], [...]], "sources": [...], "tools": [...]}`, in
    which prompt and answers are lists of messages, or plain texts; of more than two answers every two are
    compared.

    Raises:
        UserError: the file cannot be read, or holds no two answers to compare.
    """
    rows = list(read_rows(path))
    values = [row.value for row in rows if row.value is not None]
    with_answers = any("answers" in value for value in values)
    if not with_answers and layout_of_rows(path, rows[:SAMPLE]) is not Format.PREFERENCE:
        raise UserError(
            f"{path}: holds no two answers to compare; `tuner answers` makes such a file, and a file of "
            "preference pairs can be judged anew."
        )
    items: dict[str, Comparison] = {}
    same = unusable = 0
    for row in rows:
        try:
            found = list(_comparisons(row))
        except ConversionError:
            unusable += 1
            continue
        for each in found:
            same += each.answers[0] == each.answers[1]
            if each.answers[0] != each.answers[1]:
                items.setdefault(each.key, each)
    if not items:
        raise UserError(f"{path}: no row has two different answers to compare.")
    return Comparisons(list(items.values()), same, unusable)


def pair_key(pair: Mapping[str, Any]) -> str:
    """The key of the comparison that a canonical preference pair decides."""
    return _key(pair["prompt"], pair["tools"], (pair["chosen"], pair["rejected"]))


def _comparisons(row: Row) -> Iterator[Comparison]:
    value = row.value
    if value is None:
        raise ConversionError(row.rule or "not_json", None, row.error or "")
    if "answers" not in value:
        yield _comparison(row.number, value, ("chosen", "rejected"))
        return
    answers = value["answers"]
    if not isinstance(answers, list) or len(answers) < 2:
        raise ConversionError("malformed", "answers", "it is no list of two answers")
    names = value.get("sources")
    sources = names if isinstance(names, list) and len(names) == len(answers) else range(1, len(answers) + 1)
    for (one, first), (two, second) in combinations(enumerate(answers), 2):
        pair = {"prompt": value.get("prompt"), "chosen": first, "rejected": second}
        if "tools" in value:
            pair["tools"] = value["tools"]
        yield _comparison(row.number, pair, (str(list(sources)[one]), str(list(sources)[two])))


def _comparison(row: int, value: Mapping[str, Any], sources: tuple[str, str]) -> Comparison:
    example = convert(value, Format.PREFERENCE)
    answers = (example["chosen"], example["rejected"])
    key = _key(example["prompt"], example["tools"], answers)
    return Comparison(row, example["prompt"], example["tools"], answers, sources, key)


def _key(prompt: Sequence[Any], tools: Sequence[Any], answers: Sequence[Any]) -> str:
    both = sorted(orjson.dumps(answer, option=orjson.OPT_SORT_KEYS) for answer in answers)
    whole = orjson.dumps([prompt, tools], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(b"\0".join([whole, *both])).hexdigest()[:16]
