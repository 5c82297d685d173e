"""A recommendation, printed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.decide.recommendation import Recommendation


def print_advice(advice: "Recommendation", console: "Console") -> None:
    """The recommendation, for a person."""
    from rich.table import Table
    from rich.text import Text

    from tuner_tui.decide.techniques import technique

    def listed(title: str, lines: list[str], mark: str = "•") -> None:
        if not lines:
            return
        console.print()
        console.print(Text(title, style="bold"))
        grid = Table.grid(padding=(0, 1))
        for number, line in enumerate(lines, 1):
            grid.add_row(f"  {number}." if mark == "1" else f"  {mark}", Text(line))
        console.print(grid)

    console.print(Text(advice.headline, style="bold cyan"))
    listed("Why", advice.reasons)
    listed("What to do first", advice.first_steps, "1")
    listed("Otherwise", [f"{technique(each.technique).name}, {each.reason}" for each in advice.alternatives])
    if advice.preset:
        console.print()
        console.print(Text(f"Preset: tuner init {advice.preset} > config.yaml"))
