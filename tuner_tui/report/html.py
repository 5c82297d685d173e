"""The report as one HTML file: no script, no request, light and dark, on paper and on a phone."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from tuner_tui.evaluation.arms import ARM_TITLES, in_order
from tuner_tui.report import charts
from tuner_tui.report import figures as words
from tuner_tui.report.chain import lines as chain_lines
from tuner_tui.report.cost import cost_lines
from tuner_tui.report.suites import primary_suite, row_of
from tuner_tui.report.text import (
    NO_ANSWERS,
    STATE_TITLES,
    before_sentences,
    method_rows,
    number_text,
    p_cell,
    p_value,
    points,
    said,
    seconds,
    version_lines,
)
from tuner_tui.visible import visible

_CHANGED = 12
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
        figures=method_rows(report["method"]),
        claims=words.claim_notes(report),
        checks=words.check_rows(report["training"]),
        cost=cost_lines(report["cost"]),
        versions=version_lines(report),
        general=words.general_ability(report["suites"]),
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
        "percent": words.rate_text,
        "change": words.change_text,
        "number": number_text,
        "points": points,
        "p": p_value,
        "p_cell": p_cell,
        "seconds": seconds,
        "said": said,
        "right": words.right_text,
        "words": lambda name: str(name).replace("_", " "),
        "commanded": _commanded,
        "short": lambda value: f"{value:.3g}",
    }
    found.globals |= {
        "interval": charts.interval,
        "error_arms": _error_arms,
        "error_bars": _error_bars,
        "arm_titles": ARM_TITLES,
        "arm_order": in_order,
        "states": STATE_TITLES,
        "suite_notes": words.suite_notes,
        "heading": words.suite_heading,
        "asked_in_several_ways": words.asked_in_several_ways,
        "kept_rows": words.kept_rows,
        "kept_heads": words.KEPT_HEADS,
        "reading": words.READING,
    }
    return found


def _error_arms(suite: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The arms whose errors are drawn, with the CSS class of each: before, with the best prompt, after."""
    kinds = {suite["best_prompt"]: "best", "base": "before", "tuned": "after"}
    return [(arm, kinds[arm]) for arm in in_order(suite["arms"]) if arm in kinds]


def _error_bars(suite: Mapping[str, Any], error: Mapping[str, Any]) -> Markup:
    """The items of one error type, beside the longest bar of the suite."""
    arms = _error_arms(suite)
    most = max((each["counts"][arm] for each in suite["errors"] for arm, _ in arms), default=1)
    return charts.bars([(ARM_TITLES[arm], error["counts"][arm], kind) for arm, kind in arms], most)


def _commanded(text: str) -> Markup:
    """A sentence of our own with commands between backticks, which stay code."""
    parts = [escape(visible(part, one_line=True)) for part in text.split("`")]
    shown = (Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))
    return Markup("").join(shown)


@cache
def _read(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text("utf-8")
