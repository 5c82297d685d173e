"""An open dataset on its tabs: overview, findings, rows, one row, split, mix; and the ways between them."""

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import TabbedContent, TabPane

from tuner_tui.tui.screens.data_mix import MixPane
from tuner_tui.tui.screens.data_plan import PlanPane
from tuner_tui.tui.screens.data_row import RowPane
from tuner_tui.tui.screens.data_rows import RowsPane
from tuner_tui.tui.screens.data_split import SplitPane
from tuner_tui.tui.widgets.findings import FindingsView, RuleFindings
from tuner_tui.tui.widgets.overview import Overview
from tuner_tui.tui.widgets.row_view import RowPage
from tuner_tui.tui.widgets.tabs import SteadyTabs, show

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection
    from tuner_tui.tui.dataset_rows import DatasetRows
    from tuner_tui.tui.dataset_settings import InspectionSettings


class DatasetView(Vertical):
    """Shows what the screen has read; who opens a row or a finding is taken to it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: DatasetRows | None = None

    def compose(self) -> ComposeResult:
        with SteadyTabs():
            with TabPane("Overview", id="overview"):
                yield Overview(id="overview-view")
            with TabPane("Findings", id="findings"):
                yield FindingsView(id="findings-view")
            with TabPane("Rows", id="rows"):
                yield RowsPane(id="rows-pane")
            with TabPane("Row", id="row"):
                yield RowPane(id="row-pane")
            with TabPane("Split", id="split"):
                yield SplitPane(id="split-pane")
            with TabPane("Mix", id="mix"):
                yield MixPane(id="mix-pane")

    @property
    def tabs(self) -> TabbedContent:
        """The tabs themselves."""
        return self.query_one(TabbedContent)

    @property
    def row(self) -> RowPane:
        """Where one row is shown."""
        return self.query_one(RowPane)

    @property
    def rows(self) -> RowsPane:
        """Where all rows are shown."""
        return self.query_one(RowsPane)

    async def show(self, rows: "DatasetRows") -> None:
        """Show another dataset, of which nothing is known yet but its first rows."""
        self._rows = rows
        self.rows.show(rows)
        self.query_one(SplitPane).use(rows)
        await self.query_one(MixPane).use(rows)

    def grow(self) -> None:
        """More rows were found."""
        self.rows.grow()

    def show_inspection(self, inspection: "Inspection", settings: "InspectionSettings", note: str) -> None:
        """Show what is in the dataset and what is wrong with it."""
        self.query_one(Overview).show(inspection, settings, note)
        kept = inspection.tally.findings.kept
        groups = [
            RuleFindings(each.rule, each.count, len(each.rows), kept.get(each.rule, ()))
            for each in inspection.by_rule()
        ]
        self.query_one(FindingsView).show(groups)
        self.rows.set_inspection(inspection)
        if self.tabs.active == "row":
            self._show_row()

    def back(self) -> bool:
        """Undo what was asked for last on the tab that is shown; False when there was nothing."""
        pane = self.tabs.active_pane
        return pane is not None and any(
            each.back() for each in (*pane.query(RowsPane), *pane.query(PlanPane))
        )

    @on(TabbedContent.TabActivated)
    def _tab_shown(self, event: TabbedContent.TabActivated) -> None:
        if event.pane.id == "row":
            self._show_row()
        for plan in event.pane.query(PlanPane):
            plan.refresh_plan()

    def on_rows_pane_opened(self, event: RowsPane.Opened) -> None:
        self.row.choose(event.index)
        self._go_to_row()

    def on_findings_view_opened(self, event: FindingsView.Opened) -> None:
        if event.finding.row is not None:
            self.row.choose(event.finding.row - 1, event.finding)
            self._go_to_row()

    def on_findings_view_filtered(self, event: FindingsView.Filtered) -> None:
        pane = self.rows
        if pane.show_rule(event.rule):
            show(self.tabs, "rows", pane.table)

    def on_row_page_stepped(self, event: RowPage.Stepped) -> None:
        if isinstance(event, RowPage.FindingStepped):
            return
        pane = self.row
        index = self.rows.neighbour(pane.index, event.step)
        if index is not None:
            pane.choose(index)
            self._show_row()

    def on_row_page_finding_stepped(self, event: RowPage.FindingStepped) -> None:
        pane = self.row
        if not pane.step_finding(event.step):
            index = self.rows.next_fault(pane.index, event.step)
            if index is None:
                self.notify("No fault further on." if event.step > 0 else "No fault before.", markup=False)
                return
            pane.choose(index, last=event.step < 0)
            pane.show("")
            if event.step > 0:
                pane.step_finding(1)
        self._show_row()

    def _go_to_row(self) -> None:
        tabs = self.tabs
        if tabs.active == "row":
            self._show_row()
        show(tabs, "row")

    def _show_row(self) -> None:
        if self._rows is None:
            return
        rows, pane = self.rows, self.row
        rows.move_to(pane.index)
        pane.show(rows.place(pane.index))
