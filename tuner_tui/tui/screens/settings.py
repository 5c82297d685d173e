"""The preferences: theme, chart, how often to look at a run; in force, and saved, at once."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Select, Static

from tuner_tui.settings import settings_file

if TYPE_CHECKING:
    from tuner_tui.tui.app import TunerApp

_SMOOTHING = (
    ("none: raw values only", 0.0),
    ("light (0.6)", 0.6),
    ("medium (0.9)", 0.9),
    ("strong (0.97)", 0.97),
)
_SCALES = (("linear", False), ("logarithmic", True))
_POLLS = (("once a second", 1), ("twice a second", 2), ("four times a second", 4))


class SettingsScreen(ModalScreen[None]):
    """A dialog of a few choices; Escape closes it."""

    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss", "Close")]

    @property
    def tuner(self) -> "TunerApp":
        """The app, by its own type."""
        return cast("TunerApp", self.app)

    def compose(self) -> ComposeResult:
        settings = self.tuner.settings
        themes = [
            (f"{theme.name} ({'dark' if theme.dark else 'light'})", theme.name)
            for theme in sorted(
                self.app.available_themes.values(), key=lambda theme: (not theme.dark, theme.name)
            )
        ]
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Label("Settings", classes="title")
            yield self._row("Theme", "theme", themes, self.app.theme)
            smoothing = min((value for _, value in _SMOOTHING), key=self._distance)
            yield self._row("Smoothed loss", "smoothing", _SMOOTHING, smoothing)
            yield self._row("Loss axis", "log_scale", _SCALES, settings.log_scale)
            yield self._row("Look at a run", "polls_per_second", _POLLS, settings.polls_per_second)
            yield Static(
                f"Kept in {settings_file()}.\n"
                f"Themes of your own: {settings_file().parent / 'themes'}/NAME.toml",
                classes="hint",
                markup=False,
            )

    def _row(self, label: str, name: str, choices: Iterable[tuple[str, Any]], value: Any) -> Horizontal:
        select = Select(choices, value=value, allow_blank=False, compact=True, id=name)
        return Horizontal(Label(label), select)

    def _distance(self, value: float) -> float:
        return abs(value - self.tuner.settings.smoothing)

    @on(Select.Changed, "#theme")
    def _theme_chosen(self, event: Select.Changed) -> None:
        if event.value != self.app.theme:
            self.tuner.set_theme(str(event.value))

    @on(Select.Changed, "#smoothing,#log_scale,#polls_per_second")
    def _value_chosen(self, event: Select.Changed) -> None:
        name = event.select.id
        if name is not None and getattr(self.tuner.settings, name) != event.value:
            setattr(self.tuner.settings, name, event.value)
            self.tuner.save_settings()
