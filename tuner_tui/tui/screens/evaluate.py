"""Evaluate: which suites to measure, how far they are, and what the base and the tuned model reached."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from tuner_tui.errors import UserError
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.screens.evaluate_help import HELP
from tuner_tui.tui.step import StepScreen

if TYPE_CHECKING:
    from tuner_tui.evaluation.orders import Order
    from tuner_tui.tui.evaluation_view import EvaluationReader, EvaluationView
    from tuner_tui.tui.screens.evaluate_results import ResultsView

_POLL_SECONDS = 1.0


class EvaluateScreen(StepScreen):
    """What will be measured, how far it is, what came out, and the items that changed."""

    STEP = "evaluate"
    TITLE = "Evaluate"
    CSS_PATH = "evaluate.tcss"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_step", "Report"),
        Binding("s", "start", "Start", id="evaluate.start"),
        Binding("x", "cancel", "Stop", id="evaluate.cancel"),
        Binding("l", "limit", "Limit", id="evaluate.limit"),
        Binding("o", "file", "File", id="evaluate.file"),
        Binding("enter", "go_on", "Go on", show=False, id="evaluate.go_on"),
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False),
        Binding("right_square_bracket", "tab(1)", "Tabs", key_display="[ ]"),
        Binding("v", "filter", "Fixed/broken", id="evaluate.filter"),
    ]

    class Read(Message):
        """The files were read."""

        def __init__(self, view: "EvaluationView") -> None:
            super().__init__()
            self.view = view

    class Started(Message):
        """The suites are on their way."""

    class Failed(Message):
        """Reading or starting failed, for a reason that the person can mend."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self) -> None:
        super().__init__()
        self._view: EvaluationView | None = None
        self._reader: EvaluationReader | None = None
        self._starting = False
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        from tuner_tui.tui.screens.evaluate_results import ResultsView

        yield Static(id="headline", classes="prose")
        yield ResultsView(id="view")

    def on_body_ready(self) -> None:
        self.query_one("#view").display = False
        self._timer = self.set_interval(_POLL_SECONDS, self._poll, pause=True)
        self.refresh_body()

    def refresh_body(self) -> None:
        self._read()

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that do something now are shown."""
        view = self._view
        live = self._starting or (view is not None and view.live)
        can_start = view is not None and not live and not view.subject.obstacle
        if action == "start":
            return can_start and bool(self._results.suites.orders)
        if action == "cancel":
            return live
        if action in ("limit", "file"):
            return can_start and self._results.choosing
        if action == "filter":
            return view is not None and bool(view.changed) and not self._results.choosing
        if action == "tab":
            return view is not None and bool(view.summary or view.suites)
        return super().check_action(action, parameters)

    @property
    def _results(self) -> "ResultsView":
        from tuner_tui.tui.screens.evaluate_results import ResultsView

        return self.query_one(ResultsView)

    # What the person asks for

    def action_start(self) -> None:
        """Measure what is ticked: of the run, or of the base model when there is no run."""
        if self._view is None or not self.check_action("start", ()):
            return
        orders, again = self._results.suites.orders, self._results.suites.measured
        if not again:
            self._begin(orders)
            return
        from tuner_tui.evaluation.suites import SUITES

        names = ", ".join(SUITES[name].title for name in again)
        text = f"{names}: measured already, with as many items. Its answers would be thrown away."

        def begin(agreed: bool | None) -> None:
            if agreed:
                self._begin([replace(each, fresh=each.suite in again) for each in orders])

        self.app.push_screen(ConfirmScreen("Measure again?", text, "Measure again", "Leave it"), begin)

    def action_cancel(self) -> None:
        """Ask the evaluator to stop; the answers that it has stored are kept."""
        from tuner_tui.tui.evaluation_view import stop

        if self._view is not None and self._view.live:
            stop(self._view)
            self.notify("Stopping after this batch; what is answered so far is kept.", markup=False)

    def action_limit(self) -> None:
        """Fewer items of each suite, or all."""
        self._results.suites.choose_limit()

    def action_file(self) -> None:
        """The file of the items of the suite under the cursor."""
        self._results.suites.choose_file()

    def action_go_on(self) -> None:
        """The next sensible thing: start, see the training, decide with figures, or read the
        report.
        """
        view = self._view
        if view is None or view.live or self._starting:
            return
        run_dir = view.subject.run_dir
        if self._results.choosing and self.check_action("start", ()):
            self.action_start()
        elif run_dir is not None and (view.has_tuned or view.subject.config.method == "reward"):
            self.tuner.go("report")
        elif run_dir is None and view.summary is not None:
            self.tuner.go("decide")
        elif view.subject.obstacle:
            self.tuner.go("train" if run_dir is not None else "configure")
        else:
            self.action_start()

    def action_tab(self, step: int) -> None:
        """Show the neighbouring tab."""
        from tuner_tui.tui.widgets.tabs import cycle

        cycle(self._results.tabs, step)

    def action_filter(self) -> None:
        """All changed answers, only the broken ones, only the fixed ones."""
        self._results.next_filter()

    # Starting and reading

    def _begin(self, orders: "list[Order]") -> None:
        assert self._view is not None
        self._starting = True
        self.refresh_bindings()
        self._start(self._view, orders)

    @work(thread=True, exclusive=True, exit_on_error=False, group="read")
    def _read(self) -> None:
        from tuner_tui.tui.evaluation_view import EvaluationReader

        worker = get_current_worker()
        if self._reader is None:
            self._reader = EvaluationReader()
        try:
            view = self._reader.read(self.journey)
        except UserError as error:
            self.post_message(self.Failed(str(error)))
            return
        if not worker.is_cancelled:
            self.post_message(self.Read(view))

    @work(thread=True, exclusive=True, exit_on_error=False, group="start")
    def _start(self, view: "EvaluationView", orders: "list[Order]") -> None:
        from tuner_tui.evaluation.several import start_suites

        try:
            start_suites(view.subject.what, orders)
        except (UserError, OSError) as error:
            self.post_message(self.Failed(str(error)))
            return
        self.post_message(self.Started())

    def _poll(self) -> None:
        if self.is_current:
            self._read()

    def on_evaluate_screen_started(self) -> None:
        if self._view is not None and self._view.subject.run_dir is None:
            self.journey.base_queue = True
        elif self._view is not None:
            self.journey.run_dir = self._view.subject.run_dir
        self._read()

    def on_evaluate_screen_failed(self, message: Failed) -> None:
        self._starting = False
        self.refresh_bindings()
        self.tuner.complain(message.sentence)
        if self._view is None:
            self.query_one("#headline", Static).update(Content(message.sentence))

    def on_evaluate_screen_read(self, message: Read) -> None:
        before, self._view = self._view, message.view
        self._starting = False
        view = message.view
        if view.subject.run_dir is None and "heldout" in view.folders:
            self.journey.baseline_dir = view.folders["heldout"]
            if view.summary is not None and not view.live:
                self.journey.baseline = view.outcomes
        if self._timer is not None:
            (self._timer.resume if view.live and self.is_current else self._timer.pause)()
        if before == view:
            return
        from tuner_tui.tui.widgets.evaluation_text import headline

        self.query_one("#headline", Static).update(headline(view))
        self._results.show(before, view)
        self.update_stepper()
        self.refresh_bindings()

    def on_suites_pane_choice_changed(self) -> None:
        self.refresh_bindings()

    def on_tabbed_content_tab_activated(self) -> None:
        self.refresh_bindings()
