"""The form of Configure: what is typed becomes a configuration, or is told what is wrong with it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker

from tuner_tui.tui.configure_notes import BASIC, data_notes
from tuner_tui.tui.recent import data_suffixes, suggestions
from tuner_tui.tui.run_choices import NONE_FITS, NOTHING, RUN_FIELDS, TYPED, run_entries
from tuner_tui.tui.widgets.dialogs import ChooseDialog, Entry, FilesDialog
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.form import Form
from tuner_tui.tui.widgets.form_fields import FormField, Raw, check, form_sections, raw_values
from tuner_tui.tui.widgets.form_row import FieldRow

if TYPE_CHECKING:
    # pydantic and YAML: imported where they are used, after the screen has been painted.
    from tuner_tui.training.config import Method, TrainConfig

_DATA_FIELDS = ("data.train", "data.eval")
_SETTLE_SECONDS = 0.25
"""Not at every letter: what is typed is looked up on the disk."""


class SettingsForm(Vertical):
    """All settings. Those that mean nothing to the chosen method are hidden, and keep what was typed."""

    class Settled(Message):
        """Nothing was changed for a moment: `settings` knows the configuration and the faults."""

        def __init__(self, settings: "SettingsForm") -> None:
            super().__init__()
            self.settings = settings

    class DataSeen(Message):
        """What the files in the fields hold, by field: a sentence and its colour."""

        def __init__(self, notes: dict[str, tuple[str, str]]) -> None:
            super().__init__()
            self.notes = notes

    class RunsFound(Message):
        """The runs that fit into a field."""

        def __init__(self, row: FieldRow, entries: list[Entry]) -> None:
            super().__init__()
            self.row, self.entries = row, entries

    def __init__(self, checked: "Callable[[TrainConfig | None], None]", *, id: str | None = None) -> None:
        """`checked` is called with the configuration whenever a value has changed: at once, not by a message,
        so that whoever looks at it next sees what is typed."""
        from tuner_tui.training.config import TrainConfig

        super().__init__(id=id)
        self._checked = checked
        self._sections = form_sections(TrainConfig, BASIC, RUN_FIELDS)
        self._fields: list[FormField] = [field for section in self._sections for field in section.fields]
        self._baseline: dict[str, Raw] = {}
        self._debounce: Timer | None = None
        self.config: TrainConfig | None = None
        """What the settings make; None while a value is wrong."""
        self.faults: dict[str, str] = {}
        """What is wrong, by the field's path; a file that is missing here is told, and yet the configuration
        may be meant for another machine."""

    def compose(self) -> ComposeResult:
        yield Form(self._sections, id="form")

    @property
    def form(self) -> Form:
        """The form itself."""
        return self.query_one(Form)

    @property
    def method(self) -> "Method":
        """The method that is chosen."""
        return cast("Method", self.form.row("method").raw)

    @property
    def changed(self) -> int:
        """How many settings differ from the preset's or the file's."""
        values = self.form.values.items()
        return sum(raw != self._baseline[path] for path, raw in values if self._means(path))

    @property
    def fault(self) -> tuple[FieldRow | None, str]:
        """The first fault, with its row where it has one."""
        path = next((field.path for field in self._fields if field.path in self.faults), None)
        message = self.faults.get(path or "", "a value is wrong")
        if path is None:
            return None, message
        row = self.form.row(path)
        return row, f"{row.field.title}: {message}"

    def show(self, config: "TrainConfig", baseline: "TrainConfig") -> None:
        """Show a configuration; what differs from `baseline` is marked, and can be put back to it."""
        self._baseline = raw_values(baseline, self._fields)
        self.fill(config)

    def fill(self, config: "TrainConfig") -> None:
        """Show a configuration beside the same baseline."""
        self.form.show(raw_values(config, self._fields), self._baseline)
        self.check()

    def take(self, config: "TrainConfig", paths: Any) -> None:
        """Take the values at `paths` from a configuration, as if they had been typed."""
        for path, value in raw_values(config, self._fields).items():
            if path in paths:
                self.form.row(path).set_raw(value)

    def check(self) -> None:
        """Make a configuration of what is typed, and say what is wrong with it."""
        from tuner_tui.training.config import TrainConfig

        self.form.show_where(self._means)
        checked = check(TrainConfig, self._fields, self.form.values, lambda path: not self._means(path))
        self.config = cast("TrainConfig | None", checked.model)
        self.faults = checked.errors
        self.form.show_errors(checked.errors)
        self._checked(self.config)
        if self._debounce is not None:
            self._debounce.stop()
        self._debounce = self.set_timer(_SETTLE_SECONDS, self._settled)

    def on_field_row_changed(self) -> None:
        self.check()

    def _means(self, path: str) -> bool:
        """Whether a field means something to the method that is chosen."""
        from tuner_tui.training.config import applies

        return applies(path, self.method)

    def _settled(self) -> None:
        self.post_message(self.Settled(self))
        files = {}
        for field in _DATA_FIELDS:
            raw = self.form.row(field).raw
            texts = raw if isinstance(raw, list) else [str(raw)] if raw else []
            files[field] = [path for text in texts if (path := Path(text).expanduser()).is_file()]
        self._look_at_data(self.method, {field: found for field, found in files.items() if found})

    @work(thread=True, exclusive=True, exit_on_error=False, group="data")
    def _look_at_data(self, method: "Method", files: dict[str, list[Path]]) -> None:
        """Read the first rows of the files: does the method learn from such rows?"""
        worker = get_current_worker()
        notes = data_notes(method, files)
        if not worker.is_cancelled:
            self.post_message(self.DataSeen(notes))

    def on_settings_form_data_seen(self, event: DataSeen) -> None:
        event.stop()
        for path in _DATA_FIELDS:
            self.form.row(path).note = event.notes.get(path, ("", ""))

    # What is chosen and not typed

    def on_field_row_file_wanted(self, event: FieldRow.FileWanted) -> None:
        row = event.row
        if isinstance(row.raw, list):
            files = FilesDialog(row.field.title, row.raw, suggestions=suggestions(), suffixes=data_suffixes())
            self.app.push_screen(files, lambda chosen: None if chosen is None else row.set_raw(chosen))
        else:
            picker = FilePicker(
                row.field.title, suggestions=suggestions(), suffixes=data_suffixes(), value=str(row.raw)
            )
            self.app.push_screen(picker, lambda path: None if path is None else row.set_raw(str(path)))

    def on_field_row_list_wanted(self, event: FieldRow.ListWanted) -> None:
        adapter = str(self.form.row("model.adapter").raw)
        self._find_runs(event.row, str(self.form.row("model.name").raw), adapter)

    @work(thread=True, exclusive=True, exit_on_error=False, group="runs")
    def _find_runs(self, row: FieldRow, model: str, adapter: str) -> None:
        worker = get_current_worker()
        entries = run_entries(row.field.path, model, adapter)
        if not worker.is_cancelled:
            self.post_message(self.RunsFound(row, entries))

    def on_settings_form_runs_found(self, event: RunsFound) -> None:
        event.stop()
        row = event.row

        async def take(chosen: str | None) -> None:
            if chosen == TYPED:
                self.screen.set_focus(row)
                await row.action_edit()
            elif chosen not in (None, NONE_FITS):
                row.set_raw("" if chosen == NOTHING else chosen)

        if self.screen.is_current:
            title = RUN_FIELDS[row.field.path]
            self.app.push_screen(ChooseDialog(title, event.entries, str(row.raw)), take)
