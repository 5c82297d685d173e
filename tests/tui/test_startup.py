"""The first paint waits for nothing but the shell."""

from collections.abc import Callable
from pathlib import Path

from textual.widgets import Footer

from tuner_tui.tui import app as app_module
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.widgets.stepper import Stepper


class Witness(TunerApp):
    """Notes what is mounted at the moment of the first paint."""

    CSS_PATH = Path(app_module.__file__).with_name("base.tcss")
    at_first_paint: tuple[bool, bool] | None = None

    def on_ready(self) -> None:
        # Textual calls this handler and then the one of the base class.
        self.at_first_paint = (bool(self.screen.query(Stepper)), self.screen.body_ready)


async def test_the_shell_is_painted_before_the_body_is_mounted(until: Callable[..., object]) -> None:
    app = Witness()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        assert app.at_first_paint == (True, False)
        assert app.screen.query(Footer)


class Hasty(TunerApp):
    """Goes to another screen before the first paint, as a key does that comes early."""

    CSS_PATH = Path(app_module.__file__).with_name("base.tcss")

    def on_ready(self) -> None:
        self.go("decide")


async def test_a_screen_opened_before_the_first_paint_gets_its_body(until: Callable[..., object]) -> None:
    app = Hasty()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.current_mode == "decide" and app.screen.body_ready)
        await until(pilot, lambda: app.screen.focused is not None)


async def test_a_screen_that_is_not_shown_is_not_imported(until: Callable[..., object]) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        assert set(app._screen_stacks) == {"home"}
