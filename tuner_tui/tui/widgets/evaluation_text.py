"""The sentences and small tables of the Evaluate screen: from a reading of the files to content,
nothing else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.content import Content

from tuner_tui.data.answers.scoring import ERROR_TYPES
from tuner_tui.evaluation.arms import ARM_TITLES, in_order
from tuner_tui.evaluation.statistics import detectable_difference
from tuner_tui.evaluation.suites import SUITES
from tuner_tui.runs.layout import RunState
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.arm_progress import ArmLine, ArmState
from tuner_tui.tui.widgets.interval_bar import figures
from tuner_tui.tui.widgets.outcome_table import MEASURES

if TYPE_CHECKING:
    from tuner_tui.evaluation.compare import Changed
    from tuner_tui.evaluation.progress import EvalProgress
    from tuner_tui.evaluation.shapes import Difference
    from tuner_tui.tui.evaluation_view import EvaluationView

_COMPARED: Final = ("full_match", "no_call")
_SIDE: Final = 25
_COLUMNS: Final = (7, 13, 6, 7, 7)
"""Widths of the comparison: the two names, then change, interval, fixed, broken, p."""
_MEASURE_TITLES: Final = {measure.id: measure.title for measure in MEASURES}


def headline(view: "EvaluationView") -> Content:
    """What the screen comes down to, in one line; what to do next where there is nothing to show."""
    subject = view.subject
    name = (
        f"Run {subject.run_dir.name}"
        if subject.run_dir is not None
        else f"Base model {subject.config.model.name} (r chooses a run)"
    )
    newest = " (the newest; r chooses another)" if subject.adopted else ""
    return Content.assemble(safe(name + newest), ": ", _state(view))


def plan(view: "EvaluationView") -> Content:
    """What was asked, on which file, and how small a difference so many items can show."""
    summary = view.summary
    if summary is None or not summary["arms"]:
        return Content("")
    outcome = next(iter(summary["arms"].values()))
    calls = outcome["full_match"]["total"]
    left_out = f", {summary['rejected']} faulty rows left out" if summary["rejected"] else ""
    unseen = f"a difference below about {100 * detectable_difference(calls):.0f} points may go unseen"
    counts = f": {calls} requests need a call, {summary['items'] - calls} do not{left_out}; {unseen}."
    return Content.assemble(safe(Path(summary["heldout"]).name, one_line=True), counts)


def arm_lines(progress: "EvalProgress") -> list[ArmLine]:
    """How far each arm of an evaluation is."""
    lines = []
    for arm, (done, total) in progress.arms.items():
        state: ArmState = "waiting"
        if total and done >= total:
            state = "done"
        elif arm == progress.arm and progress.state.live:
            state = "running"
        elif done and not progress.state.live:
            state = "stopped"
        lines.append(ArmLine(arm, state, done, total, progress.eta if state == "running" else None))
    return lines


def comparison(view: "EvaluationView") -> Content:
    """A line for each comparison of two arms: the change, its interval and p-value, what it means."""
    summary = view.summary
    if summary is None:
        return Content("")
    plain, best = summary["comparison"], summary["comparison_best"]
    pairs = [found[measure] for measure in _COMPARED for found in (plain, best) if found]
    # Where the plain prompt is the best one, both comparisons are the same.
    unique = {(each["measure"], each["base"]): each for each in pairs}
    if not unique:
        return _best_prompt(view)
    heads = ("change", "95% interval", "fixed", "broken", "p")
    titles = "".join(head.rjust(width) for head, width in zip(heads, _COLUMNS, strict=True))
    heading = Content.styled("Tuned against".ljust(_SIDE) + titles, "$quiet")
    return Content("\n").join([heading, *map(_difference, unique.values())])


def error_table(view: "EvaluationView") -> Content:
    """Error types by arm: how many items went wrong in which way."""
    outcomes = view.outcomes
    arms = in_order(outcomes)
    kinds = [kind for kind in ERROR_TYPES if any(outcomes[a]["errors"].get(kind) for a in arms)]
    if not kinds:
        return Content.assemble(("✓ ", "$good"), "No answer was wrong.")
    heads = {arm: word for arm, word in _SHORT.items() if arm in arms}
    lines = [Content.styled("".ljust(20) + "".join(heads[arm].rjust(13) for arm in arms), "$quiet")]
    for kind in kinds:
        counts = [outcomes[arm]["errors"].get(kind, 0) for arm in arms]
        cells: list[tuple[str, str]] = [(kind.replace("_", " ").ljust(20), "bold")]
        cells += [(f"{count or '·'}".rjust(13), "" if count else "$quiet") for count in counts]
        lines.append(Content.assemble(*cells))
        lines.append(Content.styled(f"  {ERROR_TYPES[kind]}", "$quiet"))
    total = [sum(outcomes[arm]["errors"].values()) for arm in arms]
    lines.append(Content.styled("wrong in all".ljust(20) + "".join(str(n).rjust(13) for n in total), "bold"))
    lines.append(
        Content.styled(
            "of".ljust(20) + "".join(str(outcomes[arm]["items"]).rjust(13) for arm in arms), "$quiet"
        )
    )
    return Content("\n").join(lines)


def changed_line(view: "EvaluationView", chosen: str) -> Content:
    """How many answers changed, and which of them are listed."""
    fixed = sum(each.direction == "fixed" for each in view.changed)
    broken = len(view.changed) - fixed
    if not view.changed:
        return Content("No answer changed from right to wrong, or from wrong to right.")
    before, after = compared_titles(view)
    return Content.assemble(
        f"{before} → {after}: ",
        (f"✓ {fixed} fixed", "$good"),
        "  ",
        (f"✗ {broken} broken", "$bad" if broken else "$quiet"),
        f"   Listed: {chosen} (v changes)",
    )


def changed_option(changed: "Changed") -> Content:
    """One line of the list: the direction as word, symbol and colour, then the request."""
    mark = ("✓ fixed  ", "$good") if changed.direction == "fixed" else ("✗ broken ", "$bad")
    request = safe(changed.request, one_line=True)
    return Content.assemble(mark, request.truncate(200, ellipsis=True))


def compared_titles(view: "EvaluationView") -> tuple[str, str]:
    """Names of the two sides of a changed item."""
    before, after = view.compared
    return ARM_TITLES[before], ARM_TITLES[after]


_SHORT: Final = {
    "base": "plain",
    "instruction": "instruction",
    "examples": "examples",
    "tuned": "tuned",
}


def _state(view: "EvaluationView") -> Content:
    subject, outcomes = view.subject, view.outcomes
    if view.live:
        return _at_work(view)
    for state in view.states.values():
        progress = state.progress
        if progress is not None and progress.state in (RunState.FAILED, RunState.LOST):
            said = safe(progress.error or "the evaluator gave no reason.")
            suite = "" if state.name == "heldout" else f"{SUITES[state.name].title}: "
            words = f"✗ {suite}evaluation {progress.state}. "
            return Content.assemble((words, "$bad"), said, " s tries again.")
    if subject.obstacle:
        return Content.assemble(("○ ", "$quiet"), safe(subject.obstacle))
    if "tuned" in outcomes:
        return _right(outcomes, "tuned")
    if outcomes and subject.run_dir is None:
        return Content.assemble(("✓ ", "$good"), "measured. Enter decides with these figures.")
    if any(each.progress and each.progress.state is RunState.STOPPED for each in view.states.values()):
        return Content.assemble(("■ ", "$warning"), "stopped. s goes on where it stopped.")
    if view.suites:
        measured = f"{len(view.suites)} of {len(SUITES)} suites measured; the held-out rows are not."
        return Content.assemble(("✓ ", "$good"), measured)
    return Content.assemble(("○ ", "$quiet"), "not measured yet. s starts what is ticked.")


def _at_work(view: "EvaluationView") -> Content:
    """The suite that is being measured, and how many are still to come."""
    state, queue = view.at_work, view.queue
    waiting = len(queue.waiting) if queue is not None else 0
    then = f", {waiting} more to come" if waiting else ""
    if state is None or state.progress is None:
        return Content.assemble(("● ", "$primary"), f"starting{then}")
    phase = state.progress.phase or "measuring"
    return Content.assemble(("● ", "$primary"), f"{SUITES[state.name].title}: {phase}{then}")


def _right(outcomes: Mapping[str, Any], arm: str) -> Content:
    percent, count, _ = figures(outcomes[arm]["full_match"])
    kept, kept_count, _ = figures(outcomes[arm]["no_call"])
    return Content.assemble(
        ("✓ measured. ", "$good"),
        f"Tuned: {percent} of calls exactly right ({count}), no call kept in {kept} ({kept_count}).",
    )


def _best_prompt(view: "EvaluationView") -> Content:
    best = view.summary["best_prompt"] if view.summary is not None else None
    if best is None:
        return Content("")
    percent, count, interval = figures(view.outcomes[best]["full_match"])
    return Content(
        f"Best prompt: {ARM_TITLES[best].lower()}, {percent} of calls exactly right ({count}, "
        f"{interval}). This is the figure that training has to beat."
    )


def _difference(each: "Difference") -> Content:
    low, high = each["interval"]
    # Both tests have to agree: with few items the bootstrap alone is too sure.
    clear = each["p_value"] < 0.05 and (low > 0 or high < 0)
    better = each["delta"] > 0
    colour = "$quiet" if not clear else "$good" if better else "$bad"
    word = "≈ not seen" if not clear else "▲ better" if better else "▼ worse"
    p_value = "<0.001" if each["p_value"] < 0.001 else f"{each['p_value']:.3f}"
    change, interval, *counts = (
        f"{100 * each['delta']:+.0f}",
        f"{100 * low:+.0f} to {100 * high:+.0f}",
        str(each["fixed"]),
        str(each["broken"]),
        p_value,
    )
    return Content.assemble(
        (f"{_SHORT.get(each['base'], each['base'])}: ".ljust(13), "$quiet"),
        (_MEASURE_TITLES[each["measure"]].ljust(_SIDE - 13), "bold"),
        (change.rjust(_COLUMNS[0]), f"bold {colour}"),
        interval.rjust(_COLUMNS[1]),
        *(count.rjust(width) for count, width in zip(counts, _COLUMNS[2:], strict=True)),
        (f" {word}", colour),
    )
