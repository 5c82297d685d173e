"""The rows of a dataset in a table: filter them, search in them, go to one."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from tuner_tui.tui.row_filters import RowFilter, row_filters, rule_filter
from tuner_tui.tui.row_search import RowSearch, collect
from tuner_tui.tui.widgets.dataset_table import Column, DatasetTable
from tuner_tui.tui.widgets.dialogs import ChooseDialog, Entry
from tuner_tui.tui.widgets.prompt_line import PromptLine
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection
    from tuner_tui.tui.dataset_rows import DatasetRows

# The cells of `DatasetRows.line`.
COLUMNS = (
    Column("row", 8, coloured=True),
    Column("", 1, coloured=True),
    Column("kind", 14),
    Column("request", share=2),
    Column("calls", share=1),
)
_ALL = "all"
# Bytes of `Inspection.severities`: from a warning on, a row has a fault; a note is none.
_FAULT = re.compile(rb"[\x02\x03]")
_NO_FAULT = b"\x00\x01"
_NEEDLE = 30  # characters of the searched text that are shown


class RowsPane(Vertical):
    """The table, a line above it that says which rows it shows, and a line below it to type in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/"),
        Binding("f", "filter", "Filter"),
        Binding("g", "jump", "Go to"),
        Binding("m", "match(1)", "Match"),
        Binding("M", "match(-1)", "Match before", show=False),
    ]

    class Opened(Message):
        """The row `index` (in the file, from 0) is to be shown by itself."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Found(Message):
        """What a search has found since the last message."""

        def __init__(self, search: RowSearch, hits: list[int], finished: bool) -> None:
            super().__init__()
            self.search = search
            self.hits = hits
            self.finished = finished

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: DatasetRows | None = None
        self._inspection: Inspection | None = None
        self._filter: RowFilter | None = None
        self._indexes: Sequence[int] = range(0)
        self._search: RowSearch | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="rows-words", markup=False)
        yield DatasetTable(COLUMNS, id="rows-table")
        yield PromptLine(id="rows-prompt")

    @property
    def table(self) -> DatasetTable:
        """The table, once the pane is mounted."""
        return self.query_one(DatasetTable)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys for matches work while there are some, the filter once the rows are judged."""
        if action == "match":
            return self._search is not None and len(self._search.hits) > 0
        if action == "filter":
            return True if self._inspection is not None else None
        return True

    def show(self, rows: "DatasetRows") -> None:
        """Show the rows of a dataset that was just opened."""
        self._rows = rows
        self._inspection = None
        self._indexes = range(0)
        self._set_filter(None)

    def grow(self) -> None:
        """More rows are known by now."""
        if self._rows is not None and self._filter is None:
            self._indexes = range(len(self._rows))
            self.table.grow(len(self._indexes))

    def set_inspection(self, inspection: "Inspection") -> None:
        """The rows are judged: mark them; a filter of an earlier inspection no longer fits."""
        self._inspection = inspection
        if self._filter is not None:
            self._set_filter(None)
        self.table.refresh()
        self.refresh_bindings()

    def show_rule(self, rule: str) -> bool:
        """Show the rows that break one rule; False when there are none."""
        found = rule_filter(self._inspection, rule) if self._inspection is not None else None
        if found is not None:
            self._set_filter(found)
        return found is not None

    def move_to(self, index: int) -> None:
        """Put the cursor on the row `index` of the file, or on the one after it that is shown."""
        self.table.move_to(bisect_left(self._indexes, index))

    def neighbour(self, index: int, step: int) -> int | None:
        """The row `step` places on among those that are shown; None beyond the ends."""
        at = bisect_left(self._indexes, index)
        if step > 0 and (at == len(self._indexes) or self._indexes[at] != index):
            at -= 1
        return self._indexes[at + step] if 0 <= at + step < len(self._indexes) else None

    def next_fault(self, index: int, step: int) -> int | None:
        """The row after `index`, or before it, in which something is wrong; with a filter, the next row."""
        if self._filter is not None:
            return self.neighbour(index, step)
        found = self._inspection.severities if self._inspection is not None else b""
        if step > 0:
            match = _FAULT.search(found, index + 1)
            return match.start() if match is not None else None
        before = len(found[:index].rstrip(_NO_FAULT))
        return before - 1 if before else None

    def place(self, index: int) -> str:
        """Where a row stands among those that are shown, such as "2 of 14 with errors"; "" without filter."""
        if self._filter is None:
            return ""
        return f"{bisect_left(self._indexes, index) + 1:,} of {len(self._indexes):,}: {self._filter.title}"

    def back(self) -> bool:
        """Undo the last thing that narrows what is shown; False when there is none."""
        if self._search is not None:
            self._stop_search()
            self._say()
            return True
        if self._filter is not None:
            self._set_filter(None)
            return True
        return False

    def action_search(self) -> None:
        """Ask for a text to look for."""
        before = self._search.text if self._search is not None else ""
        self.query_one(PromptLine).ask("search", "Search", before)

    def action_jump(self) -> None:
        """Ask for the number of a row."""
        self.query_one(PromptLine).ask("jump", "Go to row")

    def action_filter(self) -> None:
        """Choose which rows are shown."""
        if self._inspection is None or self._rows is None:
            return
        filters = {each.id: each for each in row_filters(self._inspection)}
        entries = [Entry(_ALL, f"all rows ({len(self._rows):,})", "Every row of the file.")]
        entries += [Entry(each.id, f"{each.title} ({each.count:,})", each.note) for each in filters.values()]
        current = self._filter.id if self._filter is not None else _ALL

        def choose(id: str | None) -> None:
            if id is not None:
                self._set_filter(filters.get(id))

        self.app.push_screen(ChooseDialog("Which rows?", entries, current), choose)

    def action_match(self, step: int) -> None:
        """Go to the next row that holds the searched text, or to the one before."""
        if self._search is None or not self._indexes:
            return
        found = self._search.step(step, self._indexes[self.table.cursor])
        if found is not None:
            self.move_to(found)
            self._say()

    def on_dataset_table_opened(self, event: DatasetTable.Opened) -> None:
        event.stop()
        self.post_message(self.Opened(self._indexes[event.index]))

    @on(PromptLine.Answered)
    def _answered(self, event: PromptLine.Answered) -> None:
        event.stop()
        self.screen.set_focus(self.table)
        text = (event.answer or "").strip()
        if not text:
            return
        if event.purpose == "jump":
            self._jump(text)
        else:
            self._begin_search(text)

    @on(Found)
    def _found(self, event: Found) -> None:
        event.stop()
        if event.search is not self._search:
            return
        if self._search.add(event.hits, finished=event.finished) and self._search.at is not None:
            self.move_to(self._search.hits[self._search.at])
        self._say()

    def _jump(self, text: str) -> None:
        digits = text.replace(",", "").replace("_", "")
        if not digits.isascii() or not digits.isdecimal() or int(digits) < 1:
            self._complain(f"A row has a number from 1 on, not {visible(text[:20], one_line=True)!r}.")
            return
        index = int(digits) - 1
        known = len(self._rows) if self._rows is not None else 0
        if index >= known:
            more = "" if self._rows is None or self._rows.complete else " so far; more are being found"
            self._complain(f"There are {known:,} rows{more}.")
            index = known - 1
        elif self._filter is not None and index not in self._indexes:
            self._complain(f"Row {index + 1:,} is not among those with this filter; Esc shows all.")
        self.move_to(index)

    def _begin_search(self, text: str) -> None:
        self._stop_search()
        if self._rows is None:
            return
        origin = self._indexes[self.table.cursor] if self._indexes else 0
        self._search = RowSearch(text, origin)
        self._look_for(self._rows, self._search, self._indexes)
        self._say()

    @work(thread=True, exclusive=True, exit_on_error=False, group="search")
    def _look_for(self, rows: "DatasetRows", search: RowSearch, shown: Sequence[int]) -> None:
        worker = get_current_worker()

        def cancelled() -> bool:
            return worker.is_cancelled

        def tell(hits: list[int], finished: bool) -> None:
            self.post_message(self.Found(search, hits, finished))

        collect(rows.search(search.text, cancelled), shown, tell, cancelled)

    def _stop_search(self) -> None:
        self.workers.cancel_group(self, "search")
        self._search = None
        self.refresh_bindings()

    def _set_filter(self, chosen: RowFilter | None) -> None:
        """Show the rows that pass, and stay at the row under the cursor if it is one of them."""
        here = self._indexes[self.table.cursor] if len(self._indexes) else 0
        self._stop_search()
        self._filter = chosen
        if self._rows is None:
            return
        rows = self._rows
        indexes = chosen.indexes() if chosen is not None else range(len(rows))
        self._indexes = indexes
        self.table.show(len(indexes), lambda at: rows.line(self._indexes[at]))
        self.move_to(here)
        self._say()

    def _say(self) -> None:
        """Say in words which rows are shown."""
        parts = []
        if self._filter is not None and self._rows is not None:
            parts.append(f"{len(self._indexes):,} of {len(self._rows):,} rows: {self._filter.title}")
        if self._search is not None:
            text = visible(self._search.text, one_line=True, limit=_NEEDLE)
            parts.append(f'"{text}": {self._search.words}')
        words = self.query_one("#rows-words", Static)
        words.display = bool(parts)
        narrowed = Content.styled(" · ".join(parts), "bold")
        words.update(Content.assemble(narrowed, ("   Esc clears", "$quiet")))
        self.refresh_bindings()

    def _complain(self, text: str) -> None:
        self.app.notify(text, severity="warning", markup=False)
