"""One row of a dataset: its messages with the faults marked, and the tokens that the model reads."""

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.worker import get_current_worker

from tuner_tui.data.rules import Finding
from tuner_tui.tui.dataset_settings import InspectionSettings
from tuner_tui.tui.widgets.message_blocks import Marks
from tuner_tui.tui.widgets.row_view import RowView

if TYPE_CHECKING:
    from tuner_tui.tui.dataset_rows import DatasetRows

    # These bring the tokenizer along, which is not needed to paint the screen.
    from tuner_tui.tui.dataset_workers import RowRendered, RowRenderer


class RowPane(Vertical):
    """The row that is looked at, and which of its findings. The screen says which row comes next."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-messages")
        self.index = 0
        self._rows: DatasetRows | None = None
        self._settings = InspectionSettings()
        self._findings: list[Finding] = []
        self._chosen: Finding | None = None
        self._renderer: RowRenderer | None = None

    def compose(self) -> ComposeResult:
        yield RowView(id="row-view")

    def use(self, rows: "DatasetRows", settings: InspectionSettings) -> None:
        """Look at the rows of a dataset: of another one, from the first."""
        self._settings = settings
        if rows is not self._rows:
            self._rows, self.index, self._chosen = rows, 0, None

    def choose(self, index: int, finding: Finding | None = None, *, last: bool = False) -> None:
        """Look at the row `index`, at this finding of it or, with `last`, at its last one."""
        self.index = index
        self._chosen = finding
        if last and self._rows is not None:
            self._chosen = next(reversed(self._rows.findings(index)), None)

    def show(self, place: str) -> None:
        """Draw the row; `place` says where it stands among the rows that are looked at ("" for all)."""
        rows = self._rows
        if rows is None or self.index >= len(rows):
            return
        row = rows.shown(self.index)
        self._findings = rows.findings(self.index, row)
        self._chosen = self._same(self._chosen)
        where = f"Row {self.index + 1:,} of {len(rows):,}"
        if place:
            where += f" ({place})"
        if (source := rows.place(self.index)) is not None:
            where += f" · row {source[1]:,} of {source[0].name}"
        marks = Marks(self._findings, self._chosen)
        view = self.query_one(RowView)
        view.show_heading(where, row.title, marks)
        problem = row.fault.message if row.fault is not None else ""
        view.show_row(row.example, row.value, problem, marks)
        self._render_row(rows, self.index, self._settings.model)

    def step_finding(self, step: int) -> bool:
        """Choose the finding `step` places on in this row; False when there is none."""
        at = next((i for i, each in enumerate(self._findings) if each is self._chosen), None)
        target = (0 if step > 0 else len(self._findings) - 1) if at is None else at + step
        if not 0 <= target < len(self._findings):
            return False
        self._chosen = self._findings[target]
        return True

    def change_view(self) -> None:
        """Change between the messages and what the model reads."""
        self.toggle_class("-messages")
        page = "#row-messages" if self.has_class("-messages") else "#row-tokens"
        self.query_one(page).focus()

    def on_row_rendered(self, event: "RowRendered") -> None:
        event.stop()
        if event.index != self.index:
            return
        view = self.query_one(RowView)
        if event.rendered is None:
            view.show_no_tokens(event.note)
        else:
            view.show_tokens(event.rendered, self._settings.max_length, event.note)

    @work(thread=True, exclusive=True, exit_on_error=False, group="row")
    def _render_row(self, rows: "DatasetRows", index: int, model: str) -> None:
        from tuner_tui.tui.dataset_workers import RowRenderer

        worker = get_current_worker()
        if self._renderer is None:
            self._renderer = RowRenderer()
        message = self._renderer.render(rows, index, model)
        if not worker.is_cancelled:
            self.post_message(message)

    def _same(self, wanted: Finding | None) -> Finding | None:
        """The finding of this row that is the wanted one, or else one of the same rule."""
        if wanted is None:
            return None
        same = (each for each in self._findings if each == wanted)
        alike = (each for each in self._findings if each.rule == wanted.rule)
        return next(same, None) or next(alike, None)
