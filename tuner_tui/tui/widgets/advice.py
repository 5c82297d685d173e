"""The recommendation and the techniques, as text for the Decide screen."""

from textual.content import Content

from tuner_tui.decide.recommendation import VERDICTS, Recommendation
from tuner_tui.decide.techniques import Technique, technique
from tuner_tui.tui.widgets.prose import hanging

# A verdict by symbol and colour as well as in words.
_MARKS = {
    "prompt": ("◇", "$primary"),
    "measure": ("◔", "$warning"),
    "retrieve": ("◇", "$primary"),
    "collect": ("◔", "$warning"),
    "tune": ("◆", "$good"),
}


def headline(recommendation: Recommendation, answered: int, questions: int, width: int) -> Content:
    """The verdict in two or three lines, and on how many answers it rests."""
    symbol, colour = _MARKS[recommendation.verdict]
    verdict = VERDICTS[recommendation.verdict]
    count = f"{answered} of {questions} answered"
    gap = max(width - len(verdict) - 2 - len(count), 2)
    return Content.assemble(
        (f"{symbol} {verdict}", f"bold {colour}"),
        (f"{' ' * gap}{count}" if gap + len(count) <= width else "", "$quiet"),
        ("\n" + hanging(recommendation.headline, width, 0), "bold"),
    )


def reasons(recommendation: Recommendation, width: int) -> Content:
    """Why, what to do first, which preset, and what would be right in other circumstances."""
    parts = [_heading("Because")]
    parts += [_item("•", reason, width) for reason in recommendation.reasons]
    parts.append(_heading("Do first"))
    parts += [_item(f"{number}.", step, width) for number, step in enumerate(recommendation.first_steps, 1)]
    parts += [_heading("Technique"), Content(technique(recommendation.technique).name)]
    if recommendation.preset:
        parts.append(
            Content(hanging(f"The preset {recommendation.preset} goes with you to Configure.", width, 0))
        )
    if recommendation.alternatives:
        parts.append(_heading("Or else"))
        parts += [
            _item("•", f"{technique(each.technique).name}: {each.reason}", width)
            for each in recommendation.alternatives
        ]
    return Content("\n").join(parts)


def technique_page(each: Technique, width: int) -> Content:
    """One technique: what it is, when, when not, what it needs."""
    parts = [Content.styled(each.name, "bold"), Content(), Content(hanging(each.what, width, 0))]
    for title, text in (("When", each.when), ("When not", each.avoid), ("Needs", each.needs)):
        parts += [_heading(title), Content(hanging(text, width, 0))]
    return Content("\n").join(parts)


def _heading(text: str) -> Content:
    return Content.styled(f"\n{text}", "bold $primary")


def _item(mark: str, text: str, width: int) -> Content:
    lead = f"{mark} "
    return Content.assemble((lead, "$quiet"), hanging(text, width, len(lead)))
