"""The evaluations of a run -> one section for each suite, as data. Reads `eval/*/summary.json` and items."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner_tui.data.answers.scoring import ERROR_TYPES
from tuner_tui.evaluation.arms import in_order
from tuner_tui.evaluation.compare import changed_items, difference
from tuner_tui.evaluation.progress import load_items, load_summary, read_progress
from tuner_tui.evaluation.statistics import holm
from tuner_tui.evaluation.suites import SUITES
from tuner_tui.evaluation.tasks import FUNCTION_CALLING
from tuner_tui.report.claims import claim, survives_overlap
from tuner_tui.report.numbers import number_rows
from tuner_tui.runs import layout

GENERAL = "general"
"""The suite that asks what was lost, not what was gained."""


def read_suites(run_dir: Path) -> list[dict[str, Any]]:
    """A section for each suite that has figures, the user's own rows first.

    Keys of a section: `name`, `title`, `items`, `rejected`, `source`, `model`, `folder`, `state`, `arms`;
    `primary` (the measure that counts most) and `rows`, a measure each: `name`, `title`, `help`, `base`,
    `best`, `tuned` (rates or None), `change`, `change_best` (a Difference or None); `best_prompt`,
    `reference` (the arm that the claim compares with); `claim` (see `claims.claim`, and `stands`: whether a
    gain is more than the items that are in the training data; None when nothing is compared);
    `categories`, `numbers`, `errors`, `changed`, `overlap`, `detectable`, `notes`, `seconds`, `tokens`,
    `settings`, `versions`; `kept` (a `Kept` for each figure of general ability; [] elsewhere).
    """
    folders = [path.parent for path in sorted((run_dir / layout.EVALUATIONS).glob("*/summary.json"))]
    order = {name: place for place, name in enumerate(SUITES)}
    folders.sort(key=lambda folder: (order.get(folder.name, len(order)), folder.name))
    suites = [found for folder in folders if (found := read_suite(folder)) is not None]
    _correct(suites)
    return suites


def not_measured(suites: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The suites of which the tuned model has no figures: what the report cannot speak of."""
    measured = {suite["name"] for suite in suites if "tuned" in suite["arms"]}
    return [{"name": name, "title": suite.title} for name, suite in SUITES.items() if name not in measured]


def primary_suite(suites: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The suite that a verdict rests on: the first that compares and does not ask for general ability."""
    asked = [suite for suite in suites if suite["name"] != GENERAL and suite["arms"]]
    return next((suite for suite in asked if suite["claim"]), next(iter(asked), None))


def row_of(suite: Mapping[str, Any], measure: str | None = None) -> Mapping[str, Any]:
    """The row of a measure; of the primary one by default."""
    wanted = measure or suite["primary"]
    return next(row for row in suite["rows"] if row["name"] == wanted)


def overlapping(suite: Mapping[str, Any]) -> int:
    """Items of a suite that are in the training data too, exactly or nearly; 0 where nobody looked."""
    found = suite["overlap"] or {}
    return int(found.get("exact") or 0) + int(found.get("near") or 0)


def read_suite(folder: Path) -> dict[str, Any] | None:
    """One section, still without the correction for several suites; None when it has no figures."""
    summary = load_summary(folder)
    if summary is None or not summary.get("arms"):
        return None
    raw: Mapping[str, Any] = summary
    items = {arm: load_items(folder, arm) for arm in raw["arms"]}
    best = raw.get("best_prompt")
    name = str(raw.get("suite") or folder.name)
    measures = _measures(raw)
    rows = [_row(raw, measure, best) for measure in measures]
    suite: dict[str, Any] = {
        "name": name,
        "title": str(raw.get("title") or SUITES[name].title if name in SUITES else name),
        "items": raw["items"],
        "rejected": raw.get("rejected", 0),
        "source": raw.get("heldout"),
        "model": raw.get("model"),
        "folder": str(folder),
        "state": str(read_progress(folder).state),
        "arms": raw["arms"],
        "best_prompt": best,
        "reference": best if best in items and "tuned" in items else None,
        "primary": measures[0]["name"],
        "rows": rows,
        "claim": None,
        "categories": _categories(raw, items, best),
        "numbers": number_rows(raw.get("numbers") or {}, items, best),
        "errors": _errors(raw),
        "changed": _changed(items, {measure["name"] for measure in measures}),
        "overlap": raw.get("overlap"),
        "detectable": raw.get("detectable"),
        "notes": list(raw.get("notes") or ()),
        "seconds": raw.get("seconds") or {},
        "tokens": {arm: sum(int(item.get("tokens") or 0) for item in found) for arm, found in items.items()},
        "settings": raw.get("settings") or {},
        "versions": raw.get("versions") or {},
        "kept": list(raw.get("regression") or ()),
    }
    return suite


def _changed(items: Mapping[str, list[dict[str, Any]]], measures: set[str]) -> list[dict[str, Any]]:
    """What changed between the plain prompt and the tuned model, reduced to what a reader compares. `gold` is
    None where the suite does not ask for calls."""
    if not {"base", "tuned"} <= items.keys():
        return []

    def side(item: dict[str, Any]) -> dict[str, Any]:
        return {"text": item.get("text") or "", "calls": item.get("calls") or [], "error": item.get("error")}

    return [
        {
            "id": each.id,
            "direction": each.direction,
            "request": each.request,
            "gold": each.gold if each.gold or "call_or_no_call" in measures else None,
            "before": side(each.before),
            "after": side(each.after),
        }
        for each in changed_items(items["base"], items["tuned"])
    ]


def _measures(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    given = summary.get("measures") or [
        {"name": each.name, "title": each.title, "help": each.help} for each in FUNCTION_CALLING
    ]
    return [
        {"name": m["name"], "title": m.get("title") or m["name"], "help": m.get("help") or ""} for m in given
    ]


def _row(summary: Mapping[str, Any], measure: Mapping[str, str], best: str | None) -> dict[str, Any]:
    name, arms = measure["name"], summary["arms"]

    def of(arm: str | None) -> Any:
        return arms[arm].get(name) if arm in arms else None

    return {
        **measure,
        "base": of("base"),
        "best": of(best) if best != "base" else None,
        "tuned": of("tuned"),
        "change": (summary.get("comparison") or {}).get(name),
        "change_best": (summary.get("comparison_best") or {}).get(name),
    }


def _errors(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Error types that occur, in the suite's order: `name`, `text`, and `counts` by arm."""
    known = {**ERROR_TYPES, **(summary.get("error_types") or {})}
    arms = in_order(summary["arms"])
    counted = {arm: summary["arms"][arm].get("errors") or {} for arm in arms}
    occur = [name for name in known if any(counted[arm].get(name) for arm in arms)]
    occur += sorted({name for arm in arms for name in counted[arm]} - set(known))
    return [
        {
            "name": name,
            "text": known.get(name, ""),
            "counts": {arm: counted[arm].get(name, 0) for arm in arms},
        }
        for name in occur
    ]


def _categories(
    summary: Mapping[str, Any], items: Mapping[str, list[dict[str, Any]]], best: str | None
) -> list[dict[str, Any]]:
    """Rates of each category, and its difference from the best prompt with Holm's correction over them."""
    given = summary.get("categories") or {}
    names = list(dict.fromkeys(name for arm in in_order(given) for name in given.get(arm, {})))
    found = []
    for name in names:
        change = None
        if best in items and "tuned" in items:
            before, after = (
                [item for item in items[arm] if item.get("category") == name] for arm in (str(best), "tuned")
            )
            change = difference(before, after, "right", (str(best), "tuned")) if before and after else None
        found.append(
            {
                "name": name,
                "base": given.get("base", {}).get(name),
                "best": given.get(best, {}).get(name) if best != "base" else None,
                "tuned": given.get("tuned", {}).get(name),
                "change": change,
                "claim": None,
            }
        )
    compared = [each for each in found if each["change"]]
    for each, adjusted in zip(compared, holm([e["change"]["p_value"] for e in compared]), strict=True):
        each["claim"] = claim(each["change"], adjusted, len(compared))
    return found


def _correct(suites: Sequence[dict[str, Any]]) -> None:
    """Give each suite its claim: the primary measure against the best prompt, Holm over the suites."""
    asked = [
        (suite, change)
        for suite in suites
        if suite["name"] != GENERAL and (change := row_of(suite)["change_best"] or row_of(suite)["change"])
    ]
    for (suite, change), adjusted in zip(asked, holm([c["p_value"] for _, c in asked]), strict=True):
        found = claim(change, adjusted, len(asked))
        both = overlapping(suite)
        found["stands"] = found["state"] != "better" or not both or survives_overlap(change, both)
        if not found["stands"]:
            found["sentence"] += f" Without the {both} items that are in the training data it does not stand."
        suite["claim"] = found
