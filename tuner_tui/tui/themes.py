"""Themes from TOML files: the shipped ones, and the person's own, which win.

A file holds the arguments of `textual.theme.Theme` (except `name`, which is the file's stem).
Colours are checked here, because Textual accepts a bad one when a theme is registered and dies when
it is used.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tuner_tui import paths
from tuner_tui.errors import UserError

DARK, LIGHT = "dusk", "paper"

# Our own variables, for a theme that does not set them (Textual's built-in ones, or a short file of
# a person).
_DARK_VARIABLES = {
    "chart-train": "#7db4dd",
    "chart-eval": "#e8b45f",
    "chart-dim": "#4a5b68",
    "good": "#8fc08a",
    "bad": "#e6818a",
    "trained": "#24483a",
    "quiet": "#9aa2b0",
}
_LIGHT_VARIABLES = {
    "chart-train": "#1f6a99",
    "chart-eval": "#b35a00",
    "chart-dim": "#a9bccb",
    "good": "#2f7336",
    "bad": "#b12f3c",
    "trained": "#cfe8d6",
    "quiet": "#5d6470",
}


def variable_defaults(dark: bool) -> dict[str, str]:
    """Values of `$chart-train`, `$chart-eval`, `$good`, `$bad`, `$trained` and `$quiet` for any
    theme.
    """
    return _DARK_VARIABLES if dark else _LIGHT_VARIABLES


def theme_files() -> dict[str, Path]:
    """Name to file, the person's own after (and so over) the shipped ones."""
    folders = (paths.themes(), paths.config_dir() / "themes")
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.toml"))}


def load_theme(file: Path) -> Theme:
    """The theme in `file`, checked. UserError names the file, the key and what is wrong with it."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"theme {file}: cannot be read as TOML ({error}).") from error
    try:
        theme = Theme(name=file.stem, **values)
    except TypeError as error:
        raise UserError(
            f"theme {file}: {error}; a theme has primary (required), secondary, accent, success,"
            " warning, error, foreground, background, surface, panel, boost, dark, [variables]."
        ) from error
    for key, value in _colours(values):
        if not _is_colour(value):
            raise UserError(
                f"theme {file}: {key} = {value!r} is not a colour;"
                " write it like #7db4dd or a CSS colour name."
            )
    try:
        theme.to_color_system().generate()
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f"theme {file}: no palette can be made from it ({error}).") from error
    return theme


def _colours(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if key not in {"dark", "ansi", "luminosity_spread", "text_alpha", "variables"}:
            yield key, value
    variables = values.get("variables", {})
    if not isinstance(variables, dict):
        yield "variables", variables
        return
    for key, value in variables.items():
        if not key.endswith("-style"):
            yield f"variables.{key}", value


def _is_colour(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    # A variable may carry an alpha ("#ffffff 20%") or be relative to its background ("auto 60%").
    colour, _, alpha = value.partition(" ")
    if alpha and not alpha.strip().removesuffix("%").replace(".", "", 1).isdigit():
        return False
    if colour == "auto":
        return True
    try:
        Color.parse(colour)
    except ColorParseError:
        return False
    return True
