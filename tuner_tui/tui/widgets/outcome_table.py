"""Measures × arms: what each way of asking the model reached, as figures and as whiskers on one
ruler.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import ItemGrid
from textual.content import Content
from textual.widget import Widget

from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.tui.widgets.interval_bar import figures, interval_bar, ruler

Outcome = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is counted over the items."""

    id: str
    title: str
    meaning: str


MEASURES: Final = (
    Measure("full_match", "Full match", "right tool, every argument right"),
    Measure("no_call", "No call kept", "words where no tool serves"),
    Measure("call_or_no_call", "Call or no call", "calls only where a tool serves"),
    Measure("tool_selection", "Tool selection", "right tool, any arguments"),
    Measure("arguments", "Arguments", "all right, given the right tool"),
    Measure("strict_format", "Strict format", "readable without lenient parsing"),
)

_LABEL, _PERCENT, _COUNT, _INTERVAL = 27, 5, 8, 8
_BAR_MOST = 61


def winners(outcomes: Mapping[str, Outcome], measure: str) -> set[str]:
    """The arms with the highest rate of `measure`; none when fewer than two arms were measured or
    all are equal.
    """
    rates = {
        arm: outcome[measure]["rate"]
        for arm, outcome in outcomes.items()
        if measure in outcome and outcome[measure].get("rate") is not None
    }
    if len(rates) < 2 or len(set(rates.values())) == 1:
        return set()
    best = max(rates.values())
    return {arm for arm, rate in rates.items() if rate == best}


class MeasureBlock(Widget):
    """One measure: a heading with the ruler, then one line for each arm."""

    DEFAULT_CSS = """
    MeasureBlock { height: auto; }
    """

    def __init__(self, measure: Measure, outcomes: Mapping[str, Outcome]) -> None:
        super().__init__()
        self.measure = measure
        self.outcomes = outcomes

    def get_content_height(self, container: Any, viewport: Any, width: int) -> int:
        # The last line is empty: a grid would take a margin from the height.
        return 2 + len(self.outcomes)

    def render(self) -> Content:
        width = self.content_size.width or 80
        bar = min(max(width - _LABEL - _PERCENT - _COUNT - _INTERVAL - 2, 12), _BAR_MOST)
        text = _LABEL + _PERCENT + _COUNT + _INTERVAL
        heading = Content.assemble((self.measure.title, "bold"), "  ", (self.measure.meaning, "$quiet"))
        lines = [
            Content.assemble(_fit(heading, text), "  ", (ruler(bar), "$quiet")),
            *(self._arm(arm, bar) for arm in self.outcomes),
        ]
        return Content("\n").join(lines)

    def _arm(self, arm: str, bar: int) -> Content:
        rate = self.outcomes[arm].get(self.measure.id)
        percent, count, interval = figures(rate)
        won = arm in winners(self.outcomes, self.measure.id)
        strong = "bold $good" if won else ""
        colour = "$good" if won else "$primary" if arm == "tuned" else "$quiet"
        return Content.assemble(
            (("★ " if won else "  ") + ARM_TITLES.get(arm, arm).ljust(_LABEL - 2), strong),
            (percent.rjust(_PERCENT), strong or "bold"),
            count.rjust(_COUNT),
            (interval.rjust(_INTERVAL), "$quiet"),
            "  ",
            interval_bar(rate, bar, colour),
        )


class OutcomeTable(Widget):
    """Every measure over the given arms; blocks stand side by side where the terminal is wide
    enough.
    """

    DEFAULT_CSS = """
    OutcomeTable { height: auto; }
    OutcomeTable ItemGrid { height: auto; grid-gutter: 0 4; }
    """

    def __init__(
        self,
        outcomes: Mapping[str, Outcome],
        measures: Sequence[Measure] = MEASURES,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._outcomes = outcomes
        self._measures = measures

    def compose(self) -> ComposeResult:
        with ItemGrid(min_column_width=74, stretch_height=False):
            for measure in self._measures:
                yield MeasureBlock(measure, self._outcomes)


def _fit(content: Content, width: int) -> Content:
    return content.truncate(width, ellipsis=True, pad=True)
