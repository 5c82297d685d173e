"""Home: the steps, what is done, the recent runs, the way into the guided demo."""

from textual.app import ComposeResult
from textual.widgets import Static

from tuner_tui.tui.step import StepScreen


class HomeScreen(StepScreen):
    """Where the journey begins and comes back to."""

    STEP = "home"
    TITLE = "Home"

    def compose_body(self) -> ComposeResult:
        yield Static("From failing tool calls to a measured answer.", classes="title")
