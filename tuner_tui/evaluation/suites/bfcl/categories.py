"""The categories of BFCL V4's single turn, and the official way to put them together."""

from collections.abc import Mapping
from enum import Enum

from tuner_tui.evaluation.shapes import Rate


class Kind(Enum):
    """What a category asks: a call, to be compared with an answer; no call; any call at all."""

    CALL = "call"
    NO_CALL = "no call"
    ANY_CALL = "any call"


SINGLE_TURN = {
    "simple_python": (400, Kind.CALL),
    "simple_java": (100, Kind.CALL),
    "simple_javascript": (50, Kind.CALL),
    "multiple": (200, Kind.CALL),
    "parallel": (200, Kind.CALL),
    "parallel_multiple": (200, Kind.CALL),
    "irrelevance": (240, Kind.NO_CALL),
    "live_simple": (258, Kind.CALL),
    "live_multiple": (1053, Kind.CALL),
    "live_parallel": (16, Kind.CALL),
    "live_parallel_multiple": (24, Kind.CALL),
    "live_irrelevance": (884, Kind.NO_CALL),
    "live_relevance": (16, Kind.ANY_CALL),
}
"""Category -> its items, and what it asks (bfcl_eval/constants/category_mapping.py)."""

_SIMPLE = ("simple_python", "simple_java", "simple_javascript")
_LIVE = ("live_simple", "live_multiple", "live_parallel", "live_parallel_multiple")


def official_groups(counts: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """The official accuracy of each group of which every item was run: "non_live", "live", "irrelevance".

    Non-live is the mean of simple (itself the mean of three languages), multiple, parallel and parallel
    multiple; live is weighted by items; irrelevance is the mean of its two categories
    (bfcl_eval/eval_checker/eval_runner_helper.py). There is no overall figure: it takes multi-turn and
    agentic categories, and counts as 0 what was not run.

    Args:
        counts: category -> (right, answered).
    """
    rates = {
        name: right / total
        for name, (right, total) in counts.items()
        if name in SINGLE_TURN and total == SINGLE_TURN[name][0]
    }
    groups: dict[str, float] = {}
    if all(name in rates for name in (*_SIMPLE, "multiple", "parallel", "parallel_multiple")):
        simple = sum(rates[name] for name in _SIMPLE) / 3
        groups["non_live"] = (simple + rates["multiple"] + rates["parallel"] + rates["parallel_multiple"]) / 4
    if all(name in rates for name in _LIVE):
        groups["live"] = sum(counts[name][0] for name in _LIVE) / sum(counts[name][1] for name in _LIVE)
    if "irrelevance" in rates and "live_irrelevance" in rates:
        groups["irrelevance"] = (rates["irrelevance"] + rates["live_irrelevance"]) / 2
    return groups


_TITLES = {"non_live": "non-live", "live": "live", "irrelevance": "irrelevance"}


def group_sentences(arms: Mapping[str, Mapping[str, Rate]]) -> list[str]:
    """A sentence for each arm with the official accuracy of the groups that are complete; none for a subset.

    Args:
        arms: arm -> category -> the rate of right items.
    """
    sentences = []
    for arm, categories in arms.items():
        counts = {name: (each["count"], each["total"]) for name, each in categories.items()}
        groups = official_groups(counts)
        if groups:
            told = ", ".join(f"{_TITLES[name]} {100 * value:.2f}%" for name, value in groups.items())
            sentences.append(f"BFCL V4, put together as officially ({arm}): {told}.")
    return sentences
