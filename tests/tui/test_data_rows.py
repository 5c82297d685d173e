"""The rows of a dataset: search, filter, go to one; the keys, and what stands behind them."""

from array import array
from pathlib import Path

import pytest
from conftest import shows, until
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static, TabbedContent
from tui_datasets import open_dataset, row, write

from tuner_tui.data.inspection import inspect_file
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.dataset_rows import DatasetRows
from tuner_tui.tui.row_filters import row_filters, rule_filter
from tuner_tui.tui.row_search import RowSearch, collect
from tuner_tui.tui.screens.data import DataScreen
from tuner_tui.tui.screens.data_rows import RowsPane
from tuner_tui.tui.widgets.dialogs import ChooseDialog


def _many(path: Path, count: int = 60) -> Path:
    """Rows of which every tenth has an error, and two name Zürich."""
    rows = [
        row(
            f"Request {n} for {'ZÜRICH' if n in (7, 41) else 'Oslo'}",
            **({} if n % 10 == 0 else {"city": "O"}),
        )
        for n in range(1, count + 1)
    ]
    return write(path, *rows)


def _words(screen: DataScreen) -> str:
    words = screen.query_one("#rows-words", Static)
    return str(words.content) if words.display else ""


def _number(screen: DataScreen) -> str:
    """The number of the row under the cursor, as the table shows it."""
    table = screen.query_one(RowsPane).table
    return "".join(table.render_line(1 + table.cursor - table.scroll_offset.y).text.split()[:1])


async def _rows_tab(pilot: Pilot[None], screen: DataScreen) -> None:
    await pilot.press("]", "]")
    # Its keys work when the focus is on it.
    await until(pilot, lambda: screen.focused is screen.query_one(RowsPane).table)


async def test_a_search_goes_from_match_to_match_in_any_case(tmp_path: Path) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, _many(tmp_path / "rows.jsonl"))
        await _rows_tab(pilot, screen)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(screen.focused, Input))
        await pilot.press(*"oslo", "enter")
        await until(pilot, lambda: '"oslo": 1 of 58' in _words(screen))
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(screen.focused, Input))
        screen.query_one(Input).value = "zürich"
        await pilot.press("enter")
        await until(pilot, lambda: '"zürich": 1 of 2' in _words(screen))
        await until(pilot, lambda: _number(screen) == "7")
        for key, number in (("m", "41"), ("m", "7"), ("M", "41")):
            await pilot.press(key)
            await until(pilot, lambda number=number: _number(screen) == number)
        assert "2 of 2" in _words(screen)
        await pilot.press("escape")
        await until(pilot, lambda: _words(screen) == "")
        assert app.current_mode == "data"


async def test_a_text_that_is_nowhere_is_told(tmp_path: Path) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_dataset(app, pilot, _many(tmp_path / "rows.jsonl"))
        await _rows_tab(pilot, screen)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(screen.focused, Input))
        await pilot.press(*"[b]no", "enter")
        await until(pilot, lambda: '"[b]no": in no row' in _words(screen))
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(screen.focused, Input))
        await pilot.press("escape")  # leaves the line, and nothing else
        await until(pilot, lambda: screen.focused is screen.query_one(RowsPane).table)
        assert "[b]no" in _words(screen)


async def test_a_filter_is_told_in_words_and_keeps_the_numbers_of_the_file(tmp_path: Path) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, _many(tmp_path / "rows.jsonl"))
        await _rows_tab(pilot, screen)
        await pilot.press("f")
        await until(pilot, lambda: shows(app, ChooseDialog))
        entries = app.screen.query_one(OptionList)
        assert "with errors (6)" in str(entries.get_option("errors").prompt)
        entries.highlighted = entries.get_option_index("errors")
        await pilot.press("enter")
        await until(pilot, lambda: "6 of 60 rows: with errors" in _words(screen))
        pane = screen.query_one(RowsPane)

        def numbers() -> list[str]:
            return [each for y in range(1, 4) for each in pane.table.render_line(y).text.split()[:1]]

        await until(pilot, lambda: numbers() == ["10", "20", "30"])
        await pilot.press("down", "enter")
        await until(pilot, lambda: screen.query_one(TabbedContent).active == "row")
        heading = screen.query_one("#row-heading", Static)
        await until(pilot, lambda: "Row 20 of 60 (2 of 6: with errors)" in str(heading.content))
        await pilot.press("right")
        await until(pilot, lambda: "Row 30 of 60" in str(heading.content))
        await pilot.press("[", "escape")
        await until(pilot, lambda: _words(screen) == "")
        await until(pilot, lambda: pane.table.row_count == 60 and _number(screen) == "30")


async def test_a_finding_filters_the_rows_by_its_rule(tmp_path: Path) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, _many(tmp_path / "rows.jsonl"))
        await pilot.press("]")
        rules = screen.query_one("#finding-rules", OptionList)
        await until(pilot, lambda: screen.focused is rules)
        await pilot.press("f")  # the worst rule comes first
        await until(pilot, lambda: screen.query_one(TabbedContent).active == "rows")
        await until(pilot, lambda: "6 of 60 rows: missing required argument" in _words(screen))


@pytest.mark.parametrize(
    ("typed", "row_number"), [("42", "42"), ("1", "1"), ("9,999", "60"), ("0", "1"), ("x", "1"), ("²", "1")]
)
async def test_a_row_is_reached_by_its_number(tmp_path: Path, typed: str, row_number: str) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_dataset(app, pilot, _many(tmp_path / "rows.jsonl"))
        await _rows_tab(pilot, screen)
        await pilot.press("g")
        await until(pilot, lambda: isinstance(screen.focused, Input))
        screen.query_one(Input).value = typed
        await pilot.press("enter")
        await until(pilot, lambda: screen.focused is screen.query_one(RowsPane).table)
        await until(pilot, lambda: _number(screen) == row_number)


def test_filters_are_those_that_some_row_passes(tmp_path: Path) -> None:
    inspection = inspect_file(_many(tmp_path / "rows.jsonl"))
    found = {each.id: each for each in row_filters(inspection)}
    assert list(found["errors"].indexes()) == [9, 19, 29, 39, 49, 59]
    assert found["errors"].count == 6 and "missing_argument" in found
    assert found["clean"].count + found["findings"].count == 60
    assert rule_filter(inspection, "few_rows") is None  # about the file as a whole


def test_a_search_begins_at_the_cursor_and_goes_around() -> None:
    search = RowSearch("x", origin=10)
    assert not search.add([3, 8], finished=False) and search.words.startswith("2 so far")
    assert search.add([15, 20], finished=True) and search.hits[search.at or 0] == 15
    assert search.step(1, 15) == 20 and search.step(1, 20) == 3 and search.step(-1, 3) == 20
    assert search.step(1, 9) == 15 and search.step(-1, 9) == 8
    before = RowSearch("x", origin=10)
    assert before.add([3], finished=True) and before.at == 0


def test_only_rows_that_are_shown_are_found_and_a_cancelled_search_says_nothing() -> None:
    told: list[tuple[list[int], bool]] = []
    collect(iter(range(100)), array("Q", [5, 50]), lambda hits, end: told.append((hits, end)), lambda: False)
    assert [hit for hits, _ in told for hit in hits] == [5, 50] and told[-1][1]
    told.clear()
    collect(iter(range(100)), range(100), lambda hits, end: told.append((hits, end)), lambda: True)
    assert told == []


def test_findings_of_a_row_are_made_anew_and_those_of_the_file_are_added(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", row("Oslo?", city="x"), row("Rome?"), row("Oslo?", city="x"))
    rows = DatasetRows(path)
    assert rows.severity(1) == "" and [each.rule for each in rows.findings(1)] == ["missing_argument"]
    rows.set_inspection(inspect_file(path))
    assert rows.severity(1) == "error" and rows.line(1).cells[1] == "✗"
    assert "duplicate_row" in [each.rule for each in rows.findings(2)]
    assert rows.line(0).cells[0] == "1" and rows.line(0).cells[3] == "Oslo?"
    rows.close()
