"""Configure: a form over the training configuration, its memory estimate, and the YAML that it stands for."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static, TabbedContent, TabPane
from textual.worker import get_current_worker

from tuner_tui.errors import UserError
from tuner_tui.tui import configure_files, configure_fit
from tuner_tui.tui.configure_notes import BASIC, HELP, data_notes, preset_entries
from tuner_tui.tui.recent import data_suffixes, suggestions, with_dataset
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.step import StepScreen
from tuner_tui.tui.widgets.dialogs import ChooseDialog, FilesDialog
from tuner_tui.tui.widgets.estimate_view import (
    config_state,
    estimate_content,
    field_help,
    method_help,
)
from tuner_tui.tui.widgets.file_picker import FilePicker
from tuner_tui.tui.widgets.form import Fold, Form
from tuner_tui.tui.widgets.form_fields import FormField, Raw, check, form_sections, raw_values
from tuner_tui.tui.widgets.form_row import FieldRow
from tuner_tui.tui.widgets.prose import Prose, hanging
from tuner_tui.tui.widgets.tabs import cycle, show
from tuner_tui.tui.widgets.yaml_view import YamlView
from tuner_tui.visible import visible

if TYPE_CHECKING:
    # pydantic and YAML: imported where they are used, after the screen has been painted.
    from tuner_tui.training.config import Method, TrainConfig
    from tuner_tui.training.estimate import Estimate
    from tuner_tui.training.fit import Fit

DEFAULT_PRESET = "demo"
_DATA_FIELDS = ("data.train", "data.eval")


class ConfigureScreen(StepScreen):
    """The form, an explanation of the focused field, the estimate; presets, open and save."""

    STEP = "configure"
    TITLE = "Configure"
    CSS_PATH = "configure.tcss"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_step", "Train"),
        Binding("p", "presets", "Presets"),
        Binding("a", "advanced", "Advanced"),
        Binding("o", "open", "Open"),
        Binding("ctrl+s", "save", "Save"),
        Binding("y", "copy", "Copy YAML", show=False),
        Binding("c", "copy_command", "Copy command"),
        Binding("f", "fit", "Fit"),
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False),
        Binding("right_square_bracket", "tab(1)", "Tabs", key_display="[ ]"),
    ]
    AUTO_FOCUS = "FieldRow"

    class Estimated(Message):
        """The estimate of a configuration, or why there is none."""

        def __init__(self, estimate: "Estimate | None", error: str) -> None:
            super().__init__()
            self.estimate = estimate
            self.error = error

    class DataSeen(Message):
        """What the files in the fields hold, by field: a sentence and its colour."""

        def __init__(self, notes: dict[str, tuple[str, str]]) -> None:
            super().__init__()
            self.notes = notes

    class Fitted(Message):
        """What is the fastest on a card, for this configuration."""

        def __init__(self, config: "TrainConfig", fit: "Fit") -> None:
            super().__init__()
            self.config = config
            self.fit = fit

    class NotFitted(Message):
        """Why nothing fits."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self) -> None:
        super().__init__()
        self._fields: list[FormField] = []
        self._baseline: dict[str, Raw] = {}
        self._origin = ""
        self._config: TrainConfig | None = None
        self._faults: dict[str, str] = {}
        self._estimate: Estimate | None = None
        self._estimate_error = ""
        self._debounce: Timer | None = None

    @property
    def form(self) -> Form:
        """The form, once the body is mounted."""
        return self.query_one(Form)

    @property
    def method(self) -> "Method":
        """The method that is chosen in the form."""
        return cast("Method", self.form.row("method").raw)

    def compose_body(self) -> ComposeResult:
        from tuner_tui.training.config import TrainConfig

        sections = form_sections(TrainConfig, BASIC)
        self._fields = [field for section in sections for field in section.fields]
        with Horizontal(id="configure"):
            with Vertical(id="configure-main"):
                yield Static(id="configure-state", markup=False)
                with TabbedContent(id="configure-tabs"):
                    with TabPane("Settings", id="settings"):
                        yield Form(sections, id="form")
                    with TabPane("Estimate", id="estimate"), VerticalScroll(id="estimate-scroll"):
                        yield Prose(id="estimate-page", classes="estimate")
                    with TabPane("YAML", id="yaml"):
                        yield YamlView(id="yaml-view")
            with Vertical(id="side"):
                yield Prose(id="field-help")
                yield Static("Memory and time", id="estimate-title", markup=False)
                with VerticalScroll(id="side-scroll", can_focus=False):
                    yield Prose(id="side-estimate", classes="estimate")

    def on_body_ready(self) -> None:
        if self.journey.config is None:
            recommendation = self.journey.recommendation
            name = recommendation.preset if recommendation and recommendation.preset else DEFAULT_PRESET
            self._load_preset(name)
        else:
            self._show(self.journey.config, self.journey.config, "as set before")

    def refresh_body(self) -> None:
        config = self.journey.config
        if config is not None and config is not self._config:
            self._fill(config)

    def action_presets(self) -> None:
        """Choose a preset; it replaces all settings but the training files."""
        entries = preset_entries()
        dialog = ChooseDialog("Begin with a preset", entries, self._origin.removeprefix("preset "))
        self.app.push_screen(dialog, self._preset_chosen)

    def action_advanced(self) -> None:
        """Show or hide the settings that rarely matter."""
        self.query_one(Fold).action_fold()

    def action_open(self) -> None:
        """Read a configuration from a YAML file."""
        configure_files.open_config(self.tuner, lambda config, path: self._show(config, config, path.name))

    def action_save(self) -> None:
        """Write the configuration to a YAML file."""
        if (config := self._whole()) is not None:
            configure_files.save_config(self.tuner, config)

    def action_copy(self) -> None:
        """Copy the YAML to the clipboard of the terminal."""
        if (config := self._whole()) is not None:
            configure_files.copy_yaml(self.tuner, config)

    def action_copy_command(self) -> None:
        """Copy the command that a run is started with, under torchrun where it has several processes."""
        if (config := self._whole()) is not None:
            configure_files.copy_command(self.tuner, config)

    def action_fit(self) -> None:
        """Choose what is fastest on a card: micro-batch, checkpointing, bits of the frozen weights."""
        if (config := self._whole()) is not None:

            def compute(card: str | None) -> None:
                if card is not None:
                    self._compute_fit(config, card)

            self.app.push_screen(ChooseDialog("Fit to which card?", configure_fit.cards()), compute)

    def action_tab(self, step: int) -> None:
        """Show the neighbouring tab."""
        cycle(self.query_one(TabbedContent), step)

    def action_next_step(self) -> None:
        """On to Train, when every value is right."""
        if self._config is None or self._faults:
            self._point_at_fault()
        else:
            super().action_next_step()

    @on(TabbedContent.TabActivated)
    def _tab_shown(self, event: TabbedContent.TabActivated) -> None:
        for name in ("yaml", "estimate"):
            self.set_class(event.pane.id == name, f"-{name}")

    def on_field_row_changed(self) -> None:
        self._check()

    def on_field_row_focused(self, event: FieldRow.Focused) -> None:
        self._explain(event.row)

    def on_fold_focused(self) -> None:
        text = "Settings that rarely matter. Enter shows or hides them."
        self.query_one("#field-help", Prose).show(partial(_quiet, text))

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

    def on_configure_screen_data_seen(self, event: DataSeen) -> None:
        for path in _DATA_FIELDS:
            self.form.row(path).note = event.notes.get(path, ("", ""))

    def on_configure_screen_estimated(self, event: Estimated) -> None:
        self._estimate, self._estimate_error = event.estimate, event.error
        self._show_estimate()
        self._show_state()

    @work(thread=True, exclusive=True, exit_on_error=False, group="estimate")
    def _compute_estimate(self, config: "TrainConfig") -> None:
        """It reads the model's configuration and the size of the data: files, perhaps far away."""
        from tuner_tui.training.estimate import estimate

        worker = get_current_worker()
        try:
            message = self.Estimated(estimate(config), "")
        except (UserError, OSError) as error:
            message = self.Estimated(None, str(error))
        if not worker.is_cancelled:
            self.post_message(message)

    @work(thread=True, exclusive=True, exit_on_error=False, group="fit")
    def _compute_fit(self, config: "TrainConfig", card: str) -> None:
        worker = get_current_worker()
        message: ConfigureScreen.Fitted | ConfigureScreen.NotFitted
        try:
            message = self.Fitted(config, configure_fit.compute(config, card))
        except (UserError, OSError) as error:
            message = self.NotFitted(str(error))
        if not worker.is_cancelled:
            self.post_message(message)

    def on_configure_screen_not_fitted(self, event: NotFitted) -> None:
        self.tuner.complain(event.reason)

    def on_configure_screen_fitted(self, event: Fitted) -> None:
        """Show what would change and why; then change it."""
        fit = event.fit

        def apply(agreed: bool | None) -> None:
            if agreed:
                for path, value in raw_values(fit.config, self._fields).items():
                    if path in fit.changes:
                        self.form.row(path).set_raw(value)

        yes = ("Change them", "Leave all") if fit.changes else ("Good", "Close")
        text = configure_fit.text(event.config, fit)
        self.app.push_screen(ConfirmScreen(configure_fit.title(fit), text, *yes), apply)

    @work(thread=True, exclusive=True, exit_on_error=False, group="data")
    def _look_at_data(self, method: "Method", files: dict[str, list[Path]]) -> None:
        """Read the first rows of the files: does the method learn from such rows?"""
        worker = get_current_worker()
        notes = data_notes(method, files)
        if not worker.is_cancelled:
            self.post_message(self.DataSeen(notes))

    def _preset_chosen(self, name: str | None) -> None:
        if name is not None:
            self._load_preset(name)

    def _load_preset(self, name: str) -> None:
        from tuner_tui.training.presets import load_preset

        try:
            preset = load_preset(name)
        except UserError as error:
            self.tuner.complain(str(error))
            return
        dataset = self.journey.dataset
        self._show(with_dataset(preset, dataset) if dataset else preset, preset, f"preset {name}")

    def _show(self, config: "TrainConfig", baseline: "TrainConfig", origin: str) -> None:
        self._baseline = raw_values(baseline, self._fields)
        self._origin = origin
        self._fill(config)

    def _fill(self, config: "TrainConfig") -> None:
        self.form.show(raw_values(config, self._fields), self._baseline)
        self._check()

    def _check(self) -> None:
        from tuner_tui.training.config import TrainConfig

        self.form.show_where(self._means)
        checked = check(TrainConfig, self._fields, self.form.values, lambda path: not self._means(path))
        self._config = cast("TrainConfig | None", checked.model)
        self._faults = checked.errors
        # A file that is missing here is told, and yet the configuration may be meant for another machine.
        self.journey.config = self._config
        self.form.show_errors(checked.errors)
        self._show_state()
        self.query_one(YamlView).show(self._config)
        self.update_stepper()
        for row in self.query(FieldRow):
            if row.has_focus or row.has_focus_within:
                self._explain(row)
        if self._debounce is not None:
            self._debounce.stop()
        # Not at every letter: both read files.
        self._debounce = self.set_timer(0.25, self._look)

    def _means(self, path: str) -> bool:
        """Whether a field means something to the method that is chosen."""
        from tuner_tui.training.config import applies

        return applies(path, self.method)

    def _look(self) -> None:
        """Look at what is on the disk: the model, for the estimate, and the data."""
        if self._config is not None:
            self._compute_estimate(self._config)
        files = {}
        for field in _DATA_FIELDS:
            raw = self.form.row(field).raw
            texts = raw if isinstance(raw, list) else [str(raw)] if raw else []
            files[field] = [path for text in texts if (path := Path(text).expanduser()).is_file()]
        self._look_at_data(self.method, {field: found for field, found in files.items() if found})

    def _explain(self, row: FieldRow) -> None:
        page = self.query_one("#field-help", Prose)
        if row.field.path == "method":
            page.show(partial(method_help, row.field, self.method))
        else:
            page.show(partial(field_help, row.field, row.baseline, row.is_changed))

    def _show_state(self) -> None:
        values = self.form.values.items()
        changed = sum(raw != self._baseline[path] for path, raw in values if self._means(path))
        state = config_state(self._origin, changed, self._faults, self._estimate)
        self.query_one("#configure-state", Static).update(state)

    def _show_estimate(self) -> None:
        for page in self.query(".estimate").results(Prose):
            if self._estimate is not None:
                page.show(partial(estimate_content, self._estimate))
            else:
                page.show(partial(_quiet, self._estimate_error))

    def _whole(self) -> "TrainConfig | None":
        """The configuration, if every value is right; else the fault is pointed at."""
        if self._config is None:
            self._point_at_fault()
        return self._config

    def _point_at_fault(self) -> None:
        path = next((field.path for field in self._fields if field.path in self._faults), None)
        message = self._faults.get(path or "", "a value is wrong")
        if path is not None:
            title = next(field.title for field in self._fields if field.path == path)
            message = f"{title}: {message}"
            show(self.query_one(TabbedContent), "settings", self.form.row(path))
        self.tuner.complain(f"Not yet: {message}.")


def _quiet(text: str, width: int) -> Content:
    return Content.styled(hanging(visible(text), width, 0), "$quiet")
