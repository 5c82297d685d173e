"""The sentences of the Report screen: from a built report to content, nothing else."""

from collections.abc import Mapping
from typing import Any, Final

from textual.content import Content

from tuner_tui.report.cost import cost_lines
from tuner_tui.report.figures import changed_counts, check_rows
from tuner_tui.report.suites import primary_suite
from tuner_tui.report.text import STATE_TITLES, before_sentences, call_text, method_rows, seconds
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.suites_text import suites

Report = Mapping[str, Any]

_SIGNS: Final = {
    "ship": ("✓", "$good"),
    "do_not_ship": ("✗", "$bad"),
    "use_it": ("✓", "$good"),
    "do_not_use": ("✗", "$bad"),
    "collect_data": ("◇", "$warning"),
    "not_evaluated": ("○", "$quiet"),
    "not_finished": ("●", "$primary"),
}
_NEXT: Final = {
    "ship": "Enter writes the report beside the run.",
    "do_not_ship": "5 Evaluate shows what went wrong, 2 Data the rows.",
    "use_it": "Enter writes the report beside the run.",
    "do_not_use": "2 Data shows the pairs that it learned from.",
    "collect_data": "5 Evaluate shows which kinds still fail.",
    "not_evaluated": "Enter goes to 5 Evaluate.",
    "not_finished": "Enter goes to 4 Train.",
}
_TRAINING_SIGNS: Final = {
    "converged": ("✓", "$good"),
    "still_falling": ("◇", "$warning"),
    "overfitting": ("✗", "$bad"),
    "diverged": ("✗", "$bad"),
    "unstable": ("✗", "$bad"),
    "unknown": ("○", "$quiet"),
    "not_learned": ("✗", "$bad"),
    "learned": ("✓", "$good"),
    "drifted": ("✗", "$bad"),
    "no_gain": ("✗", "$bad"),
    "still_rising": ("◇", "$warning"),
    "rose": ("✓", "$good"),
}
_CHECK_COLOURS: Final = {"✔": "$good", "✘": "$bad", "?": "$quiet"}
_CHANGED = 4
"""Changed answers in the summary; the Evaluate screen lists them all."""


def verdict(report: Report, *, adopted: bool) -> Content:
    """The verdict, why, what to do next, by which rule, and on which run."""
    said, run = report["verdict"], report["run"]
    sign, colour = _SIGNS[said["decision"]]
    newest = "; the newest run, r chooses another" if adopted else ""
    state = f"{run['state']} after {run['step']} of {run['total']} steps in {seconds(run['seconds'])}"
    return Content("\n").join(
        [
            Content.assemble((f"{sign} {said['title']}. ", f"bold {colour}"), safe(said["sentence"])),
            Content.assemble(("Next: ", "bold $primary"), (_next(report), "$primary")),
            Content.styled(f"Rule: {said['rule']}", "$quiet"),
            Content.assemble(("Run ", "$quiet"), safe(run["id"]), (f", {state}{newest}.", "$quiet")),
        ]
    )


def _next(report: Report) -> str:
    """What the verdict says, and the key that leads there."""
    return f"{report['verdict']['next'].replace('`', '')} {_key(report)}"


def _key(report: Report) -> str:
    decision = report["verdict"]["decision"]
    if decision == "collect_data" and not report["method"]["answers"]:
        return "h, then p: Prefer collects more pairs."
    return _NEXT[decision]


def method(report: Report) -> Content:
    """The method's own figures, from start to end, and the runs before; empty for a plain sft run."""
    about = report["method"]
    before, rows = before_sentences(report), method_rows(about)
    if about["name"] == "sft" and not before:
        return Content("")
    lines = [Content.assemble((f"{about['name']}  ", "bold"), (about["title"], "$quiet"))]
    lines += [safe(each, one_line=True) for each in before]
    if rows:
        lines.append(Content.styled(f"{'':<22}{'start':>9}{'end':>9}", "$quiet"))
    for title, where, start, end in rows:
        lines.append(
            Content.assemble(
                safe(f"{title[:21]:<22}", one_line=True),
                f"{start:>9}",
                (f"{end:>9}", "bold"),
                (f"  {where}", "$quiet"),
            )
        )
    if not about["answers"]:
        lines.append(Content.styled("It scores answers and gives none: no tool calls to evaluate.", "$quiet"))
    return Content("\n").join(lines)


def training_verdict(report: Report) -> Content:
    """What the loss curves say, and by which rule."""
    said = report["training"]["verdict"]
    sign, colour = _TRAINING_SIGNS[said["state"]]
    return Content.assemble(
        ("Training  ", "bold"),
        (f"{sign} {STATE_TITLES[said['state']].lower()}. ", colour),
        safe(said["sentence"]),
        (f"\nRule: {said['rule']}", "$quiet"),
    )


def checks(report: Report) -> Content:
    """The four questions about training, each with its answer and its rule."""
    lines = []
    for sign, question, answer, rule in check_rows(report["training"]):
        lines.append(Content.assemble((f"{sign} {question}  ", _CHECK_COLOURS[sign]), safe(answer)))
        lines.append(Content.styled(f"  Rule: {rule}", "$quiet"))
    return Content("\n").join(lines)


def notes(report: Report) -> Content:
    """A few changed answers, what it took, the files, and the commands that repeat the run."""
    missing = "; ".join(each["title"] for each in report["not_measured"])
    parts = [
        Content.assemble(("Not measured  ", "bold"), (missing, "$quiet")) if missing else Content(""),
        _changed(report),
        _list("What it took", (f"{what}: {amount}" for what, amount in cost_lines(report["cost"]))),
        _list("Files", report["files"].values()),
        _list("Repeat", report["repeat"]),
    ]
    return Content("\n\n").join(part for part in parts if part.plain)


def figures(report: Report) -> Content:
    """Every suite: its rates, what it shows, what was kept; empty without any."""
    return suites(report["suites"]) if report["suites"] else Content("")


def _changed(report: Report) -> Content:
    first = primary_suite(report["suites"])
    changed = first["changed"] if first else []
    if not changed:
        return Content("")
    fixed, broken = changed_counts(changed)
    lines = [
        Content.assemble(
            ("Changed answers  ", "bold"),
            (f"✓ {fixed} fixed", "$good"),
            "  ",
            (f"✗ {broken} broken", "$bad" if broken else "$quiet"),
            ("  5 Evaluate shows them side by side", "$quiet"),
        )
    ]
    for each in changed[:_CHANGED]:
        sign = ("✓ ", "$good") if each["direction"] == "fixed" else ("✗ ", "$bad")
        lines.append(Content.assemble(sign, safe(each["request"], one_line=True).truncate(90, ellipsis=True)))
        now = call_text(each["after"]["calls"]) or "answered in words"
        lines.append(
            Content.assemble(("  now: ", "$quiet"), safe(now, one_line=True).truncate(84, ellipsis=True))
        )
    return Content("\n").join(lines)


def _list(title: str, lines: Any) -> Content:
    shown = [Content.assemble("  ", safe(line, "$quiet")) for line in lines]
    return Content("\n").join([Content.styled(title, "bold"), *shown]) if shown else Content("")
