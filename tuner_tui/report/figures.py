"""The suites of a report in words, for every rendering alike: rows of tables, and sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from tuner_tui.evaluation.arms import ARM_TITLES, in_order, is_tuned
from tuner_tui.report.suites import overlapping, row_of
from tuner_tui.report.text import percent, points, said

HEADS = ("Measure", "Plain prompt", "Best prompt", "Tuned", "Change")
"""Of the rows that `figure_rows` gives."""
KEPT_HEADS = ("General ability", "Change", "Acceptable loss", "")
"""Of the rows that `kept_rows` gives."""
READING = (
    "In brackets: the 95% interval (Wilson; of a change, the paired bootstrap). Change: percentage points, "
    "tuned against the best prompt, or against the plain one where no other was asked. The first measure of "
    "each suite is tested: exact McNemar, and Holm where there are several suites."
)
CHECK_TITLES = {
    "convergence": "Convergence",
    "overfitting": "Overfitting",
    "under_training": "Under-training",
    "instability": "Instability",
}
CHECK_SIGNS = {"good": "✔", "bad": "✘", "unknown": "?"}
_KEPT_WORDS = {"kept": "✔ kept", "lost": "✘ lost", "undecided": "? not known"}


def figure_rows(suite: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row for each measure of a suite, under HEADS, the one that counts most first. The best prompt is a
    dash where the plain one alone was asked."""
    several = asked_in_several_ways(suite)
    return [
        (
            row["title"],
            rate_text(row["base"]),
            rate_text((row["best"] or row["base"]) if several else None),
            rate_text(row["tuned"]),
            change_text(row["change_best"] or row["change"]),
        )
        for row in sorted(suite["rows"], key=lambda row: row["name"] != suite["primary"])
    ]


def asked_in_several_ways(suite: Mapping[str, Any]) -> bool:
    """Whether the base model was asked with another prompt than the plain one."""
    return any(not is_tuned(arm) and arm != "base" for arm in suite["arms"])


def suite_heading(suite: Mapping[str, Any]) -> str:
    """`Held-out rows: 48 items; best prompt: instruction`."""
    best = suite["best_prompt"]
    named = f"; best prompt: {ARM_TITLES[best].lower()}" if best and asked_in_several_ways(suite) else ""
    return f"{suite['title']}: {suite['items']:,} items{named}"


def other_arms(suite: Mapping[str, Any]) -> str:
    """The arms that no column shows, by the measure that counts most; "" when there are none."""
    shown = {"base", suite["best_prompt"], "tuned"}
    others = [
        f"{ARM_TITLES[arm]} {rate_text(suite['arms'][arm].get(suite['primary']))}"
        for arm in in_order(suite["arms"])
        if arm not in shown
    ]
    return f"{row_of(suite)['title']}, asked otherwise: {'; '.join(others)}" if others else ""


def claims(report: Mapping[str, Any]) -> list[str]:
    """What each suite shows, after whether its items are in the training data; and what was not measured."""
    return [text for _, text in claim_notes(report)]


def claim_notes(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """`claims`, each with its kind: good, bad, warn or quiet. Suites that have nothing in common with the
    training data share a sentence, if there are several."""
    suites = report["suites"]
    clean = [suite["title"] for suite in suites if suite["overlap"] and not overlapping(suite)]
    notes = []
    if len(clean) > 1:
        notes.append(
            ("quiet", f"No item is in the training data, exactly or nearly, of: {'; '.join(clean)}.")
        )
    for suite in suites:
        claim = suite["claim"]
        if suite["overlap"] and (overlapping(suite) or len(clean) == 1):
            kind = "warn" if overlapping(suite) else "quiet"
            notes.append((kind, f"{suite['title']}: {suite['overlap']['sentence']}"))
        if claim:
            kind = (
                {"better": "good", "worse": "bad"}.get(claim["state"], "warn") if claim["stands"] else "warn"
            )
            notes.append((kind, f"{suite['title']}: {claim['sentence']}"))
    if unchecked := [suite["title"] for suite in suites if suite["claim"] and not suite["overlap"]]:
        notes.append(("quiet", f"Not looked for in the training data: the items of {'; '.join(unchecked)}."))
    if report["not_measured"]:
        missing = "; ".join(each["title"] for each in report["not_measured"])
        notes.append(("quiet", f"Not measured: {missing}. This report says nothing about these."))
    return notes


def suite_notes(suite: Mapping[str, Any]) -> list[str]:
    """What a reader has to know about the figures of a suite."""
    notes = [*suite["notes"]]
    if suite["overlap"]:
        notes.append(str(suite["overlap"]["sentence"]))
    if suite["rejected"]:
        notes.append(f"{suite['rejected']} rows could not be used.")
    return notes


def suite_claims(suite: Mapping[str, Any]) -> list[str]:
    """Of one suite: the overlap with the training data, then what it shows."""
    said = [str(suite["overlap"]["sentence"])] if suite["overlap"] else []
    return [*said, suite["claim"]["sentence"]] if suite["claim"] else said


def kept_rows(suite: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What was kept of general ability, by non-inferiority: a row for each measure, under KEPT_HEADS."""
    rows: list[tuple[str, ...]] = []
    for each in suite["kept"]:
        scale, form, unit = (
            (1.0, ".3f", "bits per byte") if each["measure"] == "bits_per_byte" else (100.0, ".0f", "points")
        )
        interval = each.get("interval")
        ends = f" [{scale * interval[0]:+{form}} to {scale * interval[1]:+{form}}]" if interval else ""
        rows.append(
            (
                each["title"],
                f"{scale * each['delta']:+{form}}{ends}",
                f"{scale * each['margin']:{form}} {unit}",
                _KEPT_WORDS[each["state"]],
            )
        )
    return rows


def general_ability(suites: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """In a word, what became of general ability; and of how many measures that is said."""
    states = [each["state"] for suite in suites for each in suite["kept"]]
    for state, word in (("lost", "lost"), ("undecided", "not known"), ("kept", "kept")):
        if state in states:
            return word, f"{states.count(state)} of {len(states)} measures"
    return "not measured", "suite general"


def check_rows(training: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """The four questions about training as (sign, question, answer, rule)."""
    return [
        (CHECK_SIGNS[each["state"]], CHECK_TITLES[each["name"]], each["sentence"], each["rule"])
        for each in training["checks"]
    ]


def category_rows(suite: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """(category, plain prompt, best prompt, tuned, change, what it lets one claim)."""
    return [
        (
            row["name"].replace("_", " "),
            rate_text(row["base"]),
            rate_text((row["best"] or row["base"]) if asked_in_several_ways(suite) else None),
            rate_text(row["tuned"]),
            change_text(row["change"]),
            row["claim"]["state"].replace("_", " ") if row["claim"] else "–",
        )
        for row in suite["categories"]
    ]


def error_rows(suite: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, str, dict[str, int]]]]:
    """The arms, and each error type that occurs as (name, what the model did, items by arm)."""
    return in_order(suite["arms"]), [
        (each["name"].replace("_", " "), each["text"], each["counts"]) for each in suite["errors"]
    ]


def right_text(item: Mapping[str, Any]) -> str | None:
    """What would have been right for a changed item, if its suite says so in calls."""
    return None if item["gold"] is None else said({"calls": item["gold"], "text": "no call"})


def changed_counts(changed: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """How many items were fixed, and how many broken."""
    fixed = sum(each["direction"] == "fixed" for each in changed)
    return fixed, len(changed) - fixed


def rate_text(rate: Mapping[str, Any] | None) -> str:
    """`95% [87–98]`; a dash where nothing was measured."""
    return percent(rate) if rate else "–"  # type: ignore[arg-type]


def change_text(change: Mapping[str, Any] | None) -> str:
    """`+48 [+33 to +60]` in percentage points; a dash where nothing is compared."""
    if not change or not change["pairs"]:
        return "–"
    low, high = change["interval"]
    return f"{points(change['delta'])} [{points(low)} to {points(high)}]"
