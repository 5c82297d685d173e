"""Data: open a dataset, see what is in it and what is wrong with it, and which tokens a run would train."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import ContentSwitcher, Static, TabbedContent
from textual.worker import Worker, WorkerState, get_current_worker

from tuner_tui.data.hub import dataset_id
from tuner_tui.tui import dataset_state
from tuner_tui.tui.dataset_settings import InspectionSettings
from tuner_tui.tui.recent import data_suffixes, suggestions, use_dataset
from tuner_tui.tui.screens.data_help import HELP
from tuner_tui.tui.screens.data_plan import PlanPane
from tuner_tui.tui.screens.data_start import StartPane
from tuner_tui.tui.screens.data_view import DatasetView
from tuner_tui.tui.step import StepScreen
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.tabs import cycle, show

if TYPE_CHECKING:
    # These bring the tokenizer along, which is not needed to paint the screen.
    from tuner_tui.data.inspection import Inspection
    from tuner_tui.tui.dataset_rows import DatasetRows
    from tuner_tui.tui.dataset_workers import (
        DatasetFailed,
        DatasetInspected,
        DatasetOpened,
        DatasetProgressed,
        RowsIndexed,
    )


class DataScreen(StepScreen):
    """A dataset, looked at from all sides: overview, findings, rows, one row; divided and mixed."""

    STEP = "data"
    TITLE = "Data"
    CSS_PATH = "data.tcss"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_step", "Use it"),
        Binding("o", "open", "Open"),
        Binding("v", "view", "View"),
        Binding("p", "prefer", "Prefer"),
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False),
        Binding("right_square_bracket", "tab(1)", "Tabs", key_display="[ ]"),
    ]
    AUTO_FOCUS = "#samples"

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None
        self._settings = InspectionSettings()
        self._rows: DatasetRows | None = None
        self._inspection: Inspection | None = None
        self._waiting = False
        """Whether neither the inspection nor its failure has been heard of."""

    def compose_body(self) -> ComposeResult:
        yield Static(id="data-state", markup=False)
        with ContentSwitcher(initial="data-start", id="data-switch"):
            yield StartPane(id="data-start")
            yield DatasetView(id="data-tabs")

    def on_body_ready(self) -> None:
        self._load_modules()
        if self.journey.dataset is not None:
            self.open_file(self.journey.dataset)

    def refresh_body(self) -> None:
        # Another screen may have chosen the file, the model or the longest row meanwhile.
        dataset = self.journey.dataset
        if dataset is not None and dataset != self._path:
            self.open_file(dataset)
        elif self._rows is not None and self._settings != InspectionSettings.of(
            self.journey, self._rows.path
        ):
            self._begin_inspection(self._rows)

    def on_unmount(self) -> None:
        if self._rows is not None:
            self._rows.close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No tabs to go through, and nothing to use, before there is a file."""
        if action in ("tab", "next_step", "prefer"):
            return self._rows is not None
        if action == "view":
            # Where both views stand beside each other there is nothing to change between.
            shown = self._rows is not None and not self.has_class("-wide")
            return shown and self._view.tabs.active == "row"
        return super().check_action(action, parameters)

    def open_file(self, path: Path) -> None:
        """Open a dataset: its first rows at once, then all of them, and what is wrong with them."""
        self._path = path
        self.workers.cancel_group(self, "inspect")
        fetched = dataset_id(str(path)) is not None
        self._say(dataset_state.fetching(str(path)) if fetched else dataset_state.opening(path.name))
        self._open(path)

    def action_open(self) -> None:
        """Choose another file."""
        picker = FilePicker(
            "Open a dataset", suggestions=suggestions(), suffixes=data_suffixes(), folders=True, hub=True
        )
        self.app.push_screen(picker, lambda path: None if path is None else self.open_file(path))

    def action_tab(self, step: int) -> None:
        """Show the neighbouring tab."""
        cycle(self._view.tabs, step)

    def action_view(self) -> None:
        """Change between the messages of the row and what the model reads."""
        self._view.row.change_view()

    def action_prefer(self) -> None:
        """Compare the two answers of each row, or let a model answer its prompts twice."""
        self.journey.compare = self._path
        self.tuner.go("prefer")

    def action_back(self) -> None:
        """Undo what was asked for last: a search, a filter, the inspection; else go home."""
        if self._rows is not None and self._view.back():
            return
        at_work = [each for each in self.workers if each.group in ("open", "inspect") and each.is_running]
        for worker in at_work:
            worker.cancel()
        if not at_work:
            super().action_back()

    def action_next_step(self) -> None:
        """Use this file for training, and go on to Configure."""
        if self._rows is None:
            self.tuner.complain("Open a dataset first (o).")
            return
        use_dataset(self.journey, self._rows.path, self._inspection)
        bad = self._inspection.severities.count(3) if self._inspection is not None else 0
        if bad:
            text = f"{bad:,} of {len(self._rows):,} rows have errors and will be left out."
            self.notify(text, severity="warning", markup=False)
        super().action_next_step()

    def on_start_pane_chosen(self, event: StartPane.Chosen) -> None:
        self.open_file(event.path)

    @on(TabbedContent.TabActivated)
    def _tab_shown(self) -> None:
        self.refresh_bindings()

    def on_plan_pane_used(self, event: PlanPane.Used) -> None:
        """Train on a file that was just written, and evaluate on the second, if there is one."""
        train, *aside = event.files
        use_dataset(self.journey, train, eval=aside[0] if aside else None)
        super().action_next_step()

    async def on_dataset_opened(self, event: "DatasetOpened") -> None:
        if event.asked != self._path:
            event.rows.close()
            return
        self._path = event.rows.path
        if self._rows is not None:
            self._rows.close()
        self._rows = event.rows
        self._inspection = None
        await self._view.show(event.rows)
        switch = self.query_one(ContentSwitcher)
        if switch.current != "data-tabs":
            switch.current = "data-tabs"
            show(self._view.tabs, "overview")
        self._begin_inspection(event.rows)
        self.refresh_bindings()

    def _begin_inspection(self, rows: "DatasetRows") -> None:
        self._settings = InspectionSettings.of(self.journey, rows.path)
        self._inspection = None
        self._waiting = True
        self._view.row.use(rows, self._settings)
        self._inspect(rows, self._settings)

    def on_rows_indexed(self, event: "RowsIndexed") -> None:
        if event.rows is not self._rows:
            return
        self._view.grow()
        if self._waiting:
            self._say(dataset_state.indexing(event.rows.path.name, len(event.rows), event.rows.complete))

    def on_dataset_progressed(self, event: "DatasetProgressed") -> None:
        if event.path == self._path and self._inspection is None:
            self._waiting = False
            self._say(dataset_state.inspecting(event.path.name, event.progress))

    def on_dataset_failed(self, event: "DatasetFailed") -> None:
        if event.path != self._path:
            return
        self._path = self._rows.path if self._rows is not None else None
        self._waiting = False
        if self._inspection is None:
            self._say(safe(f"✗ {event.reason}", "$bad"))
        else:
            # The file that was open before stays on the screen, and so does its state.
            self._say(dataset_state.inspected(self._inspection))
            self.tuner.complain(event.reason)

    def on_dataset_inspected(self, event: "DatasetInspected") -> None:
        inspection = event.inspection
        if inspection.path != self._path or self._rows is None:
            return
        self._inspection = inspection
        self._waiting = False
        if self.journey.dataset == inspection.path:
            self.journey.inspection = inspection
        self._rows.set_inspection(inspection)
        self._say(dataset_state.inspected(inspection))
        self._view.show_inspection(inspection, self._settings, event.note)

    @on(Worker.StateChanged)
    def _worker_ended(self, event: Worker.StateChanged) -> None:
        # No fault of ours may leave the window waiting for what will never come.
        if event.state is WorkerState.ERROR and event.worker.group in ("open", "inspect"):
            self._waiting = False
            name = self._path.name if self._path is not None else "the file"
            self._say(safe(f"✗ {name}: {event.worker.error!r}", "$bad", one_line=True))

    @work(thread=True, exit_on_error=False, group="modules")
    def _load_modules(self) -> None:
        # While the person looks for a file, so that its first rows do not have to wait for it.
        from tuner_tui.tui import dataset_workers  # noqa: F401

    @work(thread=True, exclusive=True, exit_on_error=False, group="open")
    def _open(self, path: Path) -> None:
        from tuner_tui.tui.dataset_workers import open_dataset

        worker = get_current_worker()
        open_dataset(path, self.post_message, lambda: worker.is_cancelled)

    @work(thread=True, exclusive=True, exit_on_error=False, group="inspect")
    def _inspect(self, rows: "DatasetRows", settings: InspectionSettings) -> None:
        from tuner_tui.tui.dataset_workers import inspect

        worker = get_current_worker()
        inspect(rows, settings, self.post_message, lambda: worker.is_cancelled)

    @property
    def _view(self) -> DatasetView:
        return self.query_one(DatasetView)

    def _say(self, state: Content) -> None:
        self.query_one("#data-state", Static).update(state)
