"""The tabs of Evaluate: what to measure, and what came out."""

from functools import partial
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static, TabbedContent, TabPane

from tuner_tui.tui.screens.evaluate_changed import ChangedPane
from tuner_tui.tui.screens.evaluate_suites import SuitesPane
from tuner_tui.tui.widgets.evaluation_text import comparison, error_table, plan
from tuner_tui.tui.widgets.outcome_table import OutcomeTable
from tuner_tui.tui.widgets.prose import Prose
from tuner_tui.tui.widgets.suites_text import suites
from tuner_tui.tui.widgets.tabs import SteadyTabs, show

if TYPE_CHECKING:
    from tuner_tui.tui.evaluation_view import EvaluationView

CHOOSE = "choose"
_HELDOUT_TABS = ("figures", "errors", "changed")


class ResultsView(Vertical):
    """The suites to choose from; figures, errors and changed answers of the held-out rows; all suites."""

    def compose(self) -> ComposeResult:
        with SteadyTabs(id="results"):
            with TabPane("Measure", id=CHOOSE):
                yield SuitesPane(id="suites-pane")
            with TabPane("Figures", id="figures"):
                yield Static(id="plan", classes="prose quiet")
                yield Static(id="comparison", classes="prose")
                yield Vertical(id="outcomes")
            with TabPane("Errors", id="errors"):
                yield Static(id="error-table")
            with TabPane("Changed answers", id="changed"):
                yield ChangedPane(id="changed-pane")
            with TabPane("All suites", id="suites"):
                yield Prose(id="suites-text")

    @property
    def tabs(self) -> TabbedContent:
        """The tabs themselves."""
        return self.query_one(TabbedContent)

    @property
    def suites(self) -> SuitesPane:
        """Where suites are chosen."""
        return self.query_one(SuitesPane)

    @property
    def choosing(self) -> bool:
        """Whether the suites to choose from are shown."""
        return self.tabs.active == CHOOSE

    def next_filter(self) -> None:
        """Other changed answers: all, only the broken ones, only the fixed ones."""
        self.tabs.active = "changed"
        self.query_one(ChangedPane).next_filter()

    def show(self, before: "EvaluationView | None", view: "EvaluationView") -> None:
        """Show a reading, after another one."""
        self.display = True
        self.suites.show(view)
        if before is None or before.suites != view.suites:
            self.query_one("#suites-text", Prose).show(partial(suites, view.suites, details=True))
        if view.summary is not None and (before is None or before.summary != view.summary):
            self._show_heldout(view)
        self._show_tabs(before, view)

    def _show_tabs(self, before: "EvaluationView | None", view: "EvaluationView") -> None:
        """Tabs of what there is; and to the results when there are new ones."""
        tabs = self.tabs
        others = any(suite["name"] != "heldout" for suite in view.suites)
        shown = {"suites": others} | dict.fromkeys(_HELDOUT_TABS, view.summary is not None)
        for name, is_shown in shown.items():
            (tabs.show_tab if is_shown else tabs.hide_tab)(name)
        results = "figures" if view.summary is not None else "suites" if others else CHOOSE
        wanted = tabs.active
        if before is None or before.subject.what != view.subject.what:
            wanted = CHOOSE if view.live else results
        elif view.live and not before.live:
            wanted = CHOOSE
        elif before.live and not view.live and self.choosing and before.suites != view.suites:
            wanted = results if before.summary != view.summary else "suites"
        elif not shown.get(tabs.active, True):
            wanted = results
        if wanted != tabs.active or before is None:
            show(tabs, wanted)

    @work(exclusive=True, group="results")
    async def _show_heldout(self, view: "EvaluationView") -> None:
        self.query_one("#plan", Static).update(plan(view))
        self.query_one("#comparison", Static).update(comparison(view))
        self.query_one("#error-table", Static).update(error_table(view))
        outcomes = self.query_one("#outcomes", Vertical)
        await outcomes.remove_children()
        await outcomes.mount(OutcomeTable(view.outcomes))
        self.query_one(ChangedPane).show(view)
