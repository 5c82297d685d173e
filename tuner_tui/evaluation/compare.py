"""Stored items -> the outcome of an arm, and what changed between two arms on the same items."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from tuner_tui.data.answers.scoring import ERROR_TYPES
from tuner_tui.evaluation.arms import in_order, is_tuned, split
from tuner_tui.evaluation.lines import UNJUDGED
from tuner_tui.evaluation.shapes import CategoryDifference, Difference, Outcome, Rate
from tuner_tui.evaluation.statistics import bootstrap_difference, holm, mcnemar, rate
from tuner_tui.evaluation.tasks import FUNCTION_CALLING

MEASURES = tuple(measure.name for measure in FUNCTION_CALLING)
"""The rates of suites that compare calls with gold calls, the one that counts most first."""

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changed:
    """An item that is right in one arm and wrong in the other; `before` and `after` are its "
    "stored lines."""

    id: str
    request: str
    gold: list[dict[str, Any]]
    before: dict[str, Any]
    after: dict[str, Any]
    direction: Literal["fixed", "broken"]


def outcome(
    items: Sequence[Item], measures: Sequence[str] = MEASURES, error_types: Iterable[str] = ERROR_TYPES
) -> Outcome:
    """The rates of one arm from its stored items.

    Args:
        items: the stored lines.
        measures: the names of the suite's measures.
        error_types: in the order in which they are listed; others come after them.
    """
    verdicts = [item["verdict"] for item in items if item["error"] not in UNJUDGED]

    def of(measure: str) -> Rate:
        asked = [verdict[measure] for verdict in verdicts if verdict.get(measure) is not None]
        return rate(sum(asked), len(asked))

    errors = Counter(item["error"] for item in items if item["error"])
    order = [*error_types, *sorted(errors.keys() - set(error_types))]
    found: dict[str, Any] = {
        "items": len(items),
        "right": of("right"),
        **{measure: of(measure) for measure in measures},
        "errors": {type: errors[type] for type in order if errors[type]},
    }
    return cast("Outcome", found)


def by_category(items: Sequence[Item]) -> dict[str, Rate]:
    """The items that are right as a whole, by category, in the order in which the categories come."""
    judged = [item for item in items if item["error"] not in UNJUDGED and item.get("category")]
    totals = Counter(item["category"] for item in judged)
    right = Counter(item["category"] for item in judged if item["verdict"]["right"])
    return {category: rate(right[category], total) for category, total in totals.items()}


def best_prompt(arms: Mapping[str, Outcome]) -> str | None:
    """The prompt arm that answers most items rightly, with calls and without; of equals the "
    "plainer."""
    measured = [arm for arm in in_order(arms) if not is_tuned(arm) and not split(arm)[1]]
    return max(measured, key=lambda arm: arms[arm]["right"]["count"], default=None)


def difference(
    base: Sequence[Item], tuned: Sequence[Item], measure: str, names: tuple[str, str]
) -> Difference:
    """Compare one measure on the items that both arms answered and that it applies to; items of one group are
    drawn together."""
    before, after, groups = [], [], []
    answered = {item["id"]: item["verdict"].get(measure) for item in tuned}
    for item in base:
        was, now = item["verdict"].get(measure), answered.get(item["id"])
        if was is not None and now is not None:
            before.append(bool(was))
            after.append(bool(now))
            groups.append(str(item.get("group") or ""))
    fixed = sum(not was and now for was, now in zip(before, after, strict=True))
    broken = sum(was and not now for was, now in zip(before, after, strict=True))
    low, high = bootstrap_difference(before, after, groups=groups)
    return {
        "measure": measure,
        "base": names[0],
        "tuned": names[1],
        "pairs": len(before),
        "delta": round((fixed - broken) / len(before), 4) if before else 0.0,
        "interval": [round(low, 4), round(high, 4)],
        "p_value": mcnemar(fixed, broken),
        "fixed": fixed,
        "broken": broken,
    }


def by_category_difference(
    base: Sequence[Item], tuned: Sequence[Item], names: tuple[str, str]
) -> dict[str, CategoryDifference]:
    """The change of each category's rate of right items, with p-values adjusted for their number (Holm)."""
    parts: dict[str, list[Item]] = {}
    for item in base:
        if item.get("category") and item["error"] not in UNJUDGED:
            parts.setdefault(item["category"], []).append(item)
    judged = [item for item in tuned if item["error"] not in UNJUDGED]
    found = {category: difference(part, judged, "right", names) for category, part in parts.items()}
    adjusted = holm([each["p_value"] for each in found.values()])
    return {
        category: cast("CategoryDifference", {**each, "p_holm": p})
        for (category, each), p in zip(found.items(), adjusted, strict=True)
    }


def changed_items(base: Sequence[Item], tuned: Sequence[Item]) -> list[Changed]:
    """The items whose verdict as a whole changed: the broken ones first, each in the file's
    order. What was not judged in one of the arms has no verdict that could change."""
    after = {item["id"]: item for item in tuned if item["error"] not in UNJUDGED}
    changed = [
        Changed(
            id=item["id"],
            request=item["request"],
            gold=list(item["gold"]),
            before=dict(item),
            after=dict(after[item["id"]]),
            direction="broken" if item["verdict"]["right"] else "fixed",
        )
        for item in base
        if item["id"] in after
        and item["error"] not in UNJUDGED
        and item["verdict"]["right"] != after[item["id"]]["verdict"]["right"]
    ]
    return sorted(changed, key=lambda each: each.direction != "broken")
