"""The sentences about suites that can be measured: from plans and states to content, nothing else."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from textual.content import Content

from tuner_tui.evaluation.plans import ABOUT
from tuner_tui.evaluation.suites import SUITES
from tuner_tui.report.suites import row_of
from tuner_tui.report.text import within
from tuner_tui.runs.layout import RunState
from tuner_tui.tui import words
from tuner_tui.tui.widgets.interval_bar import figures
from tuner_tui.tui.widgets.prose import hanging
from tuner_tui.tui.widgets.suite_list import SuiteLine
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.evaluation.plans import SuitePlan
    from tuner_tui.tui.evaluation_view import EvaluationView, SuiteState

_SHORT_TITLES: Final = {
    "bfcl_prompting": "BFCL V4, prompting",
    "bfcl_multi_turn_prompting": "Multi-turn, prompting",
}
_SHORT_OBSTACLES: Final = (("not installed", "not installed"), ("needs a file", "needs a file (o)"))


def lines(
    view: "EvaluationView", plans: "Mapping[str, SuitePlan]", chosen: Collection[str]
) -> list[SuiteLine]:
    """A line for each suite."""
    return [
        SuiteLine(
            name=name,
            title=_SHORT_TITLES.get(name, SUITES[name].title),
            chosen=name in chosen,
            items=_items(plans.get(name)),
            shows=_shows(plans.get(name)),
            state=_state(state, plans.get(name)),
        )
        for name, state in view.states.items()
    ]


def about(view: "EvaluationView", name: str, plan: "SuitePlan | None", width: int) -> Content:
    """What the suite under the cursor is, why one would want it, what it would ask, and how it stands."""
    what, why = ABOUT[name]
    state = view.states[name]
    title = SUITES[name].title
    told = hanging(f"{title}. {what}", width, 0)
    parts = [
        Content.assemble((told[: len(title)], "bold"), told[len(title) :]),
        Content.styled(hanging(why, width, 0), "$quiet"),
    ]
    asked = "counting its items …"
    if plan is not None:
        asked = plan.sentence
        if plan.source is not None and not plan.obstacle:
            asked = f"{plan.source.name}: {asked}"
        if plan.obstacle and SUITES[name].source != "none":
            asked += " o chooses a file."
    colour = "$warning" if plan is not None and plan.obstacle else ""
    parts.append(Content.styled(hanging(visible(asked, one_line=True), width, 0), colour))
    if state.section is not None:
        parts.append(Content.styled(hanging(_measured(state.section), width, 0), "$quiet"))
    elif name == "heldout":
        tuned = "" if view.subject.run_dir is None else "; the tuned model, plainly"
        ways = f"Asked are the base model, plainly, with an instruction, and with examples{tuned}."
        parts.append(Content.styled(hanging(ways, width, 0), "$quiet"))
    if fault := _fault(state):
        parts.append(Content.styled(hanging(f"✗ {visible(fault, one_line=True)}", width, 2), "$bad"))
    return Content("\n").join(parts)


def choice(
    plans: "Mapping[str, SuitePlan]", chosen: Collection[str], limit: int | None, *, live: bool
) -> Content:
    """What is chosen, and the key that starts it."""
    if live:
        return Content.styled("x stops; what is answered so far is kept, and s goes on from there.", "$quiet")
    most = f"at most {limit:,} items of each" if limit is not None else "all items"
    if not chosen:
        return Content.styled(f"Space chooses a suite. To be asked: {most} (l).", "$quiet")
    planned = [plans[name] for name in chosen if name in plans]
    items = f"{sum(plan.items for plan in planned):,} items" if len(planned) == len(chosen) else "…"
    suites = "1 suite" if len(chosen) == 1 else f"{len(chosen)} suites"
    return Content.assemble(
        (f"{suites}, {items}", "bold"), (f" ({most}; l changes that). ", "$quiet"), ("s starts.", "$primary")
    )


def _measured(section: Mapping[str, Any]) -> str:
    """What was measured, which may be fewer items than would be asked now."""
    row = row_of(section)
    rates = [f"{arm} {figures(row[arm])[0]}" for arm in ("base", "tuned") if row[arm]]
    return f"Measured on {section['items']:,} items, {within(row['title'])}: {', '.join(rates)}."


def _items(plan: "SuitePlan | None") -> str:
    if plan is None:
        return "…"
    return "–" if plan.obstacle else f"{plan.items:,}" if plan.whole else "?"


def _shows(plan: "SuitePlan | None") -> str:
    return "" if plan is None or plan.detectable is None else f"{100 * plan.detectable:.0f} points"


def _state(state: "SuiteState", plan: "SuitePlan | None") -> Content:
    progress = state.progress
    if state.waiting:
        return Content.styled("◌ waiting", "$primary")
    if progress is not None and progress.state.live:
        left = f", {words.duration(progress.eta)} left" if progress.eta is not None else ""
        counted = f"{progress.done:,}/{progress.total:,}{left}" if progress.total else "starting"
        return Content.styled(f"● {counted}", "$primary")
    if _fault(state):
        return Content.styled("✗ failed", "$bad")
    if state.section is not None and "tuned" in state.section["arms"]:
        percent, _, interval = figures(row_of(state.section)["tuned"])
        return Content.assemble(("✓ ", "$good"), f"tuned {percent}", (f"  {interval}", "$quiet"))
    if progress is not None and progress.state is RunState.STOPPED:
        return Content.styled(f"■ stopped, {progress.done:,}/{progress.total:,}", "$warning")
    if state.section is not None:
        percent, _, interval = figures(row_of(state.section)["base"])
        return Content.assemble(("✓ ", "$good"), f"base {percent}", (f"  {interval}", "$quiet"))
    if plan is not None and plan.obstacle:
        short = next((said for word, said in _SHORT_OBSTACLES if word in plan.obstacle), "not possible")
        return Content.styled(f"▲ {short}", "$warning")
    return Content.styled("○ not measured", "$quiet")


def _fault(state: "SuiteState") -> str:
    """Why the suite has no figures, if trying to measure it failed."""
    progress = state.progress
    if progress is not None and progress.state in (RunState.FAILED, RunState.LOST):
        return progress.error or "the evaluator gave no reason."
    return state.fault if progress is None or not progress.state.live else ""
