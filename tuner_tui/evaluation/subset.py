"""A part of a suite in which every category keeps its share; and items that are answered several times."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tuner_tui.data.parts.quotas import largest_remainder
from tuner_tui.evaluation.statistics import detectable_difference
from tuner_tui.evaluation.tasks import Exchange, Item, Measure, Task

_PART = " (subset)"
REPEAT = "#"
"""Between the id of an item and the number of its answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`items`: how many at most (None: all), drawn with `seed`; `repeats`: answers to each."""

    items: int | None = None
    seed: int = 0
    repeats: int = 1

    @property
    def everything(self) -> bool:
        """Whether this limits nothing."""
        return self.items is None and self.repeats == 1


class Limited:
    """A suite with some of its items, or with each of them several times under the ids `ID#1`, `ID#2`, ...

    What is drawn depends on the seed and on the ids alone, so that two models get the same items.
    """

    def __init__(self, task: Task, limits: Limits) -> None:
        self._task = task
        drawn = draw(task.items, limits.items, limits.seed)
        self.name: str = task.name
        part = len(drawn) < len(task.items) and not task.title.endswith(_PART)
        self.title: str = task.title + (_PART if part else "")
        self.measures: Sequence[Measure] = task.measures
        self.error_types: Mapping[str, str] = task.error_types
        self.rejected: int = task.rejected
        self.notes: Sequence[str] = [*task.notes, *_notes(task, drawn, limits)]
        self._whole = {item.id: item for item in task.items}
        self._origin = {item.id: item.id for item in drawn}
        self.items: Sequence[Item] = drawn
        if limits.repeats > 1:
            again = [(item, number + 1) for item in drawn for number in range(limits.repeats)]
            self._origin = {f"{item.id}{REPEAT}{number}": item.id for item, number in again}
            self.items = [
                # The answers to one item are no independent items: they are drawn together.
                replace(item, id=f"{item.id}{REPEAT}{number}", group=item.group or item.id)
                for item, number in again
            ]

    @property
    def whole(self) -> Task:
        """The suite that this is a part of."""
        return self._task

    def begin(self, item: Item) -> Exchange:
        """Start with the item as the suite knows it."""
        return self._task.begin(self._whole[self._origin[item.id]])


def draw(items: Sequence[Item], count: int | None, seed: int) -> list[Item]:
    """`count` items in the suite's order, each category with its share (largest remainders), at random within
    it; a category that would get none gets one, as long as there are places. All items for None."""
    if count is None or count >= len(items):
        return list(items)
    strata: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        strata[item.category].append(place)
    sizes = [len(places) for places in strata.values()]
    quotas = largest_remainder([Fraction(size, len(items)) for size in sizes], count)
    for empty in (place for place, quota in enumerate(quotas) if not quota):
        most = max(range(len(quotas)), key=quotas.__getitem__)
        if quotas[most] > 1:
            quotas[most] -= 1
            quotas[empty] = 1
    chosen: list[int] = []
    for (category, places), quota in zip(strata.items(), quotas, strict=True):
        chosen += random.Random(f"{seed} {category}").sample(places, quota)
    return [items[place] for place in sorted(chosen)]


def _notes(task: Task, drawn: Sequence[Item], limits: Limits) -> list[str]:
    notes = []
    if len(drawn) < len(task.items):
        points = 100 * detectable_difference(len(drawn))
        notes.append(
            f"A subset: {len(drawn):,} of {len(task.items):,} items, drawn within each category "
            f"(seed {limits.seed}). Between two models a change of {points:.1f} points is the smallest that "
            "so many items show with 80% power, if one verdict in ten differs."
        )
        missing = {item.category for item in task.items} - {item.category for item in drawn}
        if missing:
            notes.append(f"Not in the subset at all: {', '.join(sorted(missing))}.")
    if limits.repeats > 1:
        notes.append(
            f"Each item was answered {limits.repeats} times; rates count all answers, and pass^k is the "
            "share of items of which k answers drawn at random are all right."
        )
    return notes
