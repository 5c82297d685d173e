"""The shell: steps, keys, help, palette, settings, hostile text."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import shows
from textual.widgets import Footer, Markdown, Select, Static
from textual.widgets._footer import FooterKey

from tuner_tui.settings import load_settings, settings_file
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.screens.help import HelpScreen
from tuner_tui.tui.screens.home import HomeScreen
from tuner_tui.tui.screens.runs import RunsScreen
from tuner_tui.tui.screens.settings import SettingsScreen
from tuner_tui.tui.screens.train import TrainScreen
from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.stepper import Stepper
from tuner_tui.visible import visible

Until = Callable[..., object]


async def test_the_keys_lead_to_the_screens_and_back(until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        assert isinstance(app.screen, HomeScreen)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.screen.body_ready)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.body_ready)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


@pytest.mark.parametrize("step", ["decide", "data", "configure", "evaluate", "report"])
async def test_every_step_opens_at_80_by_24(step: str, until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.painted)
        app.go(step)
        await until(pilot, lambda: step == app.screen.STEP and app.screen.body_ready)
        stepper = app.screen.query_one(Stepper)
        await until(pilot, lambda: stepper.render().cell_length <= stepper.content_size.width)


async def test_the_stepper_fits_80_columns_with_every_step_done(tmp_path: Path, until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        stepper = app.screen.query_one(Stepper)
        stepper.done = frozenset({"decide", "data", "configure", "train", "evaluate", "report"})
        await until(pilot, lambda: stepper.render().plain.count("✓") == 6)
        await until(pilot, lambda: stepper.render().cell_length <= stepper.content_size.width)


async def test_a_step_with_a_result_is_ticked(tmp_path: Path, until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        assert app.journey.next_step() == "decide"
        app.journey.dataset = tmp_path / "rows.jsonl"
        app.screen.update_stepper()
        await until(pilot, lambda: "2 Data ✓" in app.screen.query_one(Stepper).render().plain)


async def test_help_explains_the_screen_and_lists_its_keys(until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        await pilot.press("f1")
        await until(pilot, lambda: shows(app, HelpScreen))
        text = app.screen.query_one(Markdown).source
        assert "## Home" in text
        assert "**d** Guided demo" in text
        assert "Keys everywhere" in text
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_the_palette_offers_places_and_the_keys_of_the_screen(until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        names = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Go to Train", "Guided demo", "Doctor", "Settings", "Quit"} <= names
        assert "Go to Home" not in names


async def test_the_footer_shows_what_works_here(until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        app.go("train")
        await until(pilot, lambda: app.screen.STEP == "train" and app.screen.body_ready)
        shown = {active.binding.description for active in app.screen.active_bindings.values()}
        assert not {"Stop", "Checkpoint", "Resume", "Guide"} & shown
        await until(pilot, lambda: app.screen.query_one(Footer).region.height == 1)


@pytest.mark.parametrize("step", ["home", "configure", "prefer", "runs"])
async def test_no_key_is_cut_off_and_that_of_the_help_is_always_shown(step: str, until: Until) -> None:
    app = TunerApp()
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        app.go(step)
        counts = []
        for width in (40, 80, 140):
            await pilot.resize_terminal(width, 24)

            def shown() -> list[FooterKey]:
                return [key for key in app.screen.query(FooterKey) if key.display]

            def whole(width: int = width) -> bool:
                return app.screen.size.width == width and all(
                    key.region.width > 0 and key.region.right < width for key in shown()
                )

            await until(pilot, lambda: whole() and "help" in [key.action for key in shown()])
            counts.append(len(shown()))
        assert counts == sorted(counts) and counts[0] > 1


async def test_light_and_dark_are_remembered(until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        assert app.current_theme.dark
        await pilot.press("t")
        await until(pilot, lambda: not app.current_theme.dark)
    assert TunerApp().theme == "paper"


async def test_settings_are_in_force_and_saved_at_once(until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        await pilot.press("comma")
        await until(pilot, lambda: shows(app, SettingsScreen))
        app.screen.query_one("#theme", Select).value = "paper"
        app.screen.query_one("#polls_per_second", Select).value = 4
        await until(pilot, lambda: app.theme == "paper" and load_settings().polls_per_second == 4)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_unreadable_settings_cost_a_notice_and_nothing_else(until: Until) -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text('{"smoothing": "a lot"}')
    app = TunerApp()
    async with app.run_test(notifications=True) as pilot:
        # A notification goes away by itself, so it is waited for first.
        await until(pilot, lambda: len(app._notifications) > 0)
        messages = [note.message for note in app._notifications]
        assert len(messages) == 1
        assert "smoothing must be a float" in messages[0]
        assert app.settings.smoothing == 0.6


async def test_settings_of_a_newer_version_are_kept_out_of_the_way(home: Path) -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text(json.dumps({"hologram": True, "polls_per_second": 99}))
    assert load_settings().polls_per_second == 4


@pytest.mark.parametrize(("key", "answer"), [("enter", False), ("y", True), ("escape", False)])
async def test_enter_never_confirms_what_destroys(key: str, answer: bool, until: Until) -> None:
    app = TunerApp()
    answers: list[bool | None] = []
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        await app.push_screen(ConfirmScreen("Delete?", "All of it.", danger=True), answers.append)
        await until(pilot, lambda: shows(app, ConfirmScreen))
        await pilot.press(key)
        await until(pilot, lambda: bool(answers))
    assert answers == [answer]


async def test_leaving_by_a_step_key_cancels_a_dialog(until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        await app.push_screen(ConfirmScreen("Delete?", "All of it."))
        app.go("runs")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        app.go("home")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


HOSTILE = "\x1b[31mred\x1b[0m [bold]x[/bold] \x07 \x9b2J \u202eabc \u200b \ud800 a\tb\nc"


def test_control_characters_are_shown_and_not_sent() -> None:
    text = visible(HOSTILE)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "␛[31mred" in text
    assert "\\u009b2J" in text
    assert "\\u202e" in text
    text.encode("utf-8")
    assert "⏎" in visible(HOSTILE, one_line=True)


async def test_markup_in_hostile_text_stays_text(until: Until) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        widget = Static(safe(HOSTILE))
        await app.screen.mount(widget)
        await pilot.pause()
        assert "[bold]x[/bold]" in widget.visual.plain
