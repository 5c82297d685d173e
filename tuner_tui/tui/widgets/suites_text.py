"""The suites of a run as content: each with its primary rate by arm, what it shows, and what was kept."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.content import Content

from tuner_tui.evaluation.arms import ARM_TITLES, in_order
from tuner_tui.report.figures import kept_rows, suite_claims
from tuner_tui.report.suites import row_of
from tuner_tui.report.text import within
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.interval_bar import figures, interval_bar
from tuner_tui.tui.widgets.prose import hanging
from tuner_tui.visible import visible

_NAME, _PERCENT, _COUNT, _INTERVAL = 27, 5, 10, 8
_BESIDE = 2
"""Cells between base and tuned."""
_LEAST_BAR, _MOST_BAR = 12, 61
_KEPT_COLOURS = {"✔": "$good", "✘": "$bad", "?": "$warning"}
_SIGNS = {"better": ("✓ ", "$good"), "worse": ("✗ ", "$bad"), "no_evidence": ("◇ ", "$warning")}


def suites(found: Sequence[Mapping[str, Any]], width: int = 75, *, details: bool = False) -> Content:
    """All suites, one under the other, on lines of at most `width` cells.

    With `details` every measure, category and number, base beside tuned, and what has to be known of them;
    not of held-out rows, which have tabs of their own.
    """
    if not found:
        return Content("")
    return Content("\n\n").join(Content("\n").join(_suite(suite, width, details)) for suite in found)


def _suite(suite: Mapping[str, Any], width: int, details: bool) -> Iterator[Content]:
    primary = row_of(suite)
    yield Content.assemble(
        safe(suite["title"], "bold", one_line=True),
        (f"  {suite['items']:,} items, ", "$quiet"),
        safe(within(primary["title"]), "$quiet", one_line=True),
    ).truncate(width, ellipsis=True)
    bar = min(max(width - _NAME - _PERCENT - _COUNT - _INTERVAL - 2, _LEAST_BAR), _MOST_BAR)
    for arm in in_order(suite["arms"]):
        rate = suite["arms"][arm].get(suite["primary"])
        yield Content.assemble(
            f"  {ARM_TITLES.get(arm, arm):<{_NAME - 2}}",
            _cell(rate),
            "  ",
            interval_bar(rate, bar, "$primary" if arm == "tuned" else "$quiet"),
        )
    details = details and suite["name"] != "heldout"
    others = [row for row in suite["rows"] if row is not primary and row["tuned"]]
    if others and not details:
        also = ", ".join(f"{within(row['title'])} {figures(row['tuned'])[0]}" for row in others)
        yield _hung("  ", "", f"tuned also: {also}", width, "$quiet")
    sign = _SIGNS.get(suite["claim"]["state"], ("  ", "")) if suite["claim"] else ("  ", "")
    for sentence in suite_claims(suite):
        claimed = suite["claim"] and sentence == suite["claim"]["sentence"]
        yield _hung(*(sign if claimed else ("  ", "")), sentence, width)
    for title, change, margin, state in kept_rows(suite):
        said = f"{title}: {state[2:]}. {change}; acceptable loss {margin}"
        yield _hung(f"{state[0]} ", _KEPT_COLOURS[state[0]], said, width)
    if details:
        yield from _details(suite)
        for note in suite["notes"]:
            yield _hung("  ", "", note, width, "$quiet")


def _hung(sign: str, colour: str, text: str, width: int, style: str = "") -> Content:
    """A sentence behind a sign, its further lines under its first."""
    lines = hanging(visible(text, one_line=True), width - 2, 0).replace("\n", "\n  ")
    return Content.assemble((sign, colour), (lines, style))


def _details(suite: Mapping[str, Any]) -> Iterator[Content]:
    """Measures beside the primary one, categories, and numbers: of base and tuned, if they were measured."""
    arms = [arm for arm in ("base", "tuned") if arm in suite["arms"]]
    heads = f"{' ' * (_COUNT + _INTERVAL + _BESIDE)}".join(f"{arm:>{_PERCENT}}" for arm in arms)
    rates = [row for row in suite["rows"] if row["name"] != suite["primary"]]
    for title, rows in (("", rates), ("by category", suite["categories"]), ("means", suite["numbers"])):
        shown = [row for row in rows if _has_figures(row)]
        if shown:
            yield Content.styled(f"  {title:<{_NAME - 2}}{heads}", "$quiet")
        for row in shown:
            name = visible(str(row.get("title") or row["name"]), one_line=True, limit=_NAME - 3)
            cells = Content(" " * _BESIDE).join(_cell(row[arm]) for arm in arms)
            yield Content.assemble(f"  {name:<{_NAME - 2}}", cells)


def _has_figures(row: Mapping[str, Any]) -> bool:
    return any(rate and (rate.get("total") or rate.get("items")) for rate in (row["base"], row["tuned"]))


def _cell(rate: Mapping[str, Any] | None) -> Content:
    """A rate, or a mean, in cells of one width."""
    if rate is not None and "mean" in rate:
        low, high = rate["interval"]
        between = f"{low:.3g}–{high:.3g}"
        return Content.assemble((f"{rate['mean']:>8.3g}", "bold"), (f"{between:>15}", "$quiet"))
    percent, count, interval = figures(rate)
    return Content.assemble(
        (f"{percent:>{_PERCENT}}", "bold"),
        f"{count if interval else '':>{_COUNT}}",
        (f"{interval:>{_INTERVAL}}", "$quiet"),
    )
