"""A search through the rows of a dataset: the rows that were found so far, and which of them is looked at."""

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

_SECONDS_BETWEEN_NEWS = 0.25


class RowSearch:
    """`hits` are the indexes of the rows that hold `text`, in order; `at` is the one that is looked at.

    `origin` is where the search was begun: the first hit from there on is the one to go to.
    """

    def __init__(self, text: str, origin: int) -> None:
        self.text = text
        self.origin = origin
        self.hits = array("Q")
        self.at: int | None = None
        self.running = True

    def add(self, hits: Iterable[int], *, finished: bool) -> bool:
        """Take what was found since; True when it tells where to go first."""
        self.hits.extend(hits)
        self.running = not finished
        if self.at is not None or not self.hits:
            return False
        after = bisect_left(self.hits, self.origin)
        if after == len(self.hits) and self.running:
            return False
        self.at = after % len(self.hits)
        return True

    def step(self, step: int, cursor: int) -> int | None:
        """The hit `step` places on from the row `cursor`, around the end; None without a hit."""
        if not self.hits:
            return None
        place = bisect_left(self.hits, cursor)
        on_a_hit = place < len(self.hits) and self.hits[place] == cursor
        if step > 0 and not on_a_hit:
            place -= 1
        self.at = (place + step) % len(self.hits)
        return self.hits[self.at]

    @property
    def words(self) -> str:
        """How far it is: "12 of 340", "12 of 340 so far … searching", "in no row"."""
        if not self.hits:
            return "… searching" if self.running else "in no row"
        place = f"{self.at + 1:,} of " if self.at is not None else ""
        return f"{place}{len(self.hits):,}" + (" so far … searching" if self.running else "")


def collect(
    found: Iterable[int],
    shown: Sequence[int],
    tell: Callable[[list[int], bool], object],
    cancelled: Callable[[], bool],
) -> None:
    """Go through a search, and tell a few times a second what is new, then that it is finished.

    Only rows that are among `shown` (in order) count.
    """
    new: list[int] = []
    told = time.monotonic()
    for index in found:
        if cancelled():
            return
        if isinstance(shown, range) or _holds(shown, index):
            new.append(index)
        now = time.monotonic()
        if new and now - told >= _SECONDS_BETWEEN_NEWS:
            tell(new, False)
            new, told = [], now
    if not cancelled():
        tell(new, True)


def _holds(indexes: Sequence[int], index: int) -> bool:
    at = bisect_left(indexes, index)
    return at < len(indexes) and indexes[at] == index
