"""Lines and tables of the pages that are printed on a terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuner_tui.visible import visible


def line(text: str, console: Console | None = None, style: str = "") -> Text:
    """One line of text that may be hostile, its control characters shown; printed, if a console is given."""
    shown = Text(visible(text, one_line=True), style=style)
    if console is not None:
        console.print(shown)
    return shown


def title(text: str, console: Console) -> None:
    """A heading, with room above it."""
    console.print()
    line(text, console, "bold")


def grid(
    texts: Iterable[str], figures: Iterable[str], strong: str = "", *, header: bool = True, room: int = 1
) -> Table:
    """A table without a frame: columns of text, which fold, then columns of figures, which do not; the one
    called `strong` is bold, and `room` is between them, beside the one blank of the box."""
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, room, 0, 0), show_edge=False, show_header=header
    )
    for head in texts:
        table.add_column(line(head), overflow="fold")
    for head in figures:
        style = "bold" if head == strong else ""
        table.add_column(line(head), justify="right", no_wrap=True, style=style)
    return table
