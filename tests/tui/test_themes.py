"""Themes: the shipped ones are complete and readable, a bad one never takes the app down."""

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.color import Color

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.themes import load_theme, theme_files, variable_defaults

SHIPPED = sorted(paths.themes().glob("*.toml"))
OURS = tuple(variable_defaults(dark=True))


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, WCAG 2.1."""
    channels = [channel / 255 for channel in Color.parse(colour).rgb]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.1: 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_theme_is_complete_and_has_contrast(file: Path) -> None:
    theme = load_theme(file)
    assert set(OURS) <= theme.variables.keys()
    background = theme.background or ""
    for colour in (theme.foreground, theme.primary, theme.variables["quiet"], theme.variables["bad"]):
        # WCAG 2.1, 1.4.3: text of ordinary size needs 4.5.
        assert contrast(background, colour or "") >= 4.5, colour
    for name in ("chart-train", "chart-eval"):
        # WCAG 2.1, 1.4.11: graphical objects need 3.
        assert contrast(background, theme.variables[name]) >= 3


def test_both_kinds_are_shipped() -> None:
    kinds = {load_theme(file).dark for file in SHIPPED}
    assert kinds == {True, False}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("primary = ", "cannot be read as TOML"),
        ('primary = "#12345"', "primary = '#12345' is not a colour"),
        ('primary = "red"\n[variables]\ntrained = "greenish"', "variables.trained"),
        ('primary = "red"\n[variables]\nborder = "red much"', "variables.border"),
        ('primary = "red"\nshininess = 3', "shininess"),
        ('background = "black"', "primary"),
        ('primary = "red"\nvariables = 3', "variables"),
        ("primary = 7", "primary = 7"),
    ],
)
def test_a_bad_theme_is_told_with_its_file_and_key(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        load_theme(file)
    assert str(file) in str(error.value)
    assert complaint in str(error.value)


def test_a_theme_of_ones_own_wins_over_a_shipped_one() -> None:
    folder = paths.config_dir() / "themes"
    folder.mkdir(parents=True)
    (folder / "dusk.toml").write_text('primary = "#ff0000"\n')
    assert theme_files()["dusk"] == folder / "dusk.toml"


async def test_the_app_opens_with_a_bad_theme_chosen(until: Callable[..., object]) -> None:
    folder = paths.config_dir() / "themes"
    folder.mkdir(parents=True)
    (folder / "neon.toml").write_text('primary = "no colour"\n')
    (paths.config_dir() / "settings.json").write_text('{"theme": "neon"}')
    app = TunerApp()
    async with app.run_test(notifications=True) as pilot:
        # A notification goes away by itself, so it is waited for first.
        await until(pilot, lambda: any("neon.toml" in note.message for note in app._notifications))
        assert app.theme == "dusk"


async def test_every_theme_can_be_used(until: Callable[..., object]) -> None:
    app = TunerApp()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.screen.body_ready)
        for name in (*theme_files(), "textual-light", "nord", "ansi-dark"):
            app.set_theme(name)
            await pilot.pause()
            assert app.theme == name
            assert app.theme_variables["chart-train"]
