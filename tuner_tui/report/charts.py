"""Inline SVG for the HTML report: marks only, whose words stand beside them as HTML and so keep their size.

Every drawing is stretched to the room that it gets (`preserveAspectRatio="none"`), with strokes that do not
scale. Numbers in, markup out: no text of a model or a dataset ever comes in here but through `escape`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from tuner_tui.report.text import percent


def interval(rate: Mapping[str, Any] | None, title: str, kind: str) -> Markup:
    """A rate on a scale from 0 to 1: its interval as a bar, itself as a tick. `kind` is a CSS class."""
    if rate is None or rate.get("rate") is None:
        return Markup('<span class="none">not measured</span>')
    low, high = (100 * end for end in rate["interval"])
    at = 100 * rate["rate"]
    grid = "".join(f'<line class="grid" x1="{x}" y1="0" x2="{x}" y2="20"/>' for x in (0, 25, 50, 75, 100))
    body = (
        f'{grid}<rect class="range" x="{low:.2f}" y="5" width="{max(high - low, 0.4):.2f}" height="10"/>'
        f'<line class="tick" x1="{at:.2f}" y1="1" x2="{at:.2f}" y2="19"/>'
    )
    return _svg(body, "0 0 100 20", f"interval {kind}", f"{title}: {percent(rate)}")  # type: ignore[arg-type]


def bars(counts: Sequence[tuple[str, int, str]], most: int) -> Markup:
    """One bar for each (title, count, CSS class), under each other; `most` is the longest of the chart."""
    drawn = []
    for place, (_, count, kind) in enumerate(counts):
        width = 100 * count / most if most else 0.0
        drawn.append(f'<rect class="{kind}" x="0" y="{place * 10 + 1}" width="{width:.2f}" height="8"/>')
    title = ", ".join(f"{title} {count}" for title, count, _ in counts)
    return _svg("".join(drawn), f"0 0 100 {10 * len(counts)}", "bars", title)


def curves(curve: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A chart of one metric over steps, in training and on held-out rows: `svg`, and the ends of its axes as
    numbers (`low`, `high`, `first`, `last`); None without finite values."""
    series = {key: _points(curve[key]) for key in ("train", "held_out")}
    points = [point for each in series.values() for point in each]
    if not points:
        return None
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    if low == high:
        low, high = low - 0.5, high + 0.5

    def place(x: float, y: float) -> str:
        across = 1000 * (x - first) / (last - first) if last > first else 500.0
        return f"{across:.1f},{300 - 300 * (y - low) / (high - low):.1f}"

    body = "".join(f'<line class="grid" x1="0" y1="{y}" x2="1000" y2="{y}"/>' for y in (0, 75, 150, 225, 300))
    for key, found in series.items():
        if len(found) == 1:
            x, y = place(*found[0]).split(",")
            body += f'<line class="{key} dot" x1="{x}" y1="{y}" x2="{x}" y2="{y}"/>'
        elif found:
            body += f'<polyline class="{key}" points="{" ".join(place(*point) for point in found)}"/>'
    title = f"{curve['title']} from step {first:g} to {last:g}"
    return {
        "svg": _svg(body, "0 0 1000 300", "curve", title),
        "low": low,
        "high": high,
        "first": first,
        "last": last,
        "has": {key: bool(found) for key, found in series.items()},
    }


def _points(series: Mapping[str, Sequence[Any]]) -> list[tuple[float, float]]:
    pairs = zip(series["steps"], series["values"], strict=True)
    return [(float(x), float(y)) for x, y in pairs if y is not None and math.isfinite(y)]


def _svg(body: str, box: str, kind: str, title: str) -> Markup:
    return Markup(
        f'<svg class="{kind}" viewBox="{box}" preserveAspectRatio="none" role="img">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )
