"""Data: pick a file, see what is in it, what is wrong with it, and which tokens a run would train."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, OptionList, Static, TabbedContent, TabPane
from textual.widgets.option_list import Option
from textual.worker import Worker, get_current_worker

from tuner_tui.data.stats import kind
from tuner_tui.tui.dataset_rows import COLUMNS, DatasetRows
from tuner_tui.tui.recent import data_suffixes, remember_dataset, suggestions, with_dataset
from tuner_tui.tui.step import StepScreen
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.dataset_table import DatasetTable
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.findings import FindingsView, severity_counts
from tuner_tui.tui.widgets.overview import Overview
from tuner_tui.tui.widgets.row_view import RowPage, RowView
from tuner_tui.tui.widgets.tabs import cycle, show
from tuner_tui.visible import visible

if TYPE_CHECKING:
    # These bring the tokenizer along, which is not needed to paint the screen.
    from tuner_tui.data.inspection import Inspection
    from tuner_tui.tui.dataset_workers import (
        DatasetFailed,
        DatasetInspected,
        DatasetOpened,
        DatasetProgressed,
        RowRendered,
        RowRenderer,
    )


class DataScreen(StepScreen):
    """A file, looked at from four sides: overview, findings, rows, one row."""

    STEP = "data"
    TITLE = "Data"
    CSS_PATH = "data.tcss"
    HELP = """\
# Data

The model learns what the rows show, faults included: look before you train.

- **Overview**: the layout, the kinds of rows, the tools, and how long the rows are in tokens.
- **Findings**: what is wrong, worst first, why it matters and how to mend it. Enter goes to the rows, Enter
  again opens one. Rows with an error (✗) are left out of a run; warnings (▲) are yours to decide.
- **Rows**: all of them, however many. Enter opens one.
- **Row**: its messages, and (`v`) the text that the model reads, through its chat template. Tokens that are
  **underlined on a coloured ground are trained**: the loss counts there, and only there. If the answer is not
  marked, the row teaches nothing.

`n` takes the file to Configure. Without the app: `tuner inspect FILE`.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_step", "Use it"),
        Binding("o", "open", "Open"),
        Binding("v", "view", "View"),
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False),
        Binding("right_square_bracket", "tab(1)", "Tabs", key_display="[ ]"),
    ]
    AUTO_FOCUS = "#samples"

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None
        self._settings: tuple[str, int | None] = ("", None)
        self._rows: DatasetRows | None = None
        self._inspection: Inspection | None = None
        self._index = 0
        self._inspecting: Worker[None] | None = None
        self._renderer: RowRenderer | None = None

    def compose_body(self) -> ComposeResult:

        yield Static(id="data-state", markup=False)
        with ContentSwitcher(initial="data-start", id="data-switch"):
            with VerticalScroll(id="data-start", can_focus=False):
                yield Static(
                    "Which rows shall the model learn from? Open a file with o, or look at one of these:",
                    classes="prose",
                    markup=False,
                )
                yield OptionList(id="samples", compact=True, markup=False)
                yield Static(
                    "JSON Lines or JSON, in any of these layouts: conversations with tools, OpenAI "
                    "fine-tuning, ShareGPT, prompt and completion, preference pairs. The layout is told from "
                    "the content.",
                    classes="prose quiet",
                    id="layouts",
                    markup=False,
                )
            with TabbedContent(id="data-tabs"):
                with TabPane("Overview", id="overview"):
                    yield Overview(id="overview-view")
                with TabPane("Findings", id="findings"):
                    yield FindingsView(id="findings-view")
                with TabPane("Rows", id="rows"):
                    yield DatasetTable(COLUMNS, id="rows-table")
                with TabPane("Row", id="row"):
                    yield RowView(id="row-view")

    def on_body_ready(self) -> None:

        samples = self.query_one("#samples", OptionList)
        for each in suggestions():
            name = f"{visible(each.path.name, one_line=True):<22}"
            samples.add_option(
                Option(
                    Content.assemble(name, (visible(each.note, one_line=True), "$quiet")), id=str(each.path)
                )
            )
        samples.highlighted = 0 if samples.option_count else None
        self.set_class(True, "-messages")
        if self.journey.dataset is not None:
            self.open_file(self.journey.dataset)

    def refresh_body(self) -> None:
        # Another screen may have chosen the file, the model or the longest row meanwhile.
        dataset = self.journey.dataset
        if dataset is not None and dataset != self._path:
            self.open_file(dataset)
        elif self._path is not None and self._settings != self._model_and_length():
            self.open_file(self._path)

    def on_unmount(self) -> None:
        if self._rows is not None:
            self._rows.close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No tabs to go through, and nothing to use, before there is a file."""
        if action in ("tab", "next_step"):
            return self._rows is not None
        if action == "view":
            if self._rows is None or self.has_class("-wide"):
                return False
            return self.query_one(TabbedContent).active == "row"
        return super().check_action(action, parameters)

    def open_file(self, path: Path) -> None:
        """Inspect the file, and show it."""
        self._path = path
        self._settings = self._model_and_length()
        self._say("◔", "$warning", path.name, "opening …   Esc cancels")
        self._inspecting = self._inspect(path, *self._settings)

    def action_open(self) -> None:
        """Choose another file."""

        picker = FilePicker("Open a dataset", suggestions=suggestions(), suffixes=data_suffixes())
        self.app.push_screen(picker, lambda path: None if path is None else self.open_file(path))

    def action_tab(self, step: int) -> None:
        """Show the neighbouring tab."""

        cycle(self.query_one(TabbedContent), step)

    def action_view(self) -> None:
        """Change between the messages and what the model reads."""
        self.toggle_class("-messages")
        page = "#row-messages" if self.has_class("-messages") else "#row-tokens"
        self.query_one(page).focus()

    def action_back(self) -> None:
        """Cancel the inspection if one is on; else go home."""
        if self._inspecting is not None and self._inspecting.is_running:
            self._inspecting.cancel()
        else:
            super().action_back()

    def action_next_step(self) -> None:
        """Use this file for training, and go on to Configure."""

        if self._rows is None:
            self.tuner.complain("Open a dataset first (o).")
            return
        path = self._rows.path
        self.journey.dataset = path
        self.journey.inspection = self._inspection
        config = self.journey.config
        if config is not None and config.data.train != [path]:
            self.journey.config = with_dataset(config, path)
        remember_dataset(path)
        findings = self._inspection.findings if self._inspection else []
        bad = {each.row for each in findings if each.severity == "error" and each.row is not None}
        if bad:
            text = f"{len(bad):,} of {len(self._rows):,} rows have errors and will be left out."
            self.notify(text, severity="warning", markup=False)
        super().action_next_step()

    @on(OptionList.OptionSelected, "#samples")
    def _sample_chosen(self, event: OptionList.OptionSelected) -> None:
        self.open_file(Path(event.option_id or ""))

    @on(TabbedContent.TabActivated)
    def _tab_shown(self, event: TabbedContent.TabActivated) -> None:
        if event.pane.id == "row":
            self._show_row()
        self.refresh_bindings()

    def on_dataset_table_opened(self, event: DatasetTable.Opened) -> None:
        self._go_to_row(event.index)

    def on_findings_view_opened(self, event: FindingsView.Opened) -> None:
        if event.finding.row is not None:
            self._go_to_row(event.finding.row - 1)

    def on_row_page_stepped(self, event: RowPage.Stepped) -> None:
        if self._rows is not None and 0 <= self._index + event.step < len(self._rows):
            self._index += event.step
            self._show_row()

    def on_dataset_opened(self, event: "DatasetOpened") -> None:

        if event.rows.path != self._path:
            event.rows.close()
            return
        if self._rows is not None:
            self._rows.close()
        self._rows = event.rows
        self._inspection = None
        self._index = 0
        self.query_one("#rows-table", DatasetTable).show(len(event.rows), event.rows.line)
        switch = self.query_one(ContentSwitcher)
        if switch.current != "data-tabs":
            switch.current = "data-tabs"
            show(self.query_one(TabbedContent), "overview")
        self.refresh_bindings()

    def on_dataset_progressed(self, event: "DatasetProgressed") -> None:
        if event.path == self._path and self._rows is not None and self._inspection is None:
            done = f"{event.done:,} of {len(self._rows):,} rows inspected   Esc cancels"
            self._say("◔", "$warning", event.path.name, done)

    def on_dataset_failed(self, event: "DatasetFailed") -> None:
        if event.path != self._path:
            return
        self._path = self._rows.path if self._rows is not None else None
        if self._inspection is None:
            self.query_one("#data-state", Static).update(safe(f"✗ {event.reason}", "$bad"))
        else:
            # The file that was open before stays on the screen, and so does its state.
            self._show_state(self._inspection)
            self.tuner.complain(event.reason)

    def on_dataset_inspected(self, event: "DatasetInspected") -> None:

        inspection = event.inspection
        if inspection.path != self._path or self._rows is None:
            return
        self._inspection = inspection
        if self.journey.dataset == inspection.path:
            self.journey.inspection = inspection
        self._rows.set_findings(inspection.findings)
        self._show_state(inspection)
        self.query_one(Overview).show(inspection, *self._settings, event.note)
        self.query_one("#findings-view", FindingsView).show(inspection.findings)
        self.query_one("#rows-table", DatasetTable).refresh()
        if self.query_one(TabbedContent).active == "row":
            self._show_row()

    def on_row_rendered(self, event: "RowRendered") -> None:

        if event.index != self._index:
            return
        view = self.query_one(RowView)
        if event.rendered is None:
            view.show_no_tokens(event.note)
        else:
            view.show_tokens(event.rendered, self._settings[1], event.note)

    @work(thread=True, exclusive=True, exit_on_error=False, group="inspect")
    def _inspect(self, path: Path, model: str, max_length: int | None) -> None:
        from tuner_tui.tui.dataset_workers import inspect

        worker = get_current_worker()
        inspect(path, model, max_length, self.post_message, lambda: worker.is_cancelled)

    @work(thread=True, exclusive=True, exit_on_error=False, group="row")
    def _render_row(self, rows: DatasetRows, index: int, model: str) -> None:
        from tuner_tui.tui.dataset_workers import RowRenderer

        worker = get_current_worker()
        if self._renderer is None:
            self._renderer = RowRenderer()
        message = self._renderer.render(rows, index, model)
        if not worker.is_cancelled:
            self.post_message(message)

    def _go_to_row(self, index: int) -> None:

        self._index = index
        tabs = self.query_one(TabbedContent)
        if tabs.active == "row":
            self._show_row()
        show(tabs, "row")

    def _show_row(self) -> None:

        if self._rows is None:
            return
        self.query_one("#rows-table", DatasetTable).move_to(self._index)
        example, value, problem = self._rows.example(self._index)
        view = self.query_one(RowView)
        what = kind(example).replace("_", " ") if example is not None else "not readable"
        view.show_heading(self._index + 1, len(self._rows), what, self._rows.findings(self._index))
        view.show_example(example, value, problem)
        self._render_row(self._rows, self._index, self._settings[0])

    def _show_state(self, inspection: "Inspection") -> None:

        name = visible(inspection.path.name, one_line=True)
        state = Content.assemble((name, "bold"), "   ", severity_counts(inspection.findings))
        if not inspection.complete:
            state = state.append(Content.styled(f"   stopped after {inspection.rows:,} rows", "$warning"))
        self.query_one("#data-state", Static).update(state)

    def _model_and_length(self) -> tuple[str, int | None]:
        config = self.journey.config
        return ("embedded", None) if config is None else (config.model.name, config.data.max_length)

    def _say(self, symbol: str, colour: str, name: str, text: str) -> None:
        self.query_one("#data-state", Static).update(
            Content.assemble(
                (f"{symbol} ", colour), (visible(name, one_line=True), "bold"), (f"   {text}", "$quiet")
            )
        )
