"""The Data screen on real files: sound, broken, empty, absent, hostile."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from conftest import shows
from rich.style import Style
from textual.widgets import ContentSwitcher, Input, OptionList, Static, TabbedContent
from tui_datasets import data_screen, open_dataset, row, state, write

from tuner_tui import paths
from tuner_tui.training.presets import load_preset
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.recent import recent_datasets, remember_dataset, suggestions
from tuner_tui.tui.screens.data import DataScreen
from tuner_tui.tui.widgets.dataset_table import DatasetTable
from tuner_tui.tui.widgets.file_picker import FilePicker, matching_entries
from tuner_tui.tui.widgets.prose import Prose
from tuner_tui.tui.widgets.tabs import show

Until = Callable[..., Awaitable[None]]


async def test_the_samples_are_offered_and_one_is_inspected(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.go("data")
        await until(pilot, lambda: isinstance(app.screen.focused, OptionList))
        assert isinstance(app.screen, DataScreen)
        await pilot.press("enter")
        await until(pilot, lambda: state(app).startswith("train.jsonl"))
        facts, tokens = (
            app.screen.query_one("#overview-text", Prose),
            app.screen.query_one("#tokens-text", Prose),
        )
        for text in ("canonical", "function call", "Called most"):
            await until(pilot, lambda text=text: text in facts.render().plain)
        await until(pilot, lambda: "are trained" in tokens.render().plain)
        await pilot.press("n")
        await until(pilot, lambda: app.current_mode == "configure")
        assert app.journey.dataset == paths.sample_data() / "train.jsonl"
        assert app.journey.inspection is not None and app.journey.inspection.rows > 100


async def test_a_finding_leads_to_its_row_with_the_fault_described(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, paths.sample_data() / "broken.jsonl", "errors")
        await pilot.press("]")
        rules = screen.query_one("#finding-rules", OptionList)
        await until(pilot, lambda: screen.focused is rules)
        await until(pilot, lambda: rules.option_count >= 8)
        await until(pilot, lambda: "Mend it:" in str(screen.query_one("#finding-text", Static).content))
        titles = [str(rules.get_option_at_index(index).prompt) for index in range(rules.option_count)]
        rules.highlighted = next(i for i, title in enumerate(titles) if "undeclared tool" in title)
        await pilot.press("enter")
        await until(pilot, lambda: screen.focused is screen.query_one("#finding-rows"))
        await pilot.press("enter")
        await until(pilot, lambda: screen.query_one(TabbedContent).active == "row")
        heading = screen.query_one("#row-heading", Static)
        await until(pilot, lambda: "Row 5 of" in str(heading.content))
        assert "✗" in str(heading.content) and "book_hotel" in str(heading.content)


async def test_rows_are_listed_opened_and_stepped_through(until: Until, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", row("Oslo?", city="Oslo"), '{"cut": ', row("Rome?", city="Rome"))
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_dataset(app, pilot, path, "error")
        await pilot.press("]", "]")
        table = screen.query_one("#rows-table", DatasetTable)
        await until(pilot, lambda: screen.focused is table)

        def line(y: int) -> str:
            return table.render_line(y).text

        await until(pilot, lambda: "Oslo?" in line(1) and "get_weather" in line(1) and "✗" in line(2))
        await pilot.press("enter")
        await until(pilot, lambda: screen.query_one("#row-messages").has_focus)
        text = screen.query_one("#row-text", Static)
        await until(pilot, lambda: '{"city":"Oslo"}' in str(text.content))
        await pilot.press("right")
        await until(pilot, lambda: "✗" in str(text.content))
        await pilot.press("right", "right")  # there is no fourth row
        await until(pilot, lambda: '{"city":"Rome"}' in str(text.content))


async def test_trained_tokens_are_counted_and_marked_without_colour(until: Until, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", row("Oslo?", city="Oslo"))
    app = TunerApp()
    async with app.run_test(size=(200, 60)) as pilot:
        screen = await open_dataset(app, pilot, path)
        show(screen.query_one(TabbedContent), "row")
        view = screen.query_one("#token-view", Static)
        await until(pilot, lambda: "tokens are trained" in str(view.content))
        await until(pilot, lambda: view.size.height > 5)

        def underlined() -> str:
            return "".join(
                segment.text
                for y in range(view.size.height)
                for segment in view.render_line(y)
                if isinstance(segment.style, Style) and segment.style.underline
            )

        await until(pilot, lambda: '"get_weather"' in underlined() and "Oslo" in underlined())
        assert "Oslo?" not in underlined()  # the request is read, not learned


async def test_the_longest_row_is_told_and_drawn(until: Until, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", row("Oslo?", city="Oslo"), row("word " * 400, city="Rome"))
    app = TunerApp()
    app.journey.config = load_preset("demo")
    app.journey.config.data.max_length = 200
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, path)
        drawing = screen.query_one("#histogram")
        await until(pilot, lambda: "1 longer than 200" in str(drawing.render()))
        await until(pilot, lambda: "max_length 200" in str(drawing.render()))


async def test_hostile_rows_are_shown_not_obeyed(until: Until, tmp_path: Path) -> None:
    evil = "[red]boo[/red] \x1b[31m\x07 \u202e [@click=app.quit]x[/]"
    path = write(tmp_path / "[bold]rows.jsonl", row(evil, city=evil))
    app = TunerApp()
    async with app.run_test(size=(200, 60)) as pilot:
        screen = await open_dataset(app, pilot, path, "[bold]rows.jsonl")
        table = screen.query_one("#rows-table", DatasetTable)
        show(screen.query_one(TabbedContent), "rows")
        await until(pilot, lambda: table.size.width > 100 and "[red]boo[/red]" in table.render_line(1).text)
        listed = table.render_line(1).text
        show(screen.query_one(TabbedContent), "row")
        await until(pilot, lambda: "trained" in str(screen.query_one("#token-view", Static).content))
        texts = [
            listed,
            str(screen.query_one("#row-text", Static).content),
            str(screen.query_one("#token-view", Static).content),
        ]
        for text in texts:
            assert "[red]boo[/red]" in text and "␛[31m" in text
            assert not {"\x1b", "\x07", "\u202e"} & set(text)


async def test_files_that_cannot_be_used_are_told_in_a_sentence(until: Until, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "binary.jsonl").write_bytes(bytes(range(256)) * 10)
    write(tmp_path / "odd.jsonl", {"alpha": 1})
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for name in ("empty.jsonl", "binary.jsonl", "odd.jsonl", "absent.jsonl"):
            screen = await open_dataset(app, pilot, tmp_path / name, "✗")
            assert name in state(app)
            assert screen.query_one(ContentSwitcher).current == "data-start"
        await pilot.press("n")
        assert app.journey.dataset is None and app.current_mode == "data"


async def test_a_bad_file_leaves_the_good_one_on_the_screen(until: Until, tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", row("Oslo?", city="Oslo"))
    app = TunerApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await open_dataset(app, pilot, good)
        screen = await open_dataset(app, pilot, tmp_path / "absent.jsonl", "good.jsonl")
        assert screen.query_one(ContentSwitcher).current == "data-tabs"
        await until(pilot, lambda: screen.focused is screen.query_one("#overview-view"))
        await pilot.press("enter")
        await until(pilot, lambda: app.journey.dataset == good)


async def test_a_file_that_changes_under_the_window_is_told(until: Until, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", row("Oslo?", city="Oslo"), row("Rome?", city="Rome"))
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_dataset(app, pilot, path)
        path.write_text("changed\n" * 200)
        show(screen.query_one(TabbedContent), "row")
        text = screen.query_one("#row-text", Static)
        await until(pilot, lambda: "has changed since it was opened" in str(text.content))


async def test_an_inspection_can_be_cancelled(until: Until, tmp_path: Path) -> None:
    path = write(tmp_path / "long.jsonl", *[row(f"{n}?", city="Oslo") for n in range(30_000)])
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await data_screen(app, pilot)
        screen.open_file(path)
        await until(pilot, lambda: "rows/s" in state(app))
        await pilot.press("escape")
        await until(pilot, lambda: "stopped after" in state(app))
        assert app.current_mode == "data"


async def test_a_path_is_typed_with_completion(until: Until, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "mine.jsonl", row("Oslo?", city="Oslo"))
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await data_screen(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: shows(app, FilePicker))
        line, entries = app.screen.query_one(Input), app.screen.query_one(OptionList)
        line.value = str(tmp_path / "fol")
        await until(pilot, lambda: entries.option_count == 1)
        await pilot.press("tab")
        await until(pilot, lambda: line.value == f"{folder}/")
        await until(pilot, lambda: "mine.jsonl" in str(entries.get_option_at_index(0).prompt))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen and state(app).startswith("mine.jsonl"))


def test_entries_begin_with_what_was_typed(tmp_path: Path) -> None:
    for name in ("Rows.jsonl", "rows.json", "readme.md", ".hidden.jsonl"):
        (tmp_path / name).touch()
    (tmp_path / "rest").mkdir()
    entries, more = matching_entries(f"{tmp_path}/r", (".jsonl", ".json"))
    assert [Path(each).name for each in entries] == ["rest", "Rows.jsonl", "rows.json"]
    assert entries[0].endswith("/") and not more
    assert matching_entries(f"{tmp_path}/.h")[0] == [str(tmp_path / ".hidden.jsonl")]
    assert matching_entries(f"{tmp_path}/nowhere/x") == ([], False)


def test_datasets_that_were_used_are_offered_first(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, row("?", city="x")) for name in ("a.jsonl", "b.jsonl"))
    for path in (first, second, first, paths.sample_data() / "train.jsonl"):
        remember_dataset(path)
    assert recent_datasets() == [first, second]
    assert [each.path for each in suggestions()[:2]] == [first, second]
    second.unlink()
    assert second not in [each.path for each in suggestions()]
    (paths.config_dir() / "recent_datasets.json").write_text("{broken")
    assert recent_datasets() == []
