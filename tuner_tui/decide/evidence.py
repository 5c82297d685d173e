"""What several ways of asking one model reached on the same items, read from a `summary.json`. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner_tui.decide.baseline import ENOUGH, Measured

FORM = ("unparsable_call", "invented_tool", "unknown_argument", "wrong_type")
"""Error types that the schema of a tool tells: a call that no parser reads, a tool or an argument that nobody
offered, a value of the wrong type. Constrained decoding makes them impossible. Missing arguments are not
among them: most are optional ones that the request asked for, which no schema tells."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What one arm reached: items that are right as a whole, right calls, requests kept without a call, and
    items by error type."""

    arm: str
    right: Measured
    full_match: Measured | None
    no_call: Measured | None
    errors: Mapping[str, int]

    @property
    def enough(self) -> bool:
        """Right often enough, with calls and without."""
        asked = [each for each in (self.full_match, self.no_call) if each is not None]
        return all(each.rate >= ENOUGH for each in asked)

    @property
    def form(self) -> int:
        """Items that are wrong in form."""
        return sum(count for error, count in self.errors.items() if error in FORM)

    @property
    def meaning(self) -> int:
        """Items that are wrong in meaning."""
        return self.right.total - self.right.count - self.form

    @property
    def constrained(self) -> bool:
        return self.arm in ("constrained", "tuned_constrained") or self.arm.endswith("+constrained")

    @property
    def tuned(self) -> bool:
        return self.arm.startswith("tuned")

    @property
    def retrieved(self) -> bool:
        return self.arm.startswith("retrieved")


@dataclass(frozen=True, slots=True)
class Evidence:
    """All arms by name, in order, and what is known beside them.

    `rows` is the number of sound training rows, None when no file was named; `answers` go to the choice of
    the method (see `methods.choose_method`); `gain` is the paired difference of the tuned model against the
    best that needs no training, in items that are right, as `compare.difference` gives it.
    """

    arms: Mapping[str, Reached]
    rows: int | None = None
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gain: Mapping[str, Any] | None = None

    def best(self, keep: Callable[[Reached], bool]) -> Reached | None:
        """The arm that answers most items rightly; of equals, the first."""
        return max(filter(keep, self.arms.values()), key=lambda each: each.right.count, default=None)

    @property
    def prompt(self) -> Reached | None:
        """The best fixed prompt, unconstrained."""
        return self.best(lambda each: not (each.tuned or each.constrained or each.retrieved))

    @property
    def retrieved(self) -> Reached | None:
        """The best prompt with retrieved rows, unconstrained."""
        return self.best(lambda each: each.retrieved and not each.constrained)

    @property
    def constrained(self) -> Reached | None:
        """The best untrained arm with constrained decoding."""
        return self.best(lambda each: each.constrained and not each.tuned)

    @property
    def untrained(self) -> Reached | None:
        """The best that needs no training."""
        return self.best(lambda each: not each.tuned)

    @property
    def tuned(self) -> Reached | None:
        """The tuned model, unconstrained."""
        return self.arms.get("tuned")


def read_evidence(
    summary: Mapping[str, Any],
    rows: int | None = None,
    answers: Mapping[str, tuple[str, ...]] | None = None,
    gain: Mapping[str, Any] | None = None,
) -> Evidence | None:
    """The evidence in a `summary.json`; None when no prompt was measured on any item."""
    arms = {}
    for arm, outcome in summary["arms"].items():
        right = _measured(outcome.get("right") or _right(outcome))
        if right is not None:
            arms[arm] = Reached(
                arm,
                right,
                _measured(outcome.get("full_match")),
                _measured(outcome.get("no_call")),
                outcome.get("errors", {}),
            )
    evidence = Evidence(arms, rows, answers or {}, gain)
    return evidence if evidence.prompt is not None else None


def best_prompt(evidence: Evidence) -> str:
    """The arm to constrain: the best prompt, retrieved or not."""
    found = evidence.best(lambda each: not each.tuned and not each.constrained)
    assert found is not None, "evidence has a prompt"
    return found.arm


def left_to_gain(evidence: Evidence) -> list[dict[str, Any]]:
    """Error types with the items of each arm: what a better prompt, a grammar or training could still win.

    Returns:
        `{"error", "kind": "form" or "meaning", "items": {arm: count}}`, form first.
    """
    errors = dict.fromkeys(error for each in evidence.arms.values() for error in each.errors)
    found = [
        {
            "error": error,
            "kind": "form" if error in FORM else "meaning",
            "items": {arm: each.errors.get(error, 0) for arm, each in evidence.arms.items()},
        }
        for error in errors
    ]
    return sorted(found, key=lambda each: each["kind"] != "form")


def _right(outcome: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Right as a whole, of a summary that does not have it: calls and requests without one together. The
    interval is left open, as it cannot be told here."""
    asked = [each for name in ("full_match", "no_call") if (each := outcome.get(name))]
    count, total = (sum(each[key] for each in asked) for key in ("count", "total"))
    return {"count": count, "total": total, "interval": [0.0, 1.0]} if total else None


def _measured(rate: Mapping[str, Any] | None) -> Measured | None:
    if not rate or not rate["total"]:
        return None
    return Measured(rate["count"], rate["total"], *rate["interval"])
