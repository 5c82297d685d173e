"""Which groups of rows are set aside: near the share that was asked for, with the same kinds, the same again
for the same seed.

The order in which groups are tried comes from their questions and the seed, not from their place in the file:
rows that are added later hardly move the others.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner_tui.data.parts.groups import RowFacts
from tuner_tui.data.stats import KINDS
from tuner_tui.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuner_tui.data.parts.groups import Ints, Keys

    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Division:
    """The outcome: of each row whether it is set aside; how many groups there are and the rows of the
    largest; by tool, the names of the tools that are held out."""

    aside: "Flags"
    groups: int
    largest: int
    held_out: list[str]


def divide(facts: RowFacts, share: float, seed: int) -> Division:
    """Set aside about `share` of the rows (above 0, below 1), whole groups only.

    By row and by template each kind gives its share as nearly as whole groups allow. By tool, tools are held
    out, in random order, as long as the rows that call one of them stay within the share of all rows that
    call; of the rows that call nothing each kind gives its share, those first that offer a tool held out.

    Raises:
        UserError: there is nothing to divide: a single group, or, by tool, no tool or a single one is called.
    """
    import numpy as np

    group_of = facts.groups()
    sizes = np.bincount(group_of)
    if len(sizes) < 2:
        rows = "1 row" if len(facts) == 1 else f"{len(facts):,} rows that belong together"
        raise UserError(f"{rows} cannot be split: both sides need some. Split by row, or add other rows.")
    order = np.argsort(_priorities(facts, group_of, len(sizes), seed), kind="stable")
    if facts.by != "tool":
        taken = _stratified(order, _kinds_of_groups(facts, group_of, len(sizes)), share)
        return Division(taken[group_of], len(sizes), int(sizes.max()), [])
    taken, held_out = _tools_held_out(facts, group_of, sizes, share, seed)
    idle, offering = _idle_groups(facts, group_of, taken, held_out)
    order = order[np.argsort(~offering[order], kind="stable")]
    idle_kinds = np.where(idle[:, None], _kinds_of_groups(facts, group_of, len(sizes)), 0)
    if idle_kinds.any():
        taken |= _stratified(order[idle[order]], idle_kinds, share, at_least=0)
    names = list(facts.tools)
    return Division(taken[group_of], len(sizes), int(sizes.max()), sorted(names[tool] for tool in held_out))


def _priorities(facts: RowFacts, group_of: "Ints", groups: int, seed: int) -> "Keys":
    """A pseudo-random number for each group: the least of its questions' keys, mixed with the seed."""
    import numpy as np

    mixed = _mix(facts.questions ^ _mix(np.full(1, seed, np.uint64)))
    least = np.full(groups, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, group_of, mixed)
    return least


def _mix(keys: "Keys") -> "Keys":
    """One step of splitmix64 (Steele, Lea and Flood, 2014): near keys become far numbers."""
    import numpy as np

    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _kinds_of_groups(facts: RowFacts, group_of: "Ints", groups: int) -> "Ints":
    """Rows of each kind in each group: groups x kinds."""
    import numpy as np

    width = len(KINDS)
    counts = np.bincount(group_of * width + facts.kinds, minlength=groups * width)
    table: Ints = counts.reshape(groups, width)
    return table


def _stratified(order: "Ints", kinds: "Ints", share: float, *, at_least: int = 1) -> "Flags":
    """Groups, tried in this order, whose rows come nearest to the share of each kind."""
    import numpy as np

    wanted = _targets(kinds.sum(axis=0), share, at_least)
    missing: list[int] = wanted.tolist()
    taken = np.zeros(len(kinds), np.bool_)
    sizes = kinds.sum(axis=1)
    # Most groups hold one kind; for those a comparison of two numbers is enough.
    main, single = kinds.argmax(axis=1), kinds.max(axis=1) == sizes
    rows = zip(
        order.tolist(), main[order].tolist(), sizes[order].tolist(), single[order].tolist(), strict=True
    )
    for group, at, size, pure in rows:
        if pure:
            if size <= missing[at]:
                missing[at] -= size
                taken[group] = True
        elif all(have <= want for have, want in zip(kinds[group].tolist(), missing, strict=True)):
            missing = [want - have for have, want in zip(kinds[group].tolist(), missing, strict=True)]
            taken[group] = True
        if not any(missing):
            break
    _fill(order, sizes, taken, sum(missing), some=at_least > 0)
    return taken


def _fill(order: "Ints", sizes: "Ints", taken: "Flags", missing: int, *, some: bool) -> None:
    """Take more groups, of whatever kind, to make up for rows that are missing; the last of them may be too
    large, when the number comes nearer by it, or when there would be no row at all and `some` are needed."""
    rest = order[~taken[order]]
    for group, size in zip(rest.tolist(), sizes[rest].tolist(), strict=True):
        if 0 < size <= missing:
            taken[group] = True
            missing -= size
    rest = rest[~taken[rest]]
    if missing and len(rest) > 1:
        smallest = rest[sizes[rest].argmin()]
        if (some and not taken.any()) or sizes[smallest] - missing < missing:
            taken[smallest] = True


def _targets(counts: "Ints", share: float, at_least: int) -> "Ints":
    """Rows of each kind, whole numbers by largest remainder, that add up to the share of all rows."""
    import numpy as np

    total = int(counts.sum())
    wanted = min(max(round(total * share), at_least), max(total - 1, 0))
    exact = counts * (wanted / total) if total else counts * 0.0
    floors: Ints = np.floor(exact).astype(np.int64)
    for place in np.argsort(-(exact - floors), kind="stable")[: wanted - int(floors.sum())]:
        floors[place] += 1
    return floors


def _tools_held_out(
    facts: RowFacts, group_of: "Ints", sizes: "Ints", share: float, seed: int
) -> "tuple[Flags, list[int]]":
    """The groups that call a tool held out, and the numbers of these tools."""
    import numpy as np
    from xxhash import xxh3_64_intdigest

    rows, tools = facts.called()
    pairs = np.unique(np.stack((tools, group_of[rows]), axis=1), axis=0)
    called, starts = np.unique(pairs[:, 0], return_index=True)
    if len(called) < 2:
        what = "all calls are of one tool" if len(called) else "no row calls a tool"
        raise UserError(f"{what}, so that none can be held out; split by row or by template.")
    groups_of = dict(zip(called.tolist(), np.split(pairs[:, 1], starts[1:]), strict=True))
    calling = int(sizes[np.unique(pairs[:, 1])].sum())
    wanted = min(max(round(calling * share), 1), calling - 1)
    names = list(facts.tools)
    taken = np.zeros(len(sizes), np.bool_)
    held_out: list[int] = []
    captured = 0
    for tool in sorted(groups_of, key=lambda one: xxh3_64_intdigest(names[one].encode(), seed)):
        more = int(sizes[groups_of[tool]][~taken[groups_of[tool]]].sum())
        if captured + more <= wanted:
            taken[groups_of[tool]] = True
            held_out.append(tool)
            captured += more
    rest = {
        tool: int(sizes[groups][~taken[groups]].sum())
        for tool, groups in groups_of.items()
        if tool not in set(held_out)
    }
    tool, more = min(rest.items(), key=lambda item: item[1])
    missing = wanted - captured
    if captured + more < calling and (not held_out or more - missing < missing):
        taken[groups_of[tool]] = True
        held_out.append(tool)
    if not held_out:
        raise UserError("every tool is called in all rows that call; split by row or by template.")
    return taken, held_out


def _idle_groups(
    facts: RowFacts, group_of: "Ints", taken: "Flags", held_out: list[int]
) -> "tuple[Flags, Flags]":
    """Of each group whether it calls nothing, and whether it offers a tool held out."""
    import numpy as np

    idle, offering = np.ones(len(taken), np.bool_), np.zeros(len(taken), np.bool_)
    idle[group_of[facts.called()[0]]] = False
    rows, tools = facts.offered()
    offering[group_of[rows[np.isin(tools, held_out)]]] = True
    return idle, offering
