"""The sentences of the Report screen: from a built report to content, nothing else."""

from collections.abc import Mapping
from typing import Any, Final

from textual.content import Content

from tuner_tui.report.text import STATE_TITLES, before_sentences, call_text, figure_rows, seconds
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
    "do_not_ship": "5 Evaluate shows the answers that went wrong; 2 Data mends what teaches them.",
    "use_it": "ppo.reward_model can name this run; Enter writes the report beside it.",
    "do_not_use": "2 Data shows the pairs that it learned from; p there judges them anew.",
    "collect_data": "5 Evaluate shows which kinds still fail; more rows of those kinds teach most.",
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
_CHANGED = 4
"""Changed answers in the summary; the Evaluate screen lists them all."""


def verdict(report: Report, *, adopted: bool) -> Content:
    """The verdict, why, by which rule, on which run, and what to do next."""
    said, run = report["verdict"], report["run"]
    sign, colour = _SIGNS[said["decision"]]
    newest = "; the newest run, r chooses another" if adopted else ""
    state = f"{run['state']} after {run['step']} of {run['total']} steps in {seconds(run['seconds'])}"
    return Content("\n").join(
        [
            Content.assemble((f"{sign} {said['title']}. ", f"bold {colour}"), safe(said["sentence"])),
            Content.styled(f"Rule: {said['rule']}", "$quiet"),
            Content.assemble(("Run ", "$quiet"), safe(run["id"]), (f", {state}{newest}.", "$quiet")),
            Content.styled(_next(report), "$primary"),
        ]
    )


def _next(report: Report) -> str:
    decision = report["verdict"]["decision"]
    if decision == "collect_data" and not report["method"]["answers"]:
        return "h, then p: Prefer collects more pairs."
    return _NEXT[decision]


def method(report: Report) -> Content:
    """The method's own figures, from start to end, and the runs before; empty for a plain sft run."""
    about = report["method"]
    before, rows = before_sentences(report), figure_rows(about)
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


def notes(report: Report) -> Content:
    """The other suites, a few changed answers, the files, and the commands that repeat the run."""
    parts = [
        _suites(report),
        _changed(report),
        _list("Files", report["files"].values()),
        _list("Repeat", report["repeat"]),
    ]
    return Content("\n\n").join(part for part in parts if part.plain)


def _suites(report: Report) -> Content:
    """What the suites beside held-out rows show."""
    others = [suite for suite in report["suites"] if suite["name"] != "heldout"]
    return suites(others) if others else Content("")


def _changed(report: Report) -> Content:
    changed = report["changed"]
    if not changed:
        return Content("")
    fixed = sum(each["direction"] == "fixed" for each in changed)
    broken = len(changed) - fixed
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
