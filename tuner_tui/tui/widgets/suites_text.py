"""The suites of a run as content: each with its primary rate by arm, what it shows, and what was kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from tuner_tui.evaluation.arms import ARM_TITLES, in_order
from tuner_tui.report.figures import kept_rows, suite_claims
from tuner_tui.report.text import within
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.interval_bar import figures, interval_bar

_BAR = 21
_KEPT_COLOURS = {"✔": "$good", "✘": "$bad", "?": "$warning"}
_SIGNS = {"better": ("✓ ", "$good"), "worse": ("✗ ", "$bad"), "no_evidence": ("◇ ", "$warning")}


def suites(found: Sequence[Mapping[str, Any]]) -> Content:
    """All suites, one under the other; made for 80 columns."""
    return Content("\n\n").join(_suite(suite) for suite in found)


def _suite(suite: Mapping[str, Any]) -> Content:
    row = next(each for each in suite["rows"] if each["name"] == suite["primary"])
    lines = [
        Content.assemble(
            safe(suite["title"], "bold", one_line=True),
            (f"  {suite['items']} items, ", "$quiet"),
            safe(within(row["title"]), "$quiet", one_line=True),
        )
    ]
    for arm in in_order(suite["arms"]):
        percent, count, interval = figures(suite["arms"][arm].get(suite["primary"]))
        colour = "$primary" if arm == "tuned" else "$quiet"
        lines.append(
            Content.assemble(
                f"  {ARM_TITLES[arm]:<25}",
                (f"{percent:>5}", "bold"),
                f"{count:>9}",
                (f"{interval:>8}  ", "$quiet"),
                interval_bar(suite["arms"][arm].get(suite["primary"]), _BAR, colour),
            )
        )
    if others := [each for each in suite["rows"] if each is not row and each["tuned"]]:
        also = ", ".join(f"{within(each['title'])} {_percent(each['tuned'])}" for each in others)
        lines.append(Content.assemble(("  tuned also: ", "$quiet"), safe(also, "$quiet", one_line=True)))
    sign = _SIGNS.get(suite["claim"]["state"], ("", "")) if suite["claim"] else ("", "")
    for sentence in suite_claims(suite):
        mark = sign if suite["claim"] and sentence == suite["claim"]["sentence"] else ("  ", "")
        lines.append(Content.assemble(mark, safe(sentence, one_line=True)))
    return Content("\n").join([*lines, *_kept(suite)])


def _kept(suite: Mapping[str, Any]) -> list[Content]:
    """What was kept of general ability, each with the loss that would be acceptable."""
    return [
        Content.assemble(
            (f"{state[0]} ", _KEPT_COLOURS[state[0]]),
            safe(f"{title}: {state[2:]}. {change}; acceptable loss {margin}", one_line=True),
        )
        for title, change, margin, state in kept_rows(suite)
    ]


def _percent(rate: Mapping[str, Any]) -> str:
    return "–" if rate["rate"] is None else f"{rate['rate']:.0%}"
