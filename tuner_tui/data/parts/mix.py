"""Several datasets mixed into one by weight, with a share of general conversation against forgetting.

A model that is tuned on tool calls alone unlearns a part of what it could. AgentTuning (arXiv:2310.12823)
mixed its agent trajectories with general conversation, four parts of five general, and found the abilities
outside its tasks kept; it trained all weights of Llama 2. An adapter changes less and forgets less ("LoRA
Learns Less and Forgets Less", arXiv:2405.09673): `GENERAL_SHARE` is a point to start from, not a finding.
Measure what is kept, and raise it when too little is.
"""

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from tuner_tui.data.canonical import row_converter
from tuner_tui.data.converters import ConversionError
from tuner_tui.data.examples import Example, is_preference, is_unpaired
from tuner_tui.data.outputs import check_sources, check_targets, replacing, spool
from tuner_tui.data.parts.quotas import Goal
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import ALL_READ, LeftOut, RowFile, open_rows
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

GENERAL_SHARE = 0.2
"""Of the mixed rows, when there is a general file and no share is given."""
SOURCE = "source"
"""The key under which a mixed row names the file that it comes from; no trainer and no converter reads it."""

_LOOK = 256  # rows between two looks at `cancelled` and two reports of the progress


@dataclass(frozen=True, slots=True)
class Part:
    """A file to be mixed. `weight` is its part of the rows relative to the other weights; None for all files
    means each row of each file once."""

    path: Path
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class PartReport:
    """What was taken of one file.

    `rows` is all it has; `rejected` of those that were looked at could not be converted (by rule). `asked`
    and `taken` are rows of the mixture, `repeated` how many of these are copies of others. `share_asked` and
    `share_reached` are of all rows of the mixture. `left_out` are the files of a folder that were not read.
    """

    path: Path
    general: bool
    rows: int
    rejected: dict[str, int]
    asked: int
    taken: int
    repeated: int
    share_asked: float
    share_reached: float
    left_out: LeftOut = ALL_READ

    @property
    def exhausted(self) -> bool:
        """Whether the file has fewer rows than were asked for."""
        return self.taken < self.asked or self.repeated > 0


@dataclass(frozen=True, slots=True)
class Mix:
    """What a mixture holds: its rows, and what each file gave."""

    rows: int
    seed: int
    parts: list[PartReport]

    def to_json(self) -> dict[str, Any]:
        """The shape that `tuner mix --json` prints."""
        return {
            "rows": self.rows,
            "seed": self.seed,
            "files": [
                {
                    "path": str(part.path),
                    "general": part.general,
                    "rows": part.rows,
                    "rejected": sum(part.rejected.values()),
                    "rejected_by_rule": part.rejected,
                    "asked": part.asked,
                    "taken": part.taken,
                    "repeated": part.repeated,
                    "exhausted": part.exhausted,
                    "share": {
                        "asked": round(part.share_asked, 4),
                        "reached": round(part.share_reached, 4),
                    },
                    **part.left_out.to_json(),
                }
                for part in self.parts
            ],
        }


def mix_files(
    out: Path,
    parts: Sequence[Part],
    *,
    general: Path | None = None,
    share: float = GENERAL_SHARE,
    rows: int | None = None,
    seed: int = 0,
    repeat: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Mix | None:
    """Mix datasets of any known layouts into one file of canonical JSON Lines, in random order.

    Rows are drawn without replacement. The memory that it takes is some bytes for each row of the sources;
    the rows that were drawn wait in a temporary file beside `out`, which appears at the end, whole.

    Args:
        out: the file to write.
        parts: the files, all of them with a weight or none.
        general: a file of general conversation, which gets `share` of all rows.
        share: above 0 and below 1.
        rows: of the mixture; None for as many as the weights allow without repeating a row (with `repeat`: as
            many as it takes to use each row at least once), or, without weights, for all rows. The general
            file comes on top, and does not limit the others when it has too few.
        seed: same seed, same files: same mixture.
        repeat: begin a file again when it is exhausted; otherwise it gives what it has, and no more.
        progress: called now and then: the rows that are drawn, and their part of the bytes of all files.
        cancelled: asked now and then; when it says True, nothing is written and None is returned.

    Raises:
        UserError: a file cannot be read, holds no row that can be converted, is `out` itself or has another
            shape than the others (preference pairs with conversations); or weights, share or rows are not
            of the kind that is asked for.
    """
    paths = [*(part.path for part in parts), *([general] if general else [])]
    check_targets(out)
    sources = [open_rows(path) for path in paths]
    check_sources([file for source in sources for file in (source.path, *source.files)], out)
    goal = Goal.of([part.weight for part in parts], share if general else None, rows, repeat)
    with ExitStack() as stack:
        converted = stack.enter_context(spool(out))
        files = [stack.enter_context(RowFile(path)) for path in paths]
        draws = [
            _Draw(path, file, [seed, place], converted)
            for place, (path, file) in enumerate(zip(paths, files, strict=True))
        ]
        size = sum(source.size for source in sources)
        asked = _draw_all(draws, goal, size, progress, cancelled or _never)
        if asked is None:
            return None
        _require_one_shape(draws)
        converted.flush()
        with replacing(out) as (target,):
            for place, number in _shuffled(draws, asked, repeat, seed):
                draw = draws[place]
                target.write(os.pread(converted.fileno(), draw.sizes[number], draw.starts[number]))
    report = _report(draws, asked, goal, seed)
    given = zip(report.parts, sources, strict=True)
    return replace(report, parts=[replace(part, left_out=source.left_out) for part, source in given])


class _Draw:
    """The rows of one file in random order, converted as far as they are wanted."""

    def __init__(self, path: Path, file: RowFile, seed: list[int], out: BinaryIO) -> None:
        import numpy as np

        self.path = path
        self.rows = len(file)
        self.starts, self.sizes = array("Q"), array("Q")  # in `out`, of the rows that were drawn
        self.rejected: Counter[str] = Counter()
        self.shape: str | None = None
        self._file, self._out = file, out
        self._convert = row_converter(path)
        # The legacy generator: its numbers are promised never to change.
        self._order: NDArray[int64] = np.random.RandomState(seed).permutation(self.rows)
        self._tried = 0

    @property
    def drawn(self) -> int:
        """Rows that wait to be written."""
        return len(self.starts)

    @property
    def usable(self) -> int:
        """Rows that it can give, as far as is known: rows that were not tried count."""
        return self.rows - self.rejected.total()

    def draw(self, count: int, tick: Callable[[], bool]) -> bool:
        """Try so many more rows; False once `tick`, which is called for each, says so.

        They are read in the order of the file, where neighbours are cheap, and noted in random order: when
        fewer of them are wanted after all, the first ones are still a random choice.
        """
        chosen = self._order[self._tried : self._tried + count]
        self._tried += len(chosen)
        written: dict[int, tuple[int, int]] = {}
        for place in chosen.argsort().tolist():
            if not tick():
                return False
            try:
                example = self._convert(self._file[int(chosen[place])])
            except ConversionError as error:
                self.rejected[error.rule] += 1
                continue
            self.shape = self.shape or _shape(example)
            line = orjson.dumps({**example, SOURCE: self.path.name}) + b"\n"
            written[place] = (self._out.tell(), len(line))
            self._out.write(line)
        for place in sorted(written):
            self.starts.append(written[place][0])
            self.sizes.append(written[place][1])
        return True


def _draw_all(
    draws: Sequence[_Draw],
    goal: Goal,
    size: int,
    progress: Callable[[Progress], None] | None,
    cancelled: Callable[[], bool],
) -> list[int] | None:
    """Draw what is asked for; the quotas, or None when cancelled. Rows that turn out to be unusable may lower
    the quotas of all files, so that they are drawn up again until nothing is missing."""
    begun, steps, total = monotonic(), 0, 0

    def tick() -> bool:
        nonlocal steps
        if steps % _LOOK == 0:
            if cancelled():
                return False
            if progress is not None:
                # Rows are read in random order: the bytes are those that so many rows have on average.
                progress(Progress(size * steps // max(total, 1), size, steps, monotonic() - begun))
        steps += 1
        return True

    while True:
        quotas = goal.quotas([draw.usable for draw in draws])
        missing = [min(quota, draw.usable) - draw.drawn for quota, draw in zip(quotas, draws, strict=True)]
        if all(count <= 0 for count in missing):
            return quotas
        total = steps + sum(max(count, 0) for count in missing)
        for draw, count in zip(draws, missing, strict=True):
            if count > 0 and not draw.draw(count, tick):
                return None


def _shuffled(
    draws: Sequence[_Draw], quotas: Sequence[int], repeat: bool, seed: int
) -> Iterator[tuple[int, int]]:
    """File and number of each row of the mixture, in random order."""
    import numpy as np

    places = np.repeat(np.arange(len(draws)), _taken(draws, quotas, repeat))
    numbers = np.concatenate(
        [
            np.arange(count) % max(draw.drawn, 1)
            for draw, count in zip(draws, _taken(draws, quotas, repeat), strict=True)
        ]
    )
    order = np.random.RandomState([seed, len(draws)]).permutation(len(places))
    return zip(places[order].tolist(), numbers[order].tolist(), strict=True)


def _taken(draws: Sequence[_Draw], quotas: Sequence[int], repeat: bool) -> list[int]:
    return [
        quota if repeat and draw.usable else min(quota, draw.usable)
        for draw, quota in zip(draws, quotas, strict=True)
    ]


def _report(draws: Sequence[_Draw], quotas: Sequence[int], goal: Goal, seed: int) -> Mix:
    taken = _taken(draws, quotas, goal.repeat)
    shares = goal.shares([draw.usable for draw in draws])
    total = sum(taken)
    parts = [
        PartReport(
            path=draw.path,
            general=goal.general is not None and place == len(draws) - 1,
            rows=draw.rows,
            rejected=dict(draw.rejected.most_common()),
            asked=quota,
            taken=count,
            repeated=max(count - draw.usable, 0),
            share_asked=float(part),
            share_reached=count / total if total else 0.0,
        )
        for place, (draw, quota, count, part) in enumerate(zip(draws, quotas, taken, shares, strict=True))
    ]
    return Mix(total, seed, parts)


def _require_one_shape(draws: Sequence[_Draw]) -> None:
    for draw in draws:
        if draw.rejected and not draw.drawn:
            raise UserError(f"{draw.path}: no row can be converted; `tuner inspect` shows why.")
    shapes = {draw.shape: draw.path for draw in draws if draw.shape}
    if len(shapes) > 1:
        (one, path), (other, other_path) = list(shapes.items())[:2]
        raise UserError(f"{path} holds {one}, {other_path} {other}: they cannot be trained on together.")


def _shape(example: Example) -> str:
    if is_preference(example):
        return "preference pairs"
    return "unpaired preferences" if is_unpaired(example) else "conversations"


def _never() -> bool:
    return False
