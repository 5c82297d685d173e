"""What Prefer asks for before there is a pair to judge: answers, a model to answer, a file for pairs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.tui import prefer_notes
from tuner_tui.tui.recent import data_suffixes, suggestions
from tuner_tui.tui.widgets.dialogs import ChooseDialog, SaveDialog
from tuner_tui.tui.widgets.file_picker import FilePicker

if TYPE_CHECKING:
    from tuner_tui.tui.app import TunerApp


def choose_answers(app: "TunerApp", read: Callable[[Path], object]) -> None:
    """Ask for a file of answers, and `read` it."""
    _choose_file(app, "Compare the answers of", read)


def choose_model(app: "TunerApp", prompts: Path | None, start: Callable[[Path, str], object]) -> None:
    """Ask whose answers are wanted, and for the file of prompts unless it is known; then `start`."""

    def choose(what: str | None) -> None:
        if what is None:
            return
        if prompts is not None:
            start(prompts, what)
        else:
            _choose_file(app, "Prompts from", lambda data: start(data, what))

    app.push_screen(ChooseDialog("Whose answers?", prefer_notes.models(app.journey.run_dir)), choose)


def choose_pairs(app: "TunerApp", source: Path, begin: Callable[[Path], object]) -> None:
    """Ask where the pairs go, and `begin`; a file that is there is continued."""
    exists = "This file is there; Enter again goes on with it."
    dialog = SaveDialog("Collect the pairs in", prefer_notes.pairs_name(source), exists=exists)

    def take(pairs: Path | None) -> None:
        if pairs is not None:
            begin(pairs)

    app.push_screen(dialog, take)


def _choose_file(app: "TunerApp", title: str, take: Callable[[Path], object]) -> None:
    def taken(path: Path | None) -> None:
        if path is not None:
            take(path)

    app.push_screen(FilePicker(title, suggestions=suggestions(), suffixes=data_suffixes()), taken)
