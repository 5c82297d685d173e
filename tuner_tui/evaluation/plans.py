"""What a suite would ask, before it does: what for, how many items, and how small a change they show."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tuner_tui.errors import UserError
from tuner_tui.evaluation.statistics import detectable_clustered
from tuner_tui.evaluation.subset import Limits, draw
from tuner_tui.evaluation.suites import SUITES, check_suite, open_suite
from tuner_tui.evaluation.suites.bfcl.categories import SINGLE_TURN
from tuner_tui.evaluation.suites.bfcl.decoding import reads
from tuner_tui.evaluation.suites.bfcl.multi_turn import MULTI_TURN
from tuner_tui.evaluation.suites.bfcl.official import data_folder
from tuner_tui.evaluation.tasks import Item

ABOUT: Final = {
    "heldout": (
        "Rows of your own data that the model was not trained on.",
        "Did training do what it was for? Always begin here.",
    ),
    "bfcl": (
        "The Berkeley Function Calling Leaderboard: a request, tools, one or more calls; official checkers.",
        "Does the skill carry over to tools that your data lacks? Comparable with published models.",
    ),
    "bfcl_prompting": (
        "The same requests with the tools told as text, and calls read from a list: [book(people=2)].",
        "For models that have no notation of their own for calls; others are asked as above.",
    ),
    "bfcl_multi_turn": (
        "Several requests in a row to services that remember: files, trading, travel. Official checkers.",
        "Can it work through many steps? Hard: small models get close to nothing.",
    ),
    "bfcl_multi_turn_prompting": (
        "The same conversations with the functions told as text, and calls read from a list.",
        "For models that have no notation of their own for calls; others are asked as above.",
    ),
    "apibench": (
        "Requests for a machine-learning model; the answer has to name the right API (Gorilla).",
        "Only if your model answers with API calls in code. Its file comes from the Gorilla repository.",
    ),
    "tasks": (
        "Errands with a calendar, files, a shop and a support desk, judged by what they leave behind.",
        "Do single calls add up to a finished task, also when a tool fails? Your own tasks: a JSON file.",
    ),
    "general": (
        "Instructions, multiple choice, chat and plain text, which have nothing to do with your tools.",
        "Did training break anything else? Measure it before you ship a model.",
    ),
    "lm_eval": (
        "Tasks of lm-eval, the Language Model Evaluation Harness: a folder of YAML files.",
        "For public benchmarks with their official figures. Tasks may run code: take those that you trust.",
    ),
}
"""Suite -> what it is, and why one would want it."""

_BFCL_SIZES: Final[dict[str, Callable[[], int]]] = {
    "bfcl": lambda: sum(count for count, _ in SINGLE_TURN.values()),
    "bfcl_prompting": lambda: sum(count for name, (count, _) in SINGLE_TURN.items() if reads(name)),
    "bfcl_multi_turn": lambda: sum(MULTI_TURN.values()),
    "bfcl_multi_turn_prompting": lambda: sum(MULTI_TURN.values()),
}
"""How many items a suite of BFCL has, without reading them."""


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """What would be asked of a suite.

    `items` of `whole` would be answered; `counted` of them bear on its first measure (of held-out rows, those
    that need a call); `detectable` is the smallest change of that rate that they show (0 to 1), with 80%
    power, if one verdict in ten differs; None while the items were not looked at. `rejected` rows of the file
    cannot be used. `obstacle` says in a sentence why it cannot be measured now; all numbers are 0 then.
    """

    suite: str
    source: Path | None = None
    items: int = 0
    whole: int = 0
    counted: int = 0
    detectable: float | None = None
    rejected: int = 0
    obstacle: str = ""

    @property
    def sentence(self) -> str:
        """How many items, and how small a change they show; or what is missing."""
        if self.obstacle:
            return self.obstacle
        if not self.whole:
            return "The items are counted when it starts."
        of = f" of {self.whole:,}" if self.items < self.whole else ""
        which = f", {self.counted:,} of which need a call" if self.counted < self.items else ""
        left_out = f", {self.rejected:,} faulty rows left out" if self.rejected else ""
        seen = ""
        if self.detectable is not None:
            seen = f"; a change below about {100 * self.detectable:.0f} points may go unseen"
        return f"{self.items:,}{of} items{which}{left_out}{seen}."


@dataclass(frozen=True, slots=True)
class SuiteItems:
    """The items of a suite, without what the model is told; `items` is None while they are only counted."""

    suite: str
    source: Path | None = None
    size: int = 0
    items: tuple[Item, ...] | None = None
    rejected: int = 0
    obstacle: str = ""

    @property
    def can_be_looked_at(self) -> bool:
        """Whether `look_at_items` tells more."""
        return self.items is None and not self.obstacle and not SUITES[self.suite].asks_itself

    def plan(self, limit: int | None = None) -> SuitePlan:
        """What would be asked of them, or of `limit` of them."""
        if self.items is None:
            asked = min(self.size, limit or self.size)
            return SuitePlan(self.suite, self.source, asked, self.size, asked, obstacle=self.obstacle)
        drawn = draw(self.items, limit, seed=0)
        counted = [item for item in drawn if item.gold] if self.suite == "heldout" else drawn
        shown = detectable_clustered([item.group for item in counted])
        return SuitePlan(self.suite, self.source, len(drawn), self.size, len(counted), shown, self.rejected)


def count_items(suite: str, source: Path | None = None) -> SuiteItems:
    """As `look_at_items`, but at once: of BFCL, whose thousands of items take seconds to read, their number
    alone."""
    size = _BFCL_SIZES.get(suite)
    if size is None:
        return look_at_items(suite, source)
    try:
        data_folder()
    except UserError as error:
        return SuiteItems(suite, obstacle=str(error))
    return SuiteItems(suite, size=size())


def look_at_items(suite: str, source: Path | None = None) -> SuiteItems:
    """Open a suite.

    Args:
        suite: a key of `SUITES`.
        source: the file or folder of its items; None for the items that come with it.
    """
    if SUITES[suite].source == "needed" and source is None:
        return SuiteItems(suite, obstacle="needs a file with its items.")
    try:
        if SUITES[suite].asks_itself:
            # Opening it loads torch, and runs what the tasks name: that is the evaluator's part.
            check_suite(suite, (), Limits(), sampled=False, endpoint=False)
            return SuiteItems(suite, source)
        task = open_suite(suite, source)
    except UserError as error:
        return SuiteItems(suite, source, obstacle=str(error))
    light = tuple(replace(item, messages=[], tools=[]) for item in task.items)
    return SuiteItems(suite, source, len(light), light, task.rejected)
