"""How far an evaluation is: one line for each arm, with a state word, a bar, a count and the time
left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tuner_tui.evaluation.arms import ARM_TITLES

ArmState = Literal["done", "running", "waiting", "stopped"]

_STATES: Final[dict[ArmState, tuple[str, str, str]]] = {
    "done": ("✓", "done", "$good"),
    "running": ("●", "running", "$primary"),
    "waiting": ("○", "waiting", "$quiet"),
    "stopped": ("■", "stopped", "$warning"),
}
_MOST_BAR = 40


@dataclass(frozen=True, slots=True)
class ArmLine:
    """One arm: `done` of `total` items answered, `eta` seconds left (None when not known)."""

    arm: str
    state: ArmState
    done: int = 0
    total: int = 0
    eta: float | None = None


class ArmProgress(Widget):
    """The arms of one evaluation, in the order in which they are measured."""

    DEFAULT_CSS = """
    ArmProgress { height: auto; }
    """

    arms: reactive[Sequence[ArmLine]] = reactive((), layout=True)

    def render(self) -> Content:
        bar = min(max((self.content_size.width or 80) - 66, 8), _MOST_BAR)
        return Content("\n").join(_line(line, bar) for line in self.arms)


def _line(line: ArmLine, bar: int) -> Content:
    symbol, word, colour = _STATES[line.state]
    filled = round(bar * line.done / line.total) if line.total else 0
    left = f"about {line.eta:.0f} s left" if line.eta is not None and line.state == "running" else ""
    return Content.assemble(
        (f"{symbol} ", colour),
        ARM_TITLES.get(line.arm, line.arm).ljust(26),
        (word.ljust(9), colour),
        ("━" * filled, colour),
        ("─" * (bar - filled), "$quiet"),
        (f"{line.done:>5}/{line.total}" if line.total else "").ljust(10),
        (left, "$quiet"),
    )
