"""Evaluate: the base and the tuned model on the same held-out items, figures first, then the
answers themselves.
"""

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import OptionList, Static, TabbedContent, TabPane
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from tuner_tui.errors import UserError
from tuner_tui.tui.step import StepScreen

if TYPE_CHECKING:
    from tuner_tui.evaluation.compare import Changed
    from tuner_tui.tui.evaluation_view import EvaluationView

_POLL_SECONDS = 1.0
_FILTERS = ("all", "broken", "fixed")


class EvaluateScreen(StepScreen):
    """What will be measured, how far it is, what came out, and the items that changed."""

    STEP = "evaluate"
    TITLE = "Evaluate"
    CSS_PATH = "evaluate.tcss"
    HELP = """\
# Evaluate

Held-out requests are answered by the **base model** with three prompts (plain, with an instruction,
with worked examples) and by the **tuned model** with the plain prompt. All arms share one copy of the
weights and one parser, so a difference between base and tuned is the adapter's doing.

- **Full match**: the right tool with every argument right. The figure that counts.
- **No call kept**: requests that no tool serves, answered in words. Read it beside full match: a
  model that never calls keeps them all.
- **Call or no call**, **tool selection**, **arguments** tell where a full match is lost.
- **Strict format**: the call could be read without lenient parsing.

Each rate stands with its 95% interval (Wilson). Two arms on the same items are compared with McNemar's
exact test and a bootstrap interval of the difference. ★ marks the highest rate; it is no proof of a
difference.

Without a run the base model is measured alone: that tells whether there is anything to train for.
The evaluation is a process of its own: closing the window does not end it.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "Start", id="evaluate.start"),
        Binding("x", "cancel", "Stop", id="evaluate.cancel"),
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

    class Failed(Message):
        """Reading or starting failed, for a reason that the person can mend."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self) -> None:
        super().__init__()
        self._view: EvaluationView | None = None
        self._starting = False
        self._filter = _FILTERS[0]
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        from tuner_tui.tui.widgets.arm_progress import ArmProgress

        yield Static(id="headline", classes="prose")
        yield Static(id="plan", classes="prose quiet")
        yield ArmProgress(id="arms")
        with TabbedContent(id="results"):
            with TabPane("Figures", id="figures"):
                yield Static(id="comparison", classes="prose")
                yield Vertical(id="outcomes")
            with TabPane("Errors", id="errors"):
                yield Static(id="error-table")
            with TabPane("Changed answers", id="changed"):
                yield Static(id="changed-line", classes="quiet")
                with Horizontal(id="changed-row"):
                    yield OptionList(id="changed-list", compact=True, markup=False)
                    yield VerticalScroll(id="changed-item", can_focus=True)
            with TabPane("All suites", id="suites"):
                yield Static(id="suites-text", classes="prose")

    def on_body_ready(self) -> None:
        self.query_one("#results").display = False
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
        if action == "start":
            return view is not None and not live and not view.subject.obstacle
        if action == "cancel":
            return live
        if action == "filter":
            return view is not None and bool(view.changed)
        if action == "tab":
            return view is not None and bool(view.summary or view.suites)
        return super().check_action(action, parameters)

    def action_start(self) -> None:
        """Start the evaluation of the run, or of the base model when there is no run."""
        if self._view is None or self._view.live or self._starting:
            return
        self._starting = True
        self.refresh_bindings()
        self._start(self._view)

    def action_cancel(self) -> None:
        """Ask the evaluator to stop; the answers that it has stored are kept."""
        from tuner_tui.evaluation.launch import stop_evaluation

        if self._view is not None and self._view.live and self._view.subject.eval_dir is not None:
            stop_evaluation(self._view.subject.eval_dir)
            self.notify("Stopping after this batch; what is answered so far is kept.", markup=False)

    def action_go_on(self) -> None:
        """The next sensible thing: start, see the training, decide with figures, or read the
        report.
        """
        view = self._view
        if view is None or view.live or self._starting:
            return
        if view.subject.run_dir is not None and "tuned" in view.outcomes:
            self.tuner.go("report")
        elif view.subject.run_dir is None and view.summary is not None:
            self.tuner.go("decide")
        elif view.subject.config.method == "reward" and view.subject.run_dir is not None:
            self.tuner.go("report")
        elif view.subject.obstacle:
            self.tuner.go("train" if view.subject.run_dir is not None else "configure")
        else:
            self.action_start()

    def action_tab(self, step: int) -> None:
        """Show the neighbouring tab."""
        from tuner_tui.tui.widgets.tabs import cycle

        cycle(self.query_one(TabbedContent), step)

    def action_filter(self) -> None:
        """All changed answers, only the broken ones, only the fixed ones."""
        self._filter = _FILTERS[(_FILTERS.index(self._filter) + 1) % len(_FILTERS)]
        self.query_one(TabbedContent).active = "changed"
        self._show_changed()

    @work(thread=True, exclusive=True, exit_on_error=False, group="read")
    def _read(self) -> None:
        from tuner_tui.tui.evaluation_view import read_view

        worker = get_current_worker()
        known = self._view.plan if self._view is not None else None
        try:
            view = read_view(self.journey, known)
        except UserError as error:
            self.post_message(self.Failed(str(error)))
            return
        if not worker.is_cancelled:
            self.post_message(self.Read(view))

    @work(thread=True, exclusive=True, exit_on_error=False, group="start")
    def _start(self, view: "EvaluationView") -> None:
        from tuner_tui.evaluation.progress import read_progress
        from tuner_tui.tui.evaluation_view import start

        try:
            eval_dir = start(view.subject)
        except UserError as error:
            self.post_message(self.Failed(str(error)))
            return
        if view.subject.run_dir is None:
            self.journey.baseline_dir = eval_dir
        else:
            self.journey.run_dir = view.subject.run_dir
        if not read_progress(eval_dir).state.live:
            said = "All of this has been measured, and nothing has changed since."
            self.app.call_from_thread(self.notify, said, markup=False)
        self._read()

    def _poll(self) -> None:
        if self.is_current:
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
        if view.subject.run_dir is None and view.summary is not None and not view.live:
            self.journey.baseline = view.outcomes
        if self._timer is not None:
            (self._timer.resume if view.live and self.is_current else self._timer.pause)()
        if before == view:
            return
        self._show(view, results=before is None or before.summary != view.summary)
        self.update_stepper()
        self.refresh_bindings()

    def _show(self, view: "EvaluationView", *, results: bool) -> None:
        from tuner_tui.tui.widgets.arm_progress import ArmProgress
        from tuner_tui.tui.widgets.evaluation_text import arm_lines, headline, plan

        self.query_one("#headline", Static).update(headline(view))
        self.query_one("#plan", Static).update(plan(view))
        arms = self.query_one("#arms", ArmProgress)
        arms.arms = arm_lines(view)
        arms.display = view.progress is not None and (view.live or view.summary is None)
        # Figures of an earlier evaluation stay in sight until new ones replace them.
        self.query_one("#results").display = bool(view.summary or view.suites) and not view.live
        self._show_suites(view)
        if results and view.summary is not None:
            self._show_results(view)

    def _show_suites(self, view: "EvaluationView") -> None:
        """A tab of all suites, where there is another than held-out rows."""
        from tuner_tui.tui.widgets.suites_text import suites

        tabs = self.query_one("#results", TabbedContent)
        others = any(suite["name"] != "heldout" for suite in view.suites)
        (tabs.show_tab if others else tabs.hide_tab)("suites")
        self.query_one("#suites-text", Static).update(suites(view.suites))
        for name in ("figures", "errors", "changed"):
            (tabs.show_tab if view.summary is not None else tabs.hide_tab)(name)
        if view.summary is None and others:
            tabs.active = "suites"

    @work(exclusive=True, group="results")
    async def _show_results(self, view: "EvaluationView") -> None:
        from tuner_tui.tui.widgets.evaluation_text import comparison, error_table
        from tuner_tui.tui.widgets.outcome_table import OutcomeTable

        self.query_one("#comparison", Static).update(comparison(view))
        self.query_one("#error-table", Static).update(error_table(view))
        outcomes = self.query_one("#outcomes", Vertical)
        await outcomes.remove_children()
        await outcomes.mount(OutcomeTable(view.outcomes))
        self._show_changed()

    def _show_changed(self) -> None:
        from tuner_tui.tui.widgets.evaluation_text import changed_line, changed_option

        if self._view is None:
            return
        shown = self._shown()
        self.query_one("#changed-line", Static).update(changed_line(self._view, self._filter))
        options = self.query_one("#changed-list", OptionList)
        options.clear_options()
        options.add_options(Option(changed_option(each)) for each in shown)
        self.query_one("#changed-row").display = bool(shown)
        if shown:
            options.highlighted = 0

    def _shown(self) -> "list[Changed]":
        changed = self._view.changed if self._view is not None else []
        return [each for each in changed if self._filter in ("all", each.direction)]

    @on(OptionList.OptionHighlighted, "#changed-list")
    async def _changed_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        from tuner_tui.tui.widgets.diff_view import DiffView
        from tuner_tui.tui.widgets.evaluation_text import compared_titles

        shown = self._shown()
        if self._view is None or not 0 <= event.option_index < len(shown):
            return
        each = shown[event.option_index]
        place = self.query_one("#changed-item", VerticalScroll)
        async with self.batch():
            await place.remove_children()
            await place.mount(
                DiffView(each.request, each.gold, each.before, each.after, titles=compared_titles(self._view))
            )
        place.scroll_home(animate=False)
