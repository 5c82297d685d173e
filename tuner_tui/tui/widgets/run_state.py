"""The head of the Train screen: what the run does now, how far it is, how long it may take."""

import time

from textual.content import Content
from textual.widget import Widget

from tuner_tui.runs.layout import RunState, Status
from tuner_tui.tui import words
from tuner_tui.tui.text import safe


class RunHead(Widget):
    """Two lines: the state in words and figures, and a bar of the steps done."""

    DEFAULT_CSS = """
    RunHead { height: 2; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._status: Status | None = None
        self._left: tuple[float, float] | None = None
        self._tokens: float | None = None
        self._title = ""

    def show(
        self, title: str, status: Status | None, left: tuple[float, float] | None, tokens: float | None
    ) -> None:
        """Show a run; `left` is the time left in seconds, as a range; `tokens` those trained on so far."""
        self._title, self._status, self._left, self._tokens = title, status, left, tokens
        self.refresh()

    def render(self) -> Content:
        if self._status is None:
            return Content.assemble(Content.styled(self._title, "bold"), "\n", self._bar(0.0, "$quiet"))
        status = self._status
        colour = {
            RunState.FINISHED: "$good",
            RunState.FAILED: "$bad",
            RunState.LOST: "$bad",
            RunState.STOPPED: "$warning",
        }.get(status.state, "$primary")
        share = status.step / status.total if status.total else 0.0
        return Content.assemble(self._line(status), "\n", self._bar(share, colour))

    def _line(self, status: Status) -> Content:
        """The facts in the order of their weight: what does not fit is cut from the end."""
        facts: list[Content] = [words.state(status.state)]
        if status.state.live and status.phase and status.phase not in ("training", str(status.state)):
            facts.append(safe(status.phase, "italic", one_line=True))
        if status.total:
            facts.append(Content(f"step {status.step:,} of {status.total:,}"))
        if status.state.live and self._left is not None and status.step < status.total:
            facts.append(Content(f"{words.duration_range(*self._left)} left"))
        if status.started is not None:
            end = status.ended or (time.time() if status.state.live else status.heartbeat)
            facts.append(
                Content.styled(f"{words.duration(end - status.started)} so far", "$quiet")
                if status.state.live
                else Content.styled(f"took {words.duration(end - status.started)}", "$quiet")
            )
        if status.epoch is not None:
            facts.append(Content.styled(f"epoch {status.epoch:.2f}", "$quiet"))
        if self._tokens is not None:
            facts.append(Content.styled(f"{words.count(self._tokens)} tokens", "$quiet"))
        facts.append(safe(self._title, "$quiet", one_line=True))
        gap = "  ·  " if self.size.width >= 96 else " · "
        return Content.styled(gap, "$quiet 60%").join(facts)

    def _bar(self, share: float, colour: str) -> Content:
        width = max(1, self.size.width)
        full = min(width, int(width * share))
        return Content.assemble(("━" * full, colour), ("─" * (width - full), "$quiet 30%"))
