"""What the Data screen has done by threads: index and inspect a file, render a row. They post messages."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from textual.message import Message

from tuner_tui import paths
from tuner_tui.data.inspection import Inspection, inspect_file
from tuner_tui.data.preview import ChatTemplate, Rendered
from tuner_tui.data.template import TemplateFailure
from tuner_tui.errors import UserError
from tuner_tui.tui.dataset_rows import DatasetRows

_SECONDS_BETWEEN_PROGRESS = 0.2


class DatasetOpened(Message):
    """The file is indexed: its rows can be shown."""

    def __init__(self, rows: DatasetRows) -> None:
        super().__init__()
        self.rows = rows


class DatasetProgressed(Message):
    """So many rows are inspected."""

    def __init__(self, path: Path, done: int) -> None:
        super().__init__()
        self.path = path
        self.done = done


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


def inspect(
    path: Path,
    model: str,
    max_length: int | None,
    post: Callable[[Message], object],
    cancelled: Callable[[], bool],
) -> None:
    """Index the file, so that its rows can be looked at, then inspect all of it."""
    told = 0.0

    def progress(done: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _SECONDS_BETWEEN_PROGRESS and not cancelled():
            told = now
            post(DatasetProgressed(path, done))

    try:
        rows = DatasetRows(path)
        if cancelled():
            rows.close()
            post(DatasetFailed(path, f"{path.name}: cancelled before it was read."))
            return
        post(DatasetOpened(rows))
        folder, note = _model_folder(model)
        inspection = inspect_file(
            path,
            model=folder,
            max_length=max_length if folder else None,
            progress=progress,
            cancelled=cancelled,
        )
    except (UserError, OSError) as error:
        post(DatasetFailed(path, str(error)))
        return
    post(DatasetInspected(inspection, note))


class RowRenderer:
    """Renders rows through a model's chat template, which is loaded once."""

    def __init__(self) -> None:
        self._loaded: tuple[str, ChatTemplate] | None = None
        # A thread that was cancelled may still be at work, and a template serves one at a time.
        self._lock = Lock()

    def render(self, rows: DatasetRows, index: int, model: str) -> RowRendered:
        """The message with the rendered row. A row may hold a book: call it in a thread."""
        example, _, problem = rows.example(index)
        if example is None:
            return RowRendered(index, None, problem)
        folder, note = _model_folder(model)
        if folder is None:
            return RowRendered(index, None, note)
        with self._lock:
            try:
                if self._loaded is None or self._loaded[0] != model:
                    self._loaded = (model, ChatTemplate.load(folder))
                template = self._loaded[1]
                rendered = template.render(example)
            except (UserError, TemplateFailure) as error:
                return RowRendered(index, None, str(error))
        if not template.marks_generation:
            note = "This template does not mark what is trained; the marks are an estimate."
        return RowRendered(index, rendered, note)


def _model_folder(model: str) -> tuple[Path | None, str]:
    """The folder of the model whose template is used, or None and why there is none."""
    folder = Path(paths.resolve_model(model))
    if folder.is_dir():
        return folder, ""
    return None, f"The model {model} is not in a folder on this machine, so tokens cannot be counted."
