"""The rows of a file in random order, converted as far as a mixture wants them."""

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO

import orjson

from tuner_tui.data.canonical import row_converter
from tuner_tui.data.converters import ConversionError
from tuner_tui.data.examples import Example, is_preference, is_unpaired
from tuner_tui.data.parts.quotas import Goal
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import RowFile
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

SOURCE = "source"
"""The key under which a mixed row names the file that it comes from; no trainer and no converter reads it."""

_LOOK = 256  # rows between two looks at `cancelled` and two reports of the progress


class Draw:
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


def draw_all(
    draws: Sequence[Draw],
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


def require_one_shape(draws: Sequence[Draw]) -> None:
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
