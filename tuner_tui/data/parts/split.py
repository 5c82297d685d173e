"""A dataset parted in two, one to train on and one to evaluate with, without a leak between them."""

import os
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from tuner_tui.data.canonical import row_converter
from tuner_tui.data.converters import ConversionError
from tuner_tui.data.copies.fingerprints import fingerprint
from tuner_tui.data.copies.near import matches, signature, text
from tuner_tui.data.examples import Example
from tuner_tui.data.outputs import check_sources, check_targets, replacing, spool
from tuner_tui.data.parts.division import Division, divide
from tuner_tui.data.parts.groups import By, RowFacts
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import ALL_READ, LeftOut, open_rows
from tuner_tui.data.stats import KINDS
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from tuner_tui.data.parts.division import Flags
    from tuner_tui.data.parts.groups import Ints

_CHUNK = 4 << 20  # bytes between two reports of the progress
NEAR_ROWS = 50_000
"""Near duplicates are looked for in datasets of at most so many rows, as in an inspection."""

_LOOK = 256  # rows between two looks at `cancelled`


@dataclass(frozen=True, slots=True)
class Sides:
    """A count on both sides of the split."""

    train: int
    eval: int


@dataclass(frozen=True, slots=True)
class ToolSides:
    """One tool: the rows of each side that call it, and that offer it."""

    name: str
    called: Sides
    offered: Sides


@dataclass(frozen=True, slots=True)
class Split:
    """What a split has done: `rows == train + eval + rejected`.

    `rejected` counts the rows that could not be converted, by rule. `groups` are the sets of rows that were
    kept together, of which the largest has `largest_group` rows; `near_duplicates` counts the rows that were
    kept with one that is nearly the same, None when there were too many rows to look for them. `tools` are
    in the order of the rows that call them, most called first; `held_out` names the tools that a split by
    tool keeps out of training. `left_out` are the files of a folder that were not read.
    """

    by: By
    seed: int
    asked: float
    train: int
    eval: int
    rejected: dict[str, int]
    groups: int
    largest_group: int
    near_duplicates: int | None
    kinds: dict[str, Sides]
    tools: list[ToolSides]
    held_out: list[str]
    left_out: LeftOut = ALL_READ

    @property
    def rows(self) -> int:
        """The rows of the source, readable or not."""
        return self.train + self.eval + sum(self.rejected.values())

    @property
    def reached(self) -> float:
        """The share of the rows that were set aside, of those that could be converted."""
        return self.eval / (self.train + self.eval)

    @property
    def unseen(self) -> list[str]:
        """The tools that evaluation rows call and no training row calls."""
        return [tool.name for tool in self.tools if tool.called.eval and not tool.called.train]

    @property
    def untested(self) -> list[str]:
        """The tools that training rows call and no evaluation row calls."""
        return [tool.name for tool in self.tools if tool.called.train and not tool.called.eval]

    def to_json(self) -> dict[str, Any]:
        """The shape that `tuner split --json` prints."""
        return {
            "by": self.by,
            "seed": self.seed,
            "rows": self.rows,
            "train": self.train,
            "eval": self.eval,
            "rejected": sum(self.rejected.values()),
            "rejected_by_rule": self.rejected,
            "share": {"asked": self.asked, "reached": round(self.reached, 4)},
            "groups": {"count": self.groups, "largest": self.largest_group},
            "near_duplicates": self.near_duplicates,
            "kinds": {name: asdict(sides) for name, sides in self.kinds.items()},
            "tools": [asdict(tool) for tool in self.tools],
            "held_out": self.held_out,
            "unseen_tools": self.unseen,
            "untested_tools": self.untested,
            **self.left_out.to_json(),
        }


def split_file(
    source: Path,
    train: Path,
    eval: Path,
    *,
    by: By = "row",
    share: float = 0.1,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Split | None:
    """Split a dataset of any known layout into two files of canonical JSON Lines.

    Rows that ask the same, and near duplicates (of at most NEAR_ROWS rows), are on one side. The rows keep
    their order. Both files appear at the end, whole. Memory holds a few numbers a row; the
    converted rows wait in a temporary file beside `train`.

    Args:
        source: the dataset.
        train: the file to write the rows into that are trained on.
        eval: the file to write the rows into that are set aside.
        by: what is kept together, see `divide`.
        share: of the rows that are set aside, above 0 and below 1.
        seed: same seed, same rows: same split.
        progress: called now and then, in bytes and rows of the source.
        cancelled: asked now and then; when it says True, nothing is written and None is returned.

    Raises:
        UserError: the source cannot be read or divided, or a target cannot be written or is the source.
    """
    check_targets(train, eval)
    opened = open_rows(source)
    check_sources((source, *opened.files), train, eval)
    if not 0 < share < 1:
        raise UserError(f"the share must be above 0 and below 1, not {share:g}.")
    facts, rejected = RowFacts(by), Counter[str]()
    with spool(train) as converted:
        near = _Near(converted)
        if not _read(source, facts, rejected, near, progress, cancelled or _never):
            return None
        if not len(facts):
            raise UserError(f"{source}: no row can be converted; `tuner inspect` shows why.")
        joined = near.join(facts, cancelled or _never)
        if cancelled is not None and cancelled():
            return None
        division = divide(facts, share, seed)
        converted.seek(0)
        with replacing(train, eval) as (kept, aside):
            for line, is_aside in zip(converted, division.aside.tolist(), strict=True):
                (aside if is_aside else kept).write(line)
    return replace(_report(facts, division, rejected, joined, share, seed), left_out=opened.left_out)


def _read(
    source: Path,
    facts: RowFacts,
    rejected: Counter[str],
    near: "_Near",
    progress: Callable[[Progress], None] | None,
    cancelled: Callable[[], bool],
) -> bool:
    """Convert every row into the spool and note its facts; False when cancelled."""
    rows = open_rows(source)
    convert = row_converter(source)
    begun, done, seen = monotonic(), 0, 0
    for chunk in rows.chunks(_CHUNK):
        for row in chunk.rows():
            if seen % _LOOK == 0 and cancelled():
                return False
            seen += 1
            try:
                example = convert(row)
            except ConversionError as error:
                rejected[error.rule] += 1
            else:
                facts.add(example)
                near.write(example)
        done += chunk.size
        if progress is not None:
            progress(Progress(done, rows.size, seen, monotonic() - begun))
    return not cancelled()


class _Near:
    """The converted rows as they are written into the spool, and which of them are nearly the same."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._starts, self._prints = array("Q", [0]), array("Q")
        self._signatures: list[bytes] = []
        self._wanted = True

    def write(self, example: Example) -> None:
        """Write the next row."""
        size = self._out.write(orjson.dumps(example) + b"\n")
        if not self._wanted:
            return
        if len(self._signatures) == NEAR_ROWS:
            self._wanted = False
            self._signatures.clear()
            return
        self._starts.append(self._starts[-1] + size)
        self._prints.append(fingerprint(example))
        self._signatures.append(signature(text(example)))

    def join(self, facts: RowFacts, cancelled: Callable[[], bool]) -> int | None:
        """Join near duplicates; how many rows were joined to an earlier one, None when not looked for."""
        if not self._wanted:
            return None
        self._out.flush()
        rows = range(1, len(self._signatures) + 1)
        count = 0
        for row, first, _ in matches(self._signatures, rows, self._text, self._prints, cancelled):
            facts.join(row - 1, first - 1)
            count += 1
        return count

    def _text(self, row: int) -> str:
        start, end = self._starts[row - 1], self._starts[row]
        return text(orjson.loads(os.pread(self._out.fileno(), end - start, start)))


def _report(
    facts: RowFacts, division: Division, rejected: Counter[str], joined: int | None, asked: float, seed: int
) -> Split:
    aside = division.aside
    called, offered = (
        _by_tool(pairs, aside, len(facts.tools)) for pairs in (facts.called(), facts.offered())
    )
    tools = [
        ToolSides(name, called=called[number], offered=offered[number])
        for name, number in facts.tools.items()
    ]
    kinds = facts.kinds
    eval_rows = int(aside.sum())
    return Split(
        by=facts.by,
        seed=seed,
        asked=asked,
        train=len(facts) - eval_rows,
        eval=eval_rows,
        rejected=dict(rejected.most_common()),
        groups=division.groups,
        largest_group=division.largest,
        near_duplicates=joined,
        kinds={
            name: Sides(int(((kinds == at) & ~aside).sum()), int(((kinds == at) & aside).sum()))
            for at, name in enumerate(KINDS)
        },
        tools=sorted(tools, key=lambda tool: (-tool.called.train - tool.called.eval, tool.name)),
        held_out=division.held_out,
    )


def _by_tool(pairs: "tuple[Ints, Ints]", aside: "Flags", tools: int) -> list[Sides]:
    import numpy as np

    rows, numbers = pairs
    all_rows = np.bincount(numbers, minlength=tools)
    eval_rows = np.bincount(numbers[aside[rows]], minlength=tools)
    return [
        Sides(train, eval)
        for train, eval in zip((all_rows - eval_rows).tolist(), eval_rows.tolist(), strict=True)
    ]


def _never() -> bool:
    return False
