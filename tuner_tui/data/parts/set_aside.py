"""Examples in memory, a share of them set aside: what a run does that has no evaluation file."""

import random
from collections import Counter
from collections.abc import Sequence

from tuner_tui.data.examples import Example
from tuner_tui.data.parts.division import divide
from tuner_tui.data.parts.groups import By, RowFacts


def set_aside(
    examples: Sequence[Example], *, by: By, share: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """The examples to train on and those set aside, both in random order; the same again for the same seed.

    By row, `share` of the examples in random order; those that ask the same of the same tools stay together,
    as long as there are two questions. By tool and by template as `division.divide`. A share above 0 sets
    aside one example at least and leaves one, where there are two.

    Raises:
        UserError: the examples cannot be divided by tool or template.
    """
    order = list(examples)
    random.Random(seed).shuffle(order)
    if not share or len(order) < 2:
        return order, []
    facts = RowFacts(by)
    for example in order:
        facts.add(example)
    flags = divide(facts, share, seed).aside.tolist() if by != "row" else _first(facts, share)
    kept = [example for example, aside in zip(order, flags, strict=True) if not aside]
    return kept, [example for example, aside in zip(order, flags, strict=True) if aside]


def _first(facts: RowFacts, share: float) -> list[bool]:
    """Whether each example is set aside: the first ones are, whole groups as they come."""
    groups = facts.groups().tolist()
    missing = min(max(round(len(groups) * share), 1), len(groups) - 1)
    sizes = Counter(groups)
    if len(sizes) == 1:
        return [place < missing for place in range(len(groups))]
    taken: set[int] = set()
    for group, size in sizes.items():  # in the order of appearance
        if size <= missing:
            taken.add(group)
            missing -= size
        if not missing:
            break
    if not taken:
        taken.add(min(sizes, key=sizes.__getitem__))
    return [group in taken for group in groups]
