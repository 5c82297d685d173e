"""Several datasets mixed into one by weight, with a share of general conversation against forgetting.

A model that is tuned on tool calls alone unlearns a part of what it could. AgentTuning (arXiv:2310.12823)
mixed its agent trajectories with general conversation, four parts of five general, and found the abilities
outside its tasks kept; it trained all weights of Llama 2. An adapter changes less and forgets less ("LoRA
Learns Less and Forgets Less", arXiv:2405.09673): `GENERAL_SHARE` is a point to start from, not a finding.
Measure what is kept, and raise it when too little is.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuner_tui.data.outputs import check_sources, check_targets, replacing, spool
from tuner_tui.data.parts.draws import Draw, draw_all, require_one_shape
from tuner_tui.data.parts.quotas import Goal
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import ALL_READ, LeftOut, RowFile, open_rows

GENERAL_SHARE = 0.2
"""Of the mixed rows, when there is a general file and no share is given."""


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
            Draw(path, file, [seed, place], converted)
            for place, (path, file) in enumerate(zip(paths, files, strict=True))
        ]
        size = sum(source.size for source in sources)
        asked = draw_all(draws, goal, size, progress, cancelled or _never)
        if asked is None:
            return None
        require_one_shape(draws)
        converted.flush()
        with replacing(out) as (target,):
            for place, number in _shuffled(draws, asked, repeat, seed):
                draw = draws[place]
                target.write(os.pread(converted.fileno(), draw.sizes[number], draw.starts[number]))
    report = _report(draws, asked, goal, seed)
    given = zip(report.parts, sources, strict=True)
    return replace(report, parts=[replace(part, left_out=source.left_out) for part, source in given])


def _shuffled(
    draws: Sequence[Draw], quotas: Sequence[int], repeat: bool, seed: int
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


def _taken(draws: Sequence[Draw], quotas: Sequence[int], repeat: bool) -> list[int]:
    return [
        quota if repeat and draw.usable else min(quota, draw.usable)
        for draw, quota in zip(draws, quotas, strict=True)
    ]


def _report(draws: Sequence[Draw], quotas: Sequence[int], goal: Goal, seed: int) -> Mix:
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


def _never() -> bool:
    return False
