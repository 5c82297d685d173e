"""What Train shows of a run: its head, its curves, its events and its log."""

from collections import deque
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Label, Static

from tuner_tui.runs.metrics import eta
from tuner_tui.tui import train_notes
from tuner_tui.tui.messages import RunPolled
from tuner_tui.tui.widgets.log_tail import LogTail
from tuner_tui.tui.widgets.run_curves import RunCurves
from tuner_tui.tui.widgets.run_state import RunHead


def compose_run(*, smoothing: float, log_scale: bool) -> ComposeResult:
    """The widgets of a run: straight on the body, which scrolls where they do not fit."""
    yield RunHead(id="head")
    yield Static(id="notice", markup=False)
    yield RunCurves(smoothing=smoothing, log_scale=log_scale, id="curves")
    with Horizontal(id="records"):
        with Vertical(id="events-part"):
            yield Label("Events", classes="heading")
            yield LogTail(id="events")
        with Vertical(id="log-part"):
            yield Label("Log", classes="heading")
            yield LogTail(id="log")


class RunView:
    """Those widgets, found on a screen. One run at a time; what is new is added to what is shown."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen
        self._recent: deque[dict[str, Any]] = deque(maxlen=64)
        self._tokens: float | None = None
        self._told_broken = False

    @property
    def curves(self) -> RunCurves:
        """The chart, with what was measured."""
        return self._screen.query_one(RunCurves)

    def begin(self) -> None:
        """Show nothing, for another run."""
        self._told_broken = False
        self.forget(metric=True)
        for log in self._screen.query(LogTail):
            log.clear()

    def forget(self, *, metric: bool = False) -> None:
        """Drop what was measured, and with `metric` which metric was chosen: the files begin anew."""
        self._recent.clear()
        self._tokens = None
        self.curves.clear(metric=metric)

    def show_idle(self, title: str, notice: str) -> None:
        """Say that there is no run, and what can be done."""
        self._screen.query_one(RunHead).show(title, None, None, None)
        self.say(notice)

    def show(self, run_id: str, polled: RunPolled) -> dict[str, Any] | None:
        """Add what is new; returns the first record of a live run with a value that is not finite, once."""
        broken = self._add_metrics(polled.metrics)
        self._screen.query_one("#events", LogTail).write_lines(
            [train_notes.event_line(event) for event in polled.events]
        )
        self._screen.query_one("#log", LogTail).write_lines(polled.log)
        total = polled.status.total
        left = eta(self._recent, total) if total else None
        self._screen.query_one(RunHead).show(run_id, polled.status, left, self._tokens)
        self.curves.chart.total = total
        if broken is None or not polled.status.state.live or self._told_broken:
            return None
        self._told_broken = True
        return broken

    def toggle_log(self) -> None:
        """Between the events and the log, where there is no room for both."""
        self._screen.query_one("#records").toggle_class("-log")

    def say(self, text: str) -> None:
        """The sentence under the head; none for ""."""
        notice = self._screen.query_one("#notice", Static)
        notice.update(text)
        notice.display = bool(text)

    def _add_metrics(self, records: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Returns the first record with a value that is not finite."""
        if not records:
            return None
        self.curves.extend(records)
        self._recent.extend(records)
        for record in records:
            self._tokens = record.get("num_tokens", self._tokens)
        return next((record for record in records if record.get("nonfinite")), None)
