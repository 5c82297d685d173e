"""The virtual table: it opens a million rows at once, and asks only for those that it shows."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from conftest import until
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tuner_tui.tui.widgets.dataset_table import Column, DatasetTable, RowLine

_COLUMNS = (Column("row", 8, coloured=True), Column("text", share=2), Column("more", share=1))


class TableApp(App[None]):
    """A table and nothing else; the rows that were asked for are noted."""

    CSS = "DatasetTable .dataset-table--error { color: red; }"

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[int] = set()
        self.opened: list[int] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"good": "green", "bad": "red", "quiet": "gray", "trained": "green"}

    def compose(self) -> ComposeResult:
        yield DatasetTable(_COLUMNS)

    def describe(self, index: int) -> RowLine:
        self.asked.add(index)
        text = "数据" * 40 if index == 2 else f"text {index}"
        return RowLine((str(index), text, "x" * 50), "error" if index == 1 else "")

    def on_dataset_table_opened(self, event: DatasetTable.Opened) -> None:
        self.opened.append(event.index)


@asynccontextmanager
async def laid_out(size: tuple[int, int]) -> AsyncIterator[tuple[TableApp, Pilot[None]]]:
    """The app, when the table has its size and the focus."""
    app = TableApp()
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.query_one(DatasetTable).size.height > 0 and app.focused is not None)
        yield app, pilot


def _screen(table: DatasetTable) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_a_million_rows_open_at_once_and_only_the_shown_ones_are_read() -> None:
    async with laid_out((60, 20)) as (app, pilot):
        table = app.query_one(DatasetTable)
        started = time.monotonic()
        table.show(1_000_000, app.describe)
        await pilot.pause()
        assert time.monotonic() - started < 2
        assert app.asked <= set(range(20))
        await pilot.press("end")
        await until(pilot, lambda: table.cursor == 999_999)
        await until(pilot, lambda: "999999" in _screen(table)[-1])
        assert len(app.asked) < 100


async def test_the_keys_move_within_the_rows_and_enter_opens() -> None:
    async with laid_out((60, 10)) as (app, pilot):
        table = app.query_one(DatasetTable)
        table.show(30, app.describe)
        await pilot.press("up")
        await pilot.pause()
        assert table.cursor == 0
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.opened == [2])
        await pilot.press("pagedown", "pagedown", "pagedown", "pagedown", "pagedown")
        await until(pilot, lambda: table.cursor == 29)
        await pilot.press("home", "enter")
        await until(pilot, lambda: app.opened == [2, 0])


async def test_a_click_chooses_a_row_and_a_second_one_opens_it() -> None:
    async with laid_out((60, 10)) as (app, pilot):
        table = app.query_one(DatasetTable)
        table.show(3, app.describe)
        await pilot.pause()
        await pilot.click(DatasetTable, offset=(3, 3))
        await until(pilot, lambda: (table.cursor, app.opened) == (2, []))
        await pilot.click(DatasetTable, offset=(3, 3))
        await until(pilot, lambda: app.opened == [2])
        await pilot.click(DatasetTable, offset=(3, 8))  # below the last row
        await pilot.click(DatasetTable, offset=(3, 0))  # the header
        assert (table.cursor, app.opened) == (2, [2])


async def test_long_and_wide_texts_are_cut_to_their_columns() -> None:
    async with laid_out((60, 10)) as (app, pilot):
        table = app.query_one(DatasetTable)
        table.show(3, app.describe)
        await pilot.pause()
        for y in range(4):
            assert table.render_line(y).cell_length == 60
        wide = table.render_line(3).text
        assert "数据" in wide and "…" in wide and wide.rstrip().endswith("x…")


async def test_an_empty_table_has_no_row_to_open() -> None:
    async with laid_out((60, 10)) as (app, pilot):
        app.query_one(DatasetTable).show(0, app.describe)
        await pilot.press("down", "enter", "end", "pageup")
        assert (app.query_one(DatasetTable).cursor, app.opened, app.asked) == (0, [], set())


async def test_the_state_of_a_row_colours_its_first_column_only() -> None:
    async with laid_out((60, 10)) as (app, pilot):
        table = app.query_one(DatasetTable)
        table.show(3, app.describe)
        await pilot.pause()
        number, text, _ = list(table.render_line(2))
        assert number.style is not None and text.style is not None
        assert number.style.color != text.style.color
