"""Runs: every run on this machine; watch one, read its report, delete it."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import OptionList, Static

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.runs import store
from tuner_tui.tui.messages import RunsListed
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.step import StepScreen
from tuner_tui.tui.widgets.run_list import RunList

_HELP = """\
## Runs

Every run keeps its configuration, curves, checkpoints, adapter and report in a folder of its own.

- **running** its process is alive, in this window, in another one, or in none
- **finished** its adapter is saved
- **stopped** on request, with a checkpoint; it can be resumed
- **failed** it ended with an error, which its Train screen tells
- **lost** its process is gone without a last word; it can be resumed from its last checkpoint

The same on the command line: `tuner ls`, `tuner watch RUN`, `tuner rm RUN`.
"""


class RunsScreen(StepScreen):
    """A list that is kept up to date while it is shown."""

    STEP = "runs"
    TITLE = "Runs"
    CSS_PATH = "runs.tcss"
    HELP = _HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "watch", "Watch", id="runs.watch"),
        Binding("o", "report", "Report", id="runs.report"),
        Binding("x,delete", "delete", "Delete", key_display="x", id="runs.delete"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        yield Static("", id="runs-title", classes="title", markup=False)
        yield RunList(id="runs")
        yield Static(
            "No runs yet. A run appears here when it is started: on the Train screen (4), by"
            " `tuner train CONFIG`, or by the guided demo on the Home screen (h, then d).",
            id="runs-empty",
            classes="prose quiet",
            markup=False,
        )

    def on_body_ready(self) -> None:
        self._timer = self.set_interval(2.0, self._list)
        self._list()

    def refresh_body(self) -> None:
        if self._timer is not None:
            self._timer.resume()
        self._list()

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be done to a list that is empty; a run that is live cannot be deleted."""
        chosen = self._chosen()
        if action in ("watch", "report"):
            return chosen is not None
        if action == "delete":
            return chosen is not None and not chosen.status.state.live
        return action != "next_step"

    def action_watch(self) -> None:
        """Watch the run under the cursor."""
        if (run := self._chosen()) is not None:
            self.journey.run_dir = run.path
            self.tuner.go("train")

    def action_report(self) -> None:
        """Go to the report of the run under the cursor."""
        if (run := self._chosen()) is not None:
            self.journey.run_dir = run.path
            self.tuner.go("report")

    def action_delete(self) -> None:
        """Delete the run under the cursor, after a question."""
        if (run := self._chosen()) is not None:
            self.app.push_screen(
                ConfirmScreen(
                    f"Delete the run {run.id}?",
                    f"Its configuration, curves, checkpoints, adapter and report in {run.path} are deleted."
                    " This cannot be undone.",
                    "Delete",
                    "Keep",
                    danger=True,
                ),
                lambda confirmed: self._delete(run) if confirmed else None,
            )

    def _delete(self, run: store.RunSummary) -> None:
        try:
            store.delete_run(run.path)
        except UserError as error:
            self.tuner.complain(str(error))
        else:
            if self.journey.run_dir == run.path:
                self.journey.run_dir = None
                self.update_stepper()
        self._list()

    def _chosen(self) -> store.RunSummary | None:
        return self.query_one(RunList).chosen if self.body_ready else None

    @work(thread=True, group="list", exclusive=True, exit_on_error=False)
    def _list(self) -> None:
        try:
            self.post_message(RunsListed(store.list_runs()))
        except UserError as error:
            self.app.call_from_thread(self.tuner.complain, str(error))

    def on_runs_listed(self, message: RunsListed) -> None:
        self.query_one(RunList).show(message.runs)
        self.query_one("#runs-empty").display = not message.runs
        live = sum(run.status.state.live for run in message.runs)
        count = len(message.runs)
        text = f"{count} run{'' if count == 1 else 's'} in {paths.runs_dir()}" if count else "Runs"
        self.query_one("#runs-title", Static).update(f"{text}, {live} alive" if live else text)
        self.refresh_bindings()

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self.action_watch()

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self.refresh_bindings()
