"""What the Data screen has done by threads: index and inspect a file, render a row. They post messages."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from textual.message import Message

from tuner_tui import paths
from tuner_tui.data.hub import dataset_id, fetch
from tuner_tui.data.inspection import Inspection, inspect_file
from tuner_tui.data.progress import Progress
from tuner_tui.data.rendering.preview import ChatTemplate, Rendered
from tuner_tui.data.rendering.template import TemplateFailure
from tuner_tui.errors import UserError
from tuner_tui.tui.dataset_rows import DatasetRows
from tuner_tui.tui.dataset_settings import InspectionSettings

_SECONDS_BETWEEN_PROGRESS = 0.25
_INDEX_FIRST = 2.0  # seconds

Post = Callable[[Message], object]
Cancelled = Callable[[], bool]


class DatasetOpened(Message):
    """The first rows can be shown; `asked` is what was to be opened, a path or a name on the hub."""

    def __init__(self, rows: DatasetRows, asked: Path) -> None:
        super().__init__()
        self.rows = rows
        self.asked = asked


class RowsIndexed(Message):
    """More rows are known by now, or all of them."""

    def __init__(self, rows: DatasetRows) -> None:
        super().__init__()
        self.rows = rows


class DatasetProgressed(Message):
    """How far the inspection has come."""

    def __init__(self, path: Path, progress: Progress) -> None:
        super().__init__()
        self.path = path
        self.progress = progress


class DatasetInspected(Message):
    """The inspection, of all rows or of those before it was cancelled; `note` says why tokens are missing."""

    def __init__(self, inspection: Inspection, note: str) -> None:
        super().__init__()
        self.inspection = inspection
        self.note = note


class DatasetFailed(Message):
    """The file cannot be used, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__()
        self.path = path
        self.reason = reason


class RowRendered(Message):
    """A row went through the chat template; without `rendered`, `note` says why not."""

    def __init__(self, index: int, rendered: Rendered | None, note: str) -> None:
        super().__init__()
        self.index = index
        self.rendered = rendered
        self.note = note


def open_dataset(path: Path, post: Post, cancelled: Cancelled) -> None:
    """Open a dataset and post its first rows at once; then find all the others."""
    on_the_hub = dataset_id(str(path))
    try:
        rows = DatasetRows(path if on_the_hub is None else fetch(on_the_hub, cancelled))
    except (UserError, OSError) as error:
        post(DatasetFailed(path, str(error)))
        return
    if cancelled():
        rows.close()
        post(DatasetFailed(path, f"{path.name}: cancelled before it was read."))
        return
    post(DatasetOpened(rows, path))
    due = _Pace()

    def progress(now: Progress) -> None:
        if due():
            post(RowsIndexed(rows))

    try:
        rows.build(progress, cancelled)
    except (UserError, OSError) as error:
        post(DatasetFailed(rows.path, str(error)))
        return
    post(RowsIndexed(rows))


def inspect(rows: DatasetRows, settings: InspectionSettings, post: Post, cancelled: Cancelled) -> None:
    """Inspect all rows of an opened dataset; the work itself is done by processes."""
    # The index takes a second for a gigabyte, and then every row can be reached. Where it takes longer,
    # because the file has to be unpacked for it, the inspection does not wait.
    rows.indexed.wait(_INDEX_FIRST)
    path, due = rows.path, _Pace()

    def progress(now: Progress) -> None:
        if due() and not cancelled():
            post(DatasetProgressed(path, now))

    folder, note = _model_folder(settings.model)
    try:
        inspection = inspect_file(
            path,
            model=folder,
            max_length=settings.max_length if folder else None,
            goal=settings.goal,
            eval_path=settings.eval_path,
            progress=progress,
            cancelled=cancelled,
        )
    except (UserError, OSError) as error:
        post(DatasetFailed(path, str(error)))
        return
    # What costs time with a million rows is worked out here, not by the window.
    _ = inspection.findings, inspection.severities, inspection.statistics
    post(DatasetInspected(inspection, note))


class RowRenderer:
    """Renders rows through a model's chat template, which is loaded once."""

    def __init__(self) -> None:
        self._loaded: tuple[str, ChatTemplate] | None = None
        # A thread that was cancelled may still be at work, and a template serves one at a time.
        self._lock = Lock()

    def render(self, rows: DatasetRows, index: int, model: str) -> RowRendered:
        """The message with the rendered row. A row may hold a book: call it in a thread."""
        row = rows.shown(index)
        if row.example is None:
            return RowRendered(index, None, row.fault.message if row.fault is not None else "")
        folder, note = _model_folder(model)
        if folder is None:
            return RowRendered(index, None, note)
        with self._lock:
            try:
                if self._loaded is None or self._loaded[0] != model:
                    self._loaded = (model, ChatTemplate.load(folder))
                rendered = self._loaded[1].render(row.example)
            except (UserError, TemplateFailure) as error:
                return RowRendered(index, None, str(error))
        return RowRendered(index, rendered, "\n".join(rendered.notes))


class _Pace:
    """True now and then: a window that is told of everything has no time for its keys."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now - self._told < _SECONDS_BETWEEN_PROGRESS:
            return False
        self._told = now
        return True


def _model_folder(model: str) -> tuple[Path | None, str]:
    """The folder of the model whose template is used, or None and why there is none."""
    folder = Path(paths.resolve_model(model))
    if folder.is_dir():
        return folder, ""
    return None, f"The model {model} is not in a folder on this machine, so tokens cannot be counted."
