"""Split and mix on the Data screen: previewed, written, trained with."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from conftest import shows
from textual.widgets import Input, OptionList, TabbedContent
from tui_datasets import open_dataset, row, state, write

from tuner_tui.data.readers import read_rows
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.screens.data import DataScreen
from tuner_tui.tui.screens.data_mix import MixPane
from tuner_tui.tui.screens.data_plan import PlanPane
from tuner_tui.tui.screens.data_split import SplitPane
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.prose import Prose
from tuner_tui.tui.widgets.tabs import show

Until = Callable[..., Awaitable[None]]


def _rows(path: Path, count: int, city: str = "Oslo") -> Path:
    return write(path, *[row(f"Question {n} on {city}?", city=f"{city} {n}") for n in range(count)])


def _report(pane: PlanPane) -> str:
    return pane.query_one(".plan-text", Prose).render().plain


def _count(path: Path) -> int:
    return sum(1 for _ in read_rows(path))


async def _pane(screen: DataScreen, until: Until, pilot: object, name: str) -> None:
    tabs = screen.query_one(TabbedContent)
    show(tabs, name)
    # Its keys work when the focus is on it.
    await until(pilot, lambda: screen.focused is not None and tabs.get_pane(name) in screen.focused.ancestors)


async def test_a_split_is_previewed_written_and_trained_with(until: Until, tmp_path: Path) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, _rows(tmp_path / "rows.jsonl", 40))
        await _pane(screen, until, pilot, "split")
        pane = screen.query_one(SplitPane)
        await until(pilot, lambda: "36 rows to train on" in _report(pane))
        for text in ("4 set aside: 10.0%", "w writes it"):
            await until(pilot, lambda text=text: text in _report(pane))
        assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["rows.jsonl"]  # nothing yet
        pane.row("share").set_raw("0.25")
        await until(pilot, lambda: "10 set aside: 25.0%" in _report(pane))
        await pilot.press("w")
        await until(pilot, lambda: "✓ Written" in _report(pane))
        train, aside = tmp_path / "rows.train.jsonl", tmp_path / "rows.eval.jsonl"
        assert (_count(train), _count(aside)) == (30, 10)
        await pilot.press("w")  # they exist by now
        await until(pilot, lambda: shows(app, ConfirmScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("u")
        await until(pilot, lambda: app.current_mode == "configure")
        assert app.journey.dataset == train
        await until(pilot, lambda: app.journey.config is not None)
        assert app.journey.config is not None
        assert (app.journey.config.data.train, app.journey.config.data.eval) == ([train], aside)
        app.go("data")
        await until(pilot, lambda: state(app).startswith("rows.train.jsonl"))


async def test_a_wrong_setting_is_told_at_its_line(until: Until, tmp_path: Path) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_dataset(app, pilot, _rows(tmp_path / "rows.jsonl", 12))
        await _pane(screen, until, pilot, "split")
        pane = screen.query_one(SplitPane)
        await until(pilot, lambda: "to train on" in _report(pane))
        for field, raw, fault in (
            ("share", "1", "below 1"),
            ("share", "many", "a number is wanted"),
            ("seed", "1.5", "a whole number"),
            ("eval", pane.value("train"), "name another"),
        ):
            before = pane.value(field)
            pane.row(field).set_raw(raw)
            await until(pilot, lambda field=field, fault=fault: fault in pane.row(field).error)
            pane.action_write()  # what w does; the key would come some messages later
            pane.row(field).set_raw(before)
            await until(pilot, lambda field=field: not pane.row(field).error)
        assert not list(tmp_path.glob("rows.*.jsonl"))


async def test_a_split_that_cannot_be_is_told_in_a_sentence(until: Until, tmp_path: Path) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, write(tmp_path / "rows.jsonl", row("One?", city="x")))
        await _pane(screen, until, pilot, "split")
        pane = screen.query_one(SplitPane)
        await until(pilot, lambda: "cannot be split" in _report(pane))
        await pilot.press("u")  # nothing was written, so that nothing is used
        await pilot.pause()
        assert app.current_mode == "data"


async def test_files_are_mixed_by_weight_with_general_conversation(until: Until, tmp_path: Path) -> None:
    first, second = _rows(tmp_path / "a.jsonl", 30), _rows(tmp_path / "b.jsonl", 30, "Rome")
    answer = {"role": "assistant", "content": "Hello."}
    chats = [{"messages": [{"role": "user", "content": f"Hi {n}"}, answer]} for n in range(20)]
    general = write(tmp_path / "chat.jsonl", *chats)
    app = TunerApp()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await open_dataset(app, pilot, first)
        await _pane(screen, until, pilot, "mix")
        pane = screen.query_one(MixPane)
        await until(pilot, lambda: "no mixture" in _report(pane))
        await pilot.press("a")
        await until(pilot, lambda: shows(app, FilePicker))
        app.screen.query_one(Input).value = str(second)
        await pilot.press("enter")
        await until(pilot, lambda: "60 rows, in random order" in _report(pane))
        pane.row("part-0").set_raw("2")
        await until(pilot, lambda: "either all files have one" in pane.row("part-1").error)
        pane.row("part-1").set_raw("1")
        await until(pilot, lambda: "45 rows" in _report(pane) and "66.7%" in _report(pane))
        pane.row("general").set_raw(str(general))
        await until(pilot, lambda: "chat.jsonl  general" in _report(pane))
        await pilot.press("w")
        await until(pilot, lambda: "✓ Written" in _report(pane))
        assert _count(tmp_path / "a.mix.jsonl") > 45
        screen.set_focus(pane.row("part-1"))
        await pilot.press("d")
        await until(pilot, lambda: "b.jsonl" not in _report(pane) and "a.jsonl" in _report(pane))


async def test_a_folder_is_opened_as_one_dataset(until: Until, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    _rows(folder / "a.jsonl", 3)
    _rows(folder / "b.jsonl", 4, "Rome")
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_dataset(app, pilot, _rows(tmp_path / "other.jsonl", 1))
        await pilot.press("o")
        await until(pilot, lambda: shows(app, FilePicker))
        entries = app.screen.query_one(OptionList)
        app.screen.query_one(Input).value = str(tmp_path / "par")
        await until(pilot, lambda: entries.option_count == 1)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.screen is screen and state(app).startswith("parts"))
        facts = screen.query_one("#overview-text", Prose)
        await until(pilot, lambda: "7 rows" in facts.render().plain)


async def test_a_name_on_the_hub_is_offered_to_be_fetched(until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        chosen: list[Path | None] = []
        app.push_screen(FilePicker("Open", hub=True), chosen.append)
        await until(pilot, lambda: shows(app, FilePicker))
        message = app.screen.query_one("#picker-message")
        app.screen.query_one(Input).value = "owner-of-nothing/data"
        await until(pilot, lambda: "Enter fetches owner-of-nothing/data" in str(message.render()))
        await pilot.press("enter")
        await until(pilot, lambda: chosen == [Path("owner-of-nothing/data")])
