"""One rate as a whisker on a ruler from 0 to 100 %, drawn in characters.

The point is the rate, the whiskers are its 95 % interval (Wilson, computed by the evaluation). Bars
of equal width lie on the same ruler, so two rates whose whiskers do not meet are seen to differ.
"""

from collections.abc import Mapping
from typing import Any

from textual.content import Content

POINT, LINE, LEFT, RIGHT, GRID = "●", "─", "├", "┤", "·"


def interval_bar(rate: Mapping[str, Any] | None, width: int, style: str = "") -> Content:
    """Draw `rate` in exactly `width` cells; a rate over no items leaves the ruler empty.

    `rate` has the shape of the evaluation: `{"count", "total", "rate", "interval": [low, high]}`,
    fractions of 1. `style` colours the point and its whiskers; the ruler is dim.
    """
    width = max(width, 5)
    cells = [" "] * width
    for mark in (0.0, 0.5, 1.0):
        cells[_cell(mark, width)] = GRID
    drawn = [False] * width
    if rate is not None and rate.get("total") and rate.get("rate") is not None:
        low, high = rate.get("interval") or (rate["rate"], rate["rate"])
        first, last = _cell(low, width), _cell(high, width)
        for index in range(first, last + 1):
            cells[index], drawn[index] = LINE, True
        cells[first], cells[last] = LEFT, RIGHT
        at = _cell(rate["rate"], width)
        cells[at], drawn[at] = POINT, True
    return Content.assemble(
        *((cell, style if on else "$quiet") for cell, on in zip(cells, drawn, strict=True))
    )


def ruler(width: int) -> str:
    """The scale above the bars, in exactly `width` cells: 0, 50 and 100 %."""
    width = max(width, 12)
    middle = _cell(0.5, width)
    line = "0".ljust(middle - 1) + "50"
    return line + "100%".rjust(width - len(line))


def figures(rate: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Percent, count of total and interval as texts: `("85%", "41/48", "73–93")`; a dash where
    nothing was counted.
    """
    if rate is None or not rate.get("total") or rate.get("rate") is None:
        return "–", "0/0", ""
    low, high = rate.get("interval") or (rate["rate"], rate["rate"])
    return (
        f"{100 * rate['rate']:.0f}%",
        f"{rate['count']}/{rate['total']}",
        f"{100 * low:.0f}–{100 * high:.0f}",
    )


def _cell(fraction: float, width: int) -> int:
    return round(min(max(fraction, 0.0), 1.0) * (width - 1))
