"""The report as one HTML file: no script, no request, light and dark, on paper and on a phone."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tuner_tui.evaluation.arms import ARM_TITLES, in_order
from tuner_tui.report import charts
from tuner_tui.report.chain import lines as chain_lines
from tuner_tui.report.suites import primary_suite, row_of
from tuner_tui.report.text import (
    NO_ANSWERS,
    STATE_TITLES,
    before_sentences,
    figure_rows,
    p_cell,
    p_value,
    percent,
    points,
    said,
    seconds,
)
from tuner_tui.visible import visible

_CHANGED = 30
"""Changed items of a suite that are shown; report.json has them all."""
_LONGEST = 1200
"""Characters of an answer that are shown."""


def render(report: Mapping[str, Any]) -> str:
    """The whole page. Text from models and datasets is escaped, with its control characters shown."""
    page = _environment().get_template("report.html.j2")
    first = primary_suite(report["suites"])
    return page.render(
        report=report,
        style=Markup(_read("report.css")),
        first=first,
        first_row=row_of(first) if first else None,
        config_text=yaml.safe_dump(report["config"], sort_keys=False, allow_unicode=True),
        curves=[{**curve, "chart": charts.curves(curve)} for curve in report["training"]["curves"]],
        chain=chain_lines(report["chain"]) if report.get("chain") else [],
        before=before_sentences(report),
        figures=figure_rows(report["method"]),
        no_answers=NO_ANSWERS,
        most_changed=_CHANGED,
    )


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "v": lambda text: visible(str(text), one_line=True, limit=_LONGEST),
        "lines": lambda text: visible(str(text), limit=200 * _LONGEST),
        "percent": lambda rate: percent(rate) if rate else "–",
        "points": points,
        "p": p_value,
        "p_cell": p_cell,
        "seconds": seconds,
        "said": said,
        "words": lambda name: str(name).replace("_", " "),
        "signed": lambda value: f"{value:+.3g}",
        "short": lambda value: f"{value:.3g}",
    }
    found.globals |= {
        "interval": charts.interval,
        "bars": charts.bars,
        "arm_titles": ARM_TITLES,
        "arm_order": in_order,
        "states": STATE_TITLES,
    }
    return found


@cache
def _read(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text("utf-8")
