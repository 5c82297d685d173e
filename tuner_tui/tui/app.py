"""The app: its modes and their wiring, nothing else."""

import signal
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen
from textual.widgets import Input

from tuner_tui import settings as settings_module
from tuner_tui.errors import UserError
from tuner_tui.tui import themes
from tuner_tui.tui.bindings import APP_BINDINGS
from tuner_tui.tui.journey import Journey
from tuner_tui.tui.step import StepScreen
from tuner_tui.visible import visible

_MODES = ("home", "decide", "data", "configure", "train", "evaluate", "report", "runs", "prefer")


def _open_screen(name: str) -> Screen[Any]:
    # By name and not before it is shown: the first paint waits for the modules of one screen only.
    module = import_module(f"tuner_tui.tui.screens.{name}")
    screen: Screen[Any] = getattr(module, f"{name.capitalize()}Screen")()
    return screen


class TunerApp(App[None]):
    """One mode per step, so that each keeps its screen, its focus and its open dialogs while others
    are shown.
    """

    TITLE = "tuner"
    CSS_PATH = "base.tcss"
    BINDINGS = APP_BINDINGS
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        name: partial(_open_screen, name) for name in _MODES
    }
    DEFAULT_MODE = "home"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    def __init__(self, watch: Path | None = None, tour: bool = False) -> None:
        super().__init__()
        self.journey = Journey(run_dir=watch, tour=tour)
        self.complaints: list[str] = []
        """What went wrong before there was a screen to say it on."""
        self.settings = self._load_settings()
        self.painted = False
        """Whether the shell has been on the screen: what costs time waits for it."""
        self._watch = watch is not None
        self._use_theme(self.settings.theme)

    def go(self, step: str) -> None:
        """Show a step: home, decide, data, configure, train, evaluate, report; runs or prefer."""
        # From a dialog too: its answer is "cancel", or it would wait under the other mode.
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.switch_mode(step)

    def action_go(self, step: str) -> None:
        """Show a step, by its key."""
        self.go(step)

    def complain(self, message: str) -> None:
        """Say what is wrong, in a notification that is drawn as plain text."""
        self.notify(message, severity="error", timeout=10, markup=False)

    async def on_ready(self) -> None:
        self.painted = True
        if self._watch:
            self.go("train")
        elif isinstance(self.screen, StepScreen) and self.screen.is_mounted:
            # A screen that a key has just opened may have no shell yet; it mounts its body by itself.
            await self.screen.mount_body()
        self._register_themes()
        self._say_complaints()
        if self.journey.tour:
            self.start_tour()

    def start_tour(self) -> None:
        """Begin the guided tour (a panel beside the real screens)."""
        from tuner_tui.tui.tour import start_tour

        self.journey.tour = True
        start_tour(self)

    def action_focus_tour(self) -> None:
        """Put the focus on the tour's panel."""
        from tuner_tui.tui.tour import focus_tour

        focus_tour(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The guide's key works, and is shown, only while a tour is on."""
        if action == "focus_tour":
            return self.journey.tour
        return super().check_action(action, parameters)

    def action_help(self) -> None:
        """Explain the screen that is shown."""
        from tuner_tui.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_settings(self) -> None:
        """Open the preferences."""
        from tuner_tui.tui.screens.settings import SettingsScreen

        if not isinstance(self.screen, SettingsScreen):
            self.push_screen(SettingsScreen())

    async def action_quit(self) -> None:
        """Leave; the last line on the terminal tells how to come back to a run that goes on."""
        self.exit(message=_farewell(self.journey.run_dir))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        # A blinking cursor is half of the bytes that an idle window sends over a slow line.
        if isinstance(event.widget, Input):
            event.widget.cursor_blink = False

    def action_toggle_dark(self) -> None:
        """Between the dark and the light theme; remembered."""
        dark = self.current_theme.dark
        self.set_theme(self.settings.light_theme if dark else self.settings.dark_theme)

    def set_theme(self, name: str) -> None:
        """Use a theme from now on."""
        used = self._use_theme(name)
        self._say_complaints()
        if not used:
            return
        self.settings.theme = name
        if self.current_theme.dark:
            self.settings.dark_theme = name
        else:
            self.settings.light_theme = name
        self.save_settings()

    def save_settings(self) -> None:
        """Write the preferences; a folder that cannot be written to costs a notification only."""
        try:
            settings_module.save_settings(self.settings)
        except UserError as error:
            self.complain(str(error))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for the themes that do not set them."""
        return themes.variable_defaults(self.current_theme.dark)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette (Ctrl+P) offers."""
        from tuner_tui.tui.commands import commands

        yield from commands(self, screen)

    def _load_settings(self) -> settings_module.Settings:
        try:
            return settings_module.load_settings()
        except UserError as error:
            self.complaints.append(str(error))
            return settings_module.Settings()

    def _use_theme(self, name: str) -> bool:
        """Switch to a theme, read from its file if need be; False when that fails."""
        if name not in self.available_themes:
            file = themes.theme_files().get(name)
            try:
                if file is None:
                    raise UserError(f"there is no theme {name!r}; using {themes.DARK!r} instead.")
                self.register_theme(themes.load_theme(file))
            except UserError as error:
                self.complaints.append(str(error))
                return name != themes.DARK and self._use_theme(themes.DARK)
        if self.is_running:
            self.theme = name
        else:
            # Before the start nothing has been styled yet that would have to be styled again.
            self.set_reactive(App.theme, name)
        return True

    def _say_complaints(self) -> None:
        for message in self.complaints:
            self.complain(message)
        self.complaints.clear()

    def _register_themes(self) -> None:
        # After the first paint: only the theme in use is needed before it.
        for name, file in themes.theme_files().items():
            if name not in self.available_themes:
                try:
                    self.register_theme(themes.load_theme(file))
                except UserError as error:
                    self.complaints.append(str(error))


def _farewell(run_dir: Path | None) -> str | None:
    """What is said when the window closes on a live run."""
    if run_dir is None:
        return None
    from tuner_tui.runs.reader import read_status

    try:
        live = read_status(run_dir).state.live
    except UserError:
        return None
    name = visible(run_dir.name, one_line=True)
    return f"The run goes on. Come back: tuner watch {name}   Stop it: tuner stop {name}" if live else None


def run_app(watch: Path | None = None, tour: bool = False) -> int:
    """Open the app: at home, on the run `watch`, or with the tour. Returns the exit status."""
    # A window ends with its terminal, also where what started it lets its children outlive theirs (nohup).
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    app = TunerApp(watch=watch, tour=tour)
    app.run()
    return app.return_code or 0
