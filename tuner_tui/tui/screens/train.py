"""Train: start a run, watch it, stop it, save it, resume it. The run is a process of its own."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.worker import Worker, WorkerState, get_current_worker

from tuner_tui.errors import UserError
from tuner_tui.runs import control
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import RunReader
from tuner_tui.tui import train_notes
from tuner_tui.tui.messages import LaunchFailed, RunLaunched, RunPolled, RunUnreadable, poll
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.screens.train_view import RunView, compose_run
from tuner_tui.tui.step import StepScreen
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.training.config import TrainConfig


class TrainScreen(StepScreen):
    """The run that the journey is on: its loss, its figures, its events and its log."""

    STEP = "train"
    TITLE = "Train"
    CSS_PATH = "train.tcss"
    HELP = train_notes.HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "primary", "Next", show=False, id="train.primary"),
        Binding("s", "start", "Start", id="train.start"),
        Binding("s", "stop", "Stop", id="train.stop"),
        Binding("u", "resume", "Resume", id="train.resume"),
        Binding("c", "save", "Checkpoint", id="train.save"),
        Binding("g", "log_scale", "Log scale", id="train.log_scale"),
        Binding("m", "smoothing", "Smooth", id="train.smoothing"),
        Binding("l", "log", "Log", id="train.log"),
        Binding("v", "metrics", "Values", id="train.metrics"),
        Binding("left_square_bracket", "chart(-1)", "Chart before", show=False),
        Binding("right_square_bracket", "chart(1)", "Charts", key_display="[ ]"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._run = RunView(self)
        self._reader: RunReader | None = None
        self._status: Status | None = None
        self._generation = 0
        self._method = "sft"
        self._polling = False
        self._launching = False
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        settings = self.tuner.settings
        yield from compose_run(smoothing=settings.smoothing, log_scale=settings.log_scale)

    def on_body_ready(self) -> None:
        self._timer = self.set_interval(1 / self.tuner.settings.polls_per_second, self._look)
        self._follow_journey()

    def refresh_body(self) -> None:
        if self._timer is not None:
            self._timer.resume()
        self._follow_journey()

    def on_screen_suspend(self) -> None:
        # An interval keeps ticking behind another mode: look only while somebody looks.
        if self._timer is not None:
            self._timer.pause()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that mean something for the run as it is now."""
        state = self._status.state if self._status else None
        live = state is not None and state.live
        possible = {
            "start": not live and not self._launching and self.journey.config is not None,
            "stop": live and state is not RunState.STOPPING,
            "save": live and state is not RunState.STOPPING,
            "resume": state in train_notes.RESUMABLE and not self._launching,
            "next_step": not live and "train" in self.journey.done(),
            "log_scale": self._reader is not None,
            "smoothing": self._reader is not None,
            "log": self._reader is not None,
            "metrics": self._reader is not None and bool(self._run.curves.records),
            "chart": self._reader is not None,
        }
        return possible.get(action, True)

    # What the person asks for

    def action_primary(self) -> None:
        """The one thing that comes next: configure, start, or evaluate."""
        if self._status is not None:
            if self.check_action("next_step", ()):
                self.action_next_step()
        elif self.journey.config is None:
            self.tuner.go("configure")
        elif not self._launching:
            self._launch(self.journey.config)

    def action_next_step(self) -> None:
        """On to Evaluate; a reward model answers nothing that could be evaluated, and is reported at once."""
        self.tuner.go("report" if self._method == "reward" and self._reader is not None else "evaluate")

    def action_start(self) -> None:
        """Start a run from the configuration; a run that has ended stays where it is."""
        if self.journey.config is not None:
            self._launch(self.journey.config)

    def action_stop(self) -> None:
        """Stop with a checkpoint, after a question."""
        if (run_dir := self.journey.run_dir) is not None:
            self.app.push_screen(
                ConfirmScreen("Stop this run?", train_notes.STOP, "Stop with a checkpoint", "Go on"),
                partial(self._stop, run_dir),
            )

    def action_save(self) -> None:
        """Ask the trainer for a checkpoint at its next step."""
        if self.journey.run_dir is not None and self._request(control.request_save, self.journey.run_dir):
            self.notify("A checkpoint will be written after the next step.")

    def action_resume(self) -> None:
        """Go on from the last checkpoint, in a new process."""
        if self.journey.run_dir is not None:
            self._launch(self.journey.run_dir)

    def action_log_scale(self) -> None:
        """Between a linear and a logarithmic axis."""
        self._run.curves.change_scale()

    def action_smoothing(self) -> None:
        """The next strength of smoothing: none, light, medium, strong."""
        self._run.curves.change_smoothing()

    def action_log(self) -> None:
        """Between the events and the log, where there is no room for both."""
        self._run.toggle_log()

    def action_chart(self, step: int) -> None:
        """Chart the neighbouring metric."""
        self._run.curves.step_metric(step)

    def action_metrics(self) -> None:
        """All metrics with their last values and what they mean; Enter charts one."""
        from tuner_tui.tui.screens.metrics import MetricsScreen

        curves = self._run.curves
        screen = MetricsScreen(self._method, curves.records, curves.metric)
        self.app.push_screen(screen, lambda name: None if name is None else curves.show_metric(name))

    def _stop(self, run_dir: Path, confirmed: bool | None) -> None:
        if confirmed and self._request(control.request_stop, run_dir):
            self.notify("Stopping: the trainer finishes its step and writes a checkpoint.")

    def _request(self, request: Any, run_dir: Path) -> bool:
        try:
            request(run_dir)
        except OSError as error:
            self.tuner.complain(f"{run_dir}: the request cannot be written ({error.strerror}).")
            return False
        return True

    # Starting

    def _launch(self, what: "TrainConfig | Path") -> None:
        self._launching = True
        self._say("Starting the process …")
        self.refresh_bindings()
        self._launch_in_thread(what)

    @work(thread=True, group="launch", exit_on_error=False)
    def _launch_in_thread(self, what: "TrainConfig | Path") -> None:
        from tuner_tui.training.launchers import local

        try:
            if isinstance(what, Path):
                local.resume(what)
                run_dir = what
            else:
                run_dir = local.launch(what)
        except (UserError, OSError) as error:
            self.post_message(LaunchFailed(str(error)))
        else:
            self.post_message(RunLaunched(run_dir))

    def on_run_launched(self, message: RunLaunched) -> None:
        self._launching = False
        self.journey.run_dir = message.run_dir
        self._follow_journey()

    def on_launch_failed(self, message: LaunchFailed) -> None:
        self._launching = False
        self.tuner.complain(message.reason)
        # It stays on the screen: the notification does not.
        self._say(visible(message.reason))
        self.refresh_bindings()

    # Watching

    def _follow_journey(self) -> None:
        """Watch the run that the journey is on; begin anew when it is another one."""
        run_dir = self.journey.run_dir
        if run_dir is None or (self._reader is not None and self._reader.run_dir == run_dir):
            if run_dir is None:
                self._reader, self._status = None, None
                self._show_idle()
        else:
            self._reader = RunReader(run_dir)
            self._status, self._generation = None, 0
            self._run.begin()
            self.set_class(True, "-watching")
        self.refresh_bindings()
        self._look()

    def _show_idle(self) -> None:
        self.set_class(False, "-watching")
        config = self.journey.config
        title = f"Run “{config.name}” is ready to start" if config is not None else "No run yet"
        self._run.show_idle(title, train_notes.notice(None, config))

    def _look(self) -> None:
        if self._reader is not None and not self._polling:
            self._polling = True
            self._poll_in_thread(self._reader)

    @work(thread=True, group="poll", exit_on_error=False)
    def _poll_in_thread(self, reader: RunReader) -> None:
        try:
            message = poll(reader)
        except UserError as error:
            self.post_message(RunUnreadable(reader.run_dir, str(error)))
            return
        if not get_current_worker().is_cancelled:
            self.post_message(message)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            # Files that no version of this program wrote must not take the window down.
            self._polling, self._launching = False, False
            self._say(f"The run's files could not be read: {event.worker.error!r}.")

    def on_run_unreadable(self, message: RunUnreadable) -> None:
        self._polling = False
        self._say(message.reason)

    async def on_run_polled(self, message: RunPolled) -> None:
        self._polling = False
        if self._reader is None or message.run_dir != self._reader.run_dir:
            self._look()
            return
        if message.generation != self._generation:
            self._generation = message.generation
            self._run.forget()
        if self._status is None or message.method != self._method:
            self._method = message.method
            await self._run.curves.set_method(self._method)
        changed = self._status is None or self._status.state != message.status.state
        first = not self._run.curves.records
        self._status = message.status
        broken = self._run.show(self._reader.id, message)
        if broken is not None:
            self.tuner.complain(train_notes.broken(broken))
        if changed:
            self._say(train_notes.notice(message.status, self.journey.config, self._method))
            self.update_stepper()
        if changed or (first and message.metrics):
            self.refresh_bindings()

    def _say(self, text: str) -> None:
        self._run.say(text)
