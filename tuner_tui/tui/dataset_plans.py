"""What is to be made of datasets: the files, the work, and the lines of the settings. No widgets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner_tui import paths
from tuner_tui.data.progress import Progress
from tuner_tui.errors import UserError
from tuner_tui.tui.widgets.form_fields import FormField, Kind, Raw

MOST_SEED = 2**32 - 1

Tell = Callable[[Progress], None]
Cancelled = Callable[[], bool]


class SettingError(UserError):
    """What stands in a field cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written: the files, how many bytes have to be read for them, and the function that
    writes files in their place and reports (None when it was cancelled)."""

    targets: tuple[Path, ...]
    size: int
    run: Callable[[Sequence[Path], Tell, Cancelled], Any]


def setting(
    path: str, title: str, help: str, kind: Kind, choices: Sequence[str] = (), *, optional: bool = False
) -> FormField:
    """A line of the settings."""
    labels: tuple[tuple[str, Raw], ...] = tuple((each, each) for each in choices)
    return FormField(path, title, help, "", "", "", kind, optional, labels, advanced=False)


def beside(source: Path, name: str) -> Path:
    """A file of this name beside `source`; in the working folder when the source is one of the samples."""
    folder = source.absolute().parent
    return (Path.cwd() if folder == paths.sample_data().absolute() else folder) / name


def stem(source: Path) -> str:
    """The name of a dataset without its endings: "rows" of rows.jsonl.gz."""
    return source.name.split(".")[0] or "data"
