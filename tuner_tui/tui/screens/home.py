"""Home: the steps, what is done, the recent runs, the way into the guided demo."""

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Label, OptionList, Static

from tuner_tui.errors import UserError
from tuner_tui.tui.step import StepScreen

if TYPE_CHECKING:
    from tuner_tui.tui.messages import RunsListed

_RECENT = 6

_HELP = """\
## Home

Six steps, from a model that fails at tool calls to a measured answer. They are in the order in which they
make sense, and none is locked: go where you like, in any order, and come back.

**New here?** Press **d**: the guided demo walks through all six with a small model and data that ship with
the program. It trains for real, on this machine, in a few minutes, and downloads nothing.

**Compare answers** (`p`): say which of two answers is better. Such pairs are what dpo, reward models and ppo
learn from.

**Recent runs** are alive, finished, stopped, failed or lost. Enter watches one.
"""


class HomeScreen(StepScreen):
    """Where the journey begins and comes back to."""

    STEP = "home"
    TITLE = "Home"
    CSS_PATH = "home.tcss"
    HELP = _HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next_step", "Open", id="home.open"),
        Binding("d", "demo", "Guided demo", id="home.demo"),
        Binding("o", "doctor", "Doctor", id="home.doctor"),
        Binding("r", "app.go('runs')", "Runs", id="home.runs"),
        Binding("p", "app.go('prefer')", "Prefer", id="home.prefer"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        from tuner_tui.tui.widgets.run_list import RunList
        from tuner_tui.tui.widgets.steps_list import StepsList

        yield Static(
            Content.assemble(
                ("tuner  ", "bold $primary"),
                ("From failing tool calls to a measured answer.", "bold"),
            )
        )
        yield Static(
            "Decide whether to fine-tune, inspect the data, train with QLoRA, measure.",
            classes="quiet prose",
        )
        with Vertical(id="steps-part"):
            yield Label("The journey", classes="heading")
            yield StepsList(id="steps")
        with Vertical(id="runs-part"):
            yield Label("Recent runs", classes="heading")
            yield RunList(id="recent")
            yield Static(
                Content.assemble(
                    ("None yet. ", "$quiet"),
                    ("d", "bold $primary"),
                    (" starts the guided demo: a real run on this machine, in a few minutes.", "$quiet"),
                ),
                id="no-runs",
            )

    def on_body_ready(self) -> None:
        self._timer = self.set_interval(3.0, self._list)
        self.refresh_body()

    def refresh_body(self) -> None:
        from tuner_tui.tui.widgets.steps_list import StepsList

        if self._timer is not None:
            self._timer.resume()
        self.query_one(StepsList).show(self.journey)
        self._list()

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def action_next_step(self) -> None:
        """Go to the first step that has no result yet."""
        self.tuner.go(self.journey.next_step())

    def action_back(self) -> None:
        """There is nothing behind Home."""

    def action_demo(self) -> None:
        """Begin the guided tour."""
        self.tuner.start_tour()

    def action_doctor(self) -> None:
        """Look at what this machine can do."""
        from tuner_tui.tui.screens.doctor import DoctorScreen

        self.app.push_screen(DoctorScreen())

    @work(thread=True, group="list", exclusive=True, exit_on_error=False)
    def _list(self) -> None:
        from tuner_tui.runs import store
        from tuner_tui.tui.messages import RunsListed

        try:
            self.post_message(RunsListed(store.list_runs()))
        except UserError as error:
            self.app.call_from_thread(self.tuner.complain, str(error))

    def on_runs_listed(self, message: "RunsListed") -> None:
        from tuner_tui.tui.widgets.run_list import RunList

        self.query_one(RunList).show(message.runs[:_RECENT])
        self.query_one("#no-runs").display = not message.runs

    @on(OptionList.OptionSelected, "#steps")
    def _step_chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_id is not None:
            self.tuner.go(event.option_id)

    @on(OptionList.OptionSelected, "#recent")
    def _run_chosen(self) -> None:
        from tuner_tui.tui.widgets.run_list import RunList

        if (run := self.query_one(RunList).chosen) is not None:
            self.journey.run_dir = run.path
            self.tuner.go("train")
