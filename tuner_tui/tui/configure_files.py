"""A configuration as a file, and as a command: what Configure opens, writes and copies."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.errors import UserError
from tuner_tui.tui.widgets.dialogs import SaveDialog
from tuner_tui.tui.widgets.file_picker import FilePicker

if TYPE_CHECKING:
    from tuner_tui.training.config import TrainConfig
    from tuner_tui.tui.app import TunerApp


def open_config(app: "TunerApp", use: "Callable[[TrainConfig, Path], None]") -> None:
    """Ask for a YAML file, and `use` what it holds; a bad one is told."""

    def chosen(path: Path | None) -> None:
        from tuner_tui.training.config import load_config

        if path is None:
            return
        try:
            config = load_config(path)
        except UserError as error:
            app.complain(str(error))
            return
        use(config, path)

    picker = FilePicker("Open a configuration", suffixes=(".yaml", ".yml"), value="./")
    app.push_screen(picker, chosen)


def save_config(app: "TunerApp", config: "TrainConfig") -> None:
    """Ask where to, and write the configuration there."""

    def save(path: Path | None) -> None:
        from tuner_tui.training.config import to_yaml

        if path is None:
            return
        try:
            path.write_text(to_yaml(config), encoding="utf-8")
        except OSError as error:
            app.complain(f"{path}: cannot be written ({error.strerror}).")
            return
        app.notify(f"Saved. The same run without the app: tuner train {path}", timeout=8, markup=False)

    app.push_screen(SaveDialog("Save the configuration as", f"{config.name}.yaml"), save)


def copy_yaml(app: "TunerApp", config: "TrainConfig") -> None:
    """Put the YAML on the clipboard of the terminal."""
    from tuner_tui.training.config import to_yaml

    app.copy_to_clipboard(to_yaml(config))
    app.notify("The YAML is on the clipboard.", markup=False)


def copy_command(app: "TunerApp", config: "TrainConfig") -> None:
    """Put the command on the clipboard that a run of this configuration is started with.

    As `tuner train CONFIG --print-command`: RUN_DIR stands for a folder with `config.yaml` in it.
    """
    from tuner_tui.training import launchers
    from tuner_tui.training.launchers.local import absolute

    try:
        words = launchers.command(absolute(config), Path("RUN_DIR"))
    except UserError as error:
        app.complain(str(error))
        return
    text = shlex.join(words)
    app.copy_to_clipboard(text)
    note = f"{text}\n\nRUN_DIR is a folder that holds the configuration as config.yaml."
    app.notify(note, title="Copied", timeout=12, markup=False)
