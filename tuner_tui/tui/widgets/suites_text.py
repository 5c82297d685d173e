"""The suites of a run as content: each with its primary rate by arm, what it shows, and what was kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from tuner_tui.evaluation.arms import ARM_TITLES, in_order
from tuner_tui.report.suite_text import suite_sentences
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.interval_bar import figures, interval_bar

_BAR = 25
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
            safe(row["title"].lower(), "$quiet", one_line=True),
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
    sign = _SIGNS.get(suite["claim"]["state"], ("", "")) if suite["claim"] else ("", "")
    for sentence in suite_sentences(suite):
        mark = sign if suite["claim"] and sentence == suite["claim"]["sentence"] else ("  ", "")
        lines.append(Content.assemble(mark, safe(sentence, one_line=True)))
    return Content("\n").join(lines)
