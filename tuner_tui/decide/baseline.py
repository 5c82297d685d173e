"""What prompting alone reaches, read from a measured evaluation (`summary.json`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# From this share of right answers on, the failures that are left are too few to pay for a training run.
ENOUGH = 0.90
# With fewer items a 95% interval is wider than ±14 points: too wide to call a failure consistent.
FEW_ITEMS = 50

# The arms that change nothing but the prompt, from the plainest to the longest.
PROMPT_ARMS = {
    "base": "the plain one",
    "instruction": "an instruction",
    "examples": "an instruction with examples",
    "retrieved": "an instruction with retrieved examples",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One rate: `count` of `total`, and its 95% interval; `total` is at least 1."""

    count: int
    total: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.count / self.total

    def __str__(self) -> str:
        return f"{self.rate:.0%} [{100 * self.low:.0f}–{100 * self.high:.0f}]"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The best prompt that was measured: its arm, its right calls, and the requests it kept without a
    call."""

    arm: str
    full_match: Measured
    no_call: Measured | None

    @property
    def prompt(self) -> str:
        """The best prompt's name for a person."""
        return PROMPT_ARMS[self.arm]

    @property
    def items(self) -> int:
        return self.full_match.total + (self.no_call.total if self.no_call else 0)

    @property
    def right(self) -> float:
        """The share of all items, with and without a call, that the best prompt answers rightly."""
        kept = self.no_call.count if self.no_call else 0
        return (self.full_match.count + kept) / self.items


def read_baseline(summary: Mapping[str, Any]) -> Baseline | None:
    """The best prompt arm of a `summary.json` (or of its "arms"); None without a measured prompt.

    The best arm answers the largest share of all items rightly; of equals, the plainer prompt.
    """
    arms = summary.get("arms", summary)
    best: Baseline | None = None
    for arm in PROMPT_ARMS:
        outcome = arms.get(arm)
        full_match = _measured(outcome.get("full_match")) if outcome else None
        if full_match is None:
            continue
        candidate = Baseline(arm, full_match, _measured(outcome.get("no_call")))
        if best is None or candidate.right > best.right:
            best = candidate
    return best


def few_items(baseline: Baseline) -> list[str]:
    """A sentence of caution where too few items were measured, else nothing."""
    if baseline.items >= FEW_ITEMS:
        return []
    return [
        f"Only {baseline.items} items were measured: the interval is wide, so add items before you rely on "
        "it."
    ]


def _measured(rate: Mapping[str, Any] | None) -> Measured | None:
    if not rate or not rate["total"]:
        return None
    low, high = rate["interval"]
    return Measured(rate["count"], rate["total"], low, high)
