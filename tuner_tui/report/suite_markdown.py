"""What stands behind the figures of one suite, as Markdown: what was lost, categories, errors, changes."""

from collections.abc import Mapping
from typing import Any

from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.report import figures
from tuner_tui.report.markup import code, plain, table
from tuner_tui.report.text import number_text, said

_CHANGED = 20
"""Changed items of a suite that are shown; report.json has them all."""


def suite_section(suite: Mapping[str, Any]) -> str:
    """The section; "" when there is nothing beside the figures."""
    parts = [
        _numbers(suite),
        _categories(suite),
        _errors(suite),
        _changed(suite),
        _notes(suite),
    ]
    parts = [part for part in parts if part]
    return "\n\n".join([f"## {plain(suite['title'])}", *parts]) if parts else ""


def kept_section(suite: Mapping[str, Any]) -> str:
    """What was kept of general ability; "" of a suite that does not ask."""
    if not suite["kept"]:
        return ""
    rows = [tuple(map(plain, row)) for row in figures.kept_rows(suite)]
    said = [f"- {plain(each['sentence'])}" for each in suite["kept"]]
    return "\n".join(["### Was anything lost?", "", *table(figures.KEPT_HEADS, rows), "", *said])


def _numbers(suite: Mapping[str, Any]) -> str:
    rows = [
        (
            plain(row["title"] + (" (less is better)" if row["less_is_better"] else "")),
            number_text(row["base"]),
            number_text(row["tuned"]),
            number_text(row["change"], signed=True),
        )
        for row in suite["numbers"]
    ]
    heads = ("Mean", "Plain prompt", "Tuned", "Change")
    return "\n".join(["### Counted", "", *table(heads, rows)]) if rows else ""


def _categories(suite: Mapping[str, Any]) -> str:
    rows = [tuple(map(plain, row)) for row in figures.category_rows(suite)]
    heads = ("Category", *figures.HEADS[1:], "Claim")
    said = "Items that are right as a whole; the claim is after Holm over the categories."
    return "\n".join(["### By category", "", *table(heads, rows), "", said]) if rows else ""


def _errors(suite: Mapping[str, Any]) -> str:
    arms, errors = figures.error_rows(suite)
    if not errors:
        return ""
    heads = ("The model …", *(ARM_TITLES[arm] for arm in arms))
    rows = [
        (f"{plain(name)}: {plain(text)}" if text else plain(name), *(str(counts[arm]) for arm in arms))
        for name, text, counts in errors
    ]
    return "\n".join(["### What went wrong, in items", "", *table(heads, rows)])


def _changed(suite: Mapping[str, Any]) -> str:
    changed = suite["changed"]
    if not changed:
        return ""
    fixed, broken = figures.changed_counts(changed)
    lines = [
        f"### What changed: {fixed} fixed, {broken} broken",
        "",
        "Items whose verdict differs between the plain prompt and the tuned model, broken ones first.",
    ]
    for each in changed[:_CHANGED]:
        lines += [
            "",
            f"**{each['direction'].capitalize()}**, item {code(each['id'])}: {code(each['request'])}",
            "",
            *([f"- right: {code(right)}"] if (right := figures.right_text(each)) is not None else []),
            f"- before: {code(said(each['before']))}{_kind(each['before'])}",
            f"- after: {code(said(each['after']))}{_kind(each['after'])}",
        ]
    if len(changed) > _CHANGED:
        lines += ["", f"{len(changed) - _CHANGED} more are in report.json."]
    return "\n".join(lines)


def _kind(side: Mapping[str, Any]) -> str:
    return f" ({plain(side['error'].replace('_', ' '))})" if side["error"] else ""


def _notes(suite: Mapping[str, Any]) -> str:
    notes = [f"- {plain(note)}" for note in figures.suite_notes(suite)]
    return "\n".join(["### To know about these figures", "", *notes]) if notes else ""
