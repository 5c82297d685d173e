"""The line above a dataset: how far its inspection has come, or what was found."""

from typing import TYPE_CHECKING

from textual.content import Content

from tuner_tui.data.progress import Progress
from tuner_tui.tui import words
from tuner_tui.tui.widgets.findings import severity_counts
from tuner_tui.tui.widgets.histogram import bar
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection

_BAR = 12
_MINUTES = 600  # seconds


def opening(name: str) -> Content:
    """Before the first rows are there."""
    return _working(name, "opening …")


def fetching(name: str) -> Content:
    """A dataset of the hub is being downloaded."""
    return _working(name, "being fetched from the Hugging Face hub …")


def indexing(name: str, rows: int, complete: bool) -> Content:
    """The rows are being counted, or all are; they are judged next."""
    return _working(name, f"{rows:,} rows, to be inspected …" if complete else f"{rows:,} rows so far …")


def inspecting(name: str, progress: Progress) -> Content:
    """How much is inspected, how fast, and for how long it will go on."""
    share = progress.share
    parts = [f"{progress.rows:,} rows", f"{progress.rows_per_second:,.0f} rows/s"]
    if progress.eta is not None:
        # A guess needs no seconds when it is a matter of minutes.
        eta = progress.eta if progress.eta < _MINUTES else round(progress.eta / 60) * 60
        parts.append(f"about {words.duration(eta).replace(' 00 s', '')} left")
    amounts = f"{words.size(progress.done)} of {words.size(progress.total)}"
    return Content.assemble(
        ("◔ ", "$warning"),
        (visible(name, one_line=True), "bold"),
        "  ",
        (bar(share, _BAR), "$primary on $panel"),
        f" {share:.0%}",
        (f"  {amounts} · {' · '.join(parts)}  Esc stops", "$quiet"),
    )


def inspected(inspection: "Inspection") -> Content:
    """What was found, and whether all rows were looked at."""
    name = visible(inspection.path.name, one_line=True)
    state = Content.assemble((name, "bold"), "   ", severity_counts(inspection.counts))
    if left_out := len(inspection.left_out.data):
        state = state.append(
            Content.styled(f"   {left_out:,} {'file' if left_out == 1 else 'files'} left out", "$warning")
        )
    if inspection.complete:
        return state
    return state.append(Content.styled(f"   stopped after {inspection.rows:,} rows", "$warning"))


def _working(name: str, text: str) -> Content:
    return Content.assemble(
        ("◔ ", "$warning"), (visible(name, one_line=True), "bold"), (f"   {text}   Esc cancels", "$quiet")
    )
