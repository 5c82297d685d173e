"""What the renderings of a report share: figures in words, and hostile text made visible."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tuner_tui.evaluation.shapes import Rate

STATE_TITLES = {
    "unknown": "Too short to judge",
    "unstable": "Unstable",
    "diverged": "Diverged",
    "overfitting": "Overfitting",
    "still_falling": "Still falling",
    "converged": "Converged",
    "not_learned": "Not learned",
    "learned": "Learned",
    "drifted": "Drifted away from the base model",
    "no_gain": "No gain",
    "still_rising": "Still rising",
    "rose": "Rose and levelled off",
}
NO_ANSWERS = (
    "A reward model scores answers and gives none, so there are no tool calls to evaluate. What counts is "
    "how often it gives the better of two held-out answers the higher score."
)
_BLOCKS = "▁▂▃▄▅▆▇█"


def method_rows(method: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """The figures of a method as (title, where it was measured, at the start, at the end)."""
    return [
        (
            each["title"],
            "held out" if each["held_out"] else "training",
            _written(each["form"], each["start"]),
            _written(each["form"], each["end"]),
        )
        for each in method["figures"]
    ]


def drawn_curves(training: Mapping[str, Any]) -> list[tuple[str, list[float]]]:
    """The curves of a run that have values, each with its name."""
    found = []
    for curve in training["curves"]:
        for title, values in (
            (curve["title"], curve["train"]),
            (f"held-out {curve['title']}", curve["held_out"]),
        ):
            if values["values"]:
                found.append((title, values["values"]))
    return found


def before_sentences(report: Mapping[str, Any]) -> list[str]:
    """The runs that a run is built on, in words; nothing in a chain, whose section names them."""
    if report.get("chain"):
        return []
    verbs = {"judged by": "was judged by"}
    return [
        f"It {verbs.get(each['role'], each['role'])} the result of run {each['run']} "
        f"({each['method'] or 'not here any more'})."
        for each in report["method"]["before"]
    ]


def _written(form: str, value: float) -> str:
    if form == "share":
        return f"{value:.1%}"
    return f"{value:,.0f}" if form == "count" else f"{value:.3g}"


def percent(rate: Rate) -> str:
    """`95% [87–98]`, or a dash where there was nothing to count."""
    if rate["rate"] is None:
        return "–"
    low, high = rate["interval"]
    return f"{rate['rate']:.0%} [{100 * low:.0f}–{100 * high:.0f}]"


def number_text(value: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    """A mean with its 95% interval, `1.23 [1.1 to 1.4]`; a dash where there is none."""
    if value is None:
        return "–"
    sign = "+" if signed else ""
    low, high = value["interval"]
    return f"{value['mean']:{sign}.3g} [{low:{sign}.3g} to {high:{sign}.3g}]"


def points(value: float) -> str:
    """A difference of rates in percentage points, with its sign."""
    return f"{100 * value:+.0f}"


def p_value(value: float) -> str:
    """`p = 0.013`, `p < 0.001`."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}" if value < 0.995 else "p = 1"


def p_cell(value: float) -> str:
    """`0.013`, `< 0.001`: under a heading that says p."""
    return p_value(value).removeprefix("p = ").removeprefix("p ")


def version_lines(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(Of what, versions): of training, and of the evaluations where they had others."""
    kinds = (("Versions", report["versions"]), ("Evaluated with", report["evaluated_with"]))
    told = {
        what: ", ".join(f"{name} {version}" for name, version in found.items() if version)
        for what, found in kinds
    }
    return [(what, versions) for what, versions in told.items() if versions]


def within(title: str) -> str:
    """A title within a sentence: `Exactly right` becomes `exactly right`, `BFCL's verdict` stays."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def seconds(value: float | None) -> str:
    """`42 s`, `3 min 20 s`, `2 h 5 min`; a dash when it is not known."""
    if value is None:
        return "–"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """A line of blocks, one for each of at most `width` means of neighbouring values."""
    numbers = [float(value) for value in values]
    if not numbers:
        return ""
    if len(numbers) > width:
        edges = [round(i * len(numbers) / width) for i in range(width + 1)]
        numbers = [sum(numbers[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(numbers), max(numbers)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((number - low) * scale)] for number in numbers)


def call_text(calls: Sequence[Mapping[str, Any]]) -> str:
    """`find_flight(to="Oslo", day=3)`, calls joined by `; `."""
    return "; ".join(
        f"{call['name']}("
        + ", ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in call["arguments"].items())
        + ")"
        for call in calls
    )


def said(side: Mapping[str, Any]) -> str:
    """What an answer amounts to: its calls, or its words."""
    return call_text(side["calls"]) if side["calls"] else side["text"] or "(nothing)"
