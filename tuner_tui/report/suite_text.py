"""The suites of a report in words, for the terminal and Markdown alike: rows of a table, and sentences."""

from collections.abc import Mapping
from typing import Any

from tuner_tui.report.suites import row_of
from tuner_tui.report.text import p_cell, percent, points, seconds

HEADS = ("Suite", "Items", "Base", "Best prompt", "Tuned", "Change", "p")


def headline_rows(report: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row for each suite by its primary measure, under HEADS; the change is in percentage points."""
    rows: list[tuple[str, ...]] = []
    for suite in report["suites"]:
        row = row_of(suite)
        change, claim = row["change_best"] or row["change"], suite["claim"]
        rows.append(
            (
                f"{suite['title']}: {row['title'].lower()}",
                str(suite["items"]),
                _rate(row["base"]),
                _rate(row["best"] or row["base"]),
                _rate(row["tuned"]),
                points(change["delta"]) if change else "–",
                p_cell(claim["p_holm"]) if claim else "–",
            )
        )
    return rows


def sentences(report: Mapping[str, Any]) -> list[str]:
    """What each suite shows, whether its items overlap with the training data (said first), what was kept of
    general ability, and what was not measured."""
    said = [
        f"{suite['title']}: {sentence}" for suite in report["suites"] for sentence in suite_sentences(suite)
    ]
    if any(suite["claim"] and not suite["overlap"] for suite in report["suites"]):
        said.append("Whether the items of these suites are in the training data too was not checked.")
    if report["not_measured"]:
        said.append(f"Not measured: {'; '.join(each['title'] for each in report['not_measured'])}.")
    return said


def suite_sentences(suite: Mapping[str, Any]) -> list[str]:
    """Of one suite: the overlap with the training data, what it shows, and what was kept."""
    said = [str(suite["overlap"]["sentence"])] if suite["overlap"] else []
    if suite["claim"]:
        said.append(suite["claim"]["sentence"])
    return said + [each["sentence"] for each in suite["kept"]]


def cost_sentence(report: Mapping[str, Any]) -> str:
    """What training and evaluation took, as far as it was recorded."""
    cost = report["cost"]
    parts = [f"training {seconds(cost['training_seconds'])}"]
    if cost["tokens"]:
        parts.append(f"{cost['tokens']:,.0f} tokens")
    if cost["peak_memory"]:
        parts.append(f"{cost['peak_memory'] / 1e9:.2f} GB of memory at most")
    if cost["evaluation_seconds"] is not None:
        parts.append(f"answering {seconds(cost['evaluation_seconds'])}, {cost['answer_tokens']:,} tokens")
    parts.append(f"GPU: {cost['gpu'] or 'none recorded'}")
    return f"{', '.join(parts)}; energy was not measured."


def _rate(rate: Mapping[str, Any] | None) -> str:
    return percent(rate) if rate else "–"  # type: ignore[arg-type]
