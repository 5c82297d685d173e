"""Configure: a form over the training configuration, its memory estimate, and the YAML that it stands for."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TabbedContent, TabPane
from textual.worker import get_current_worker

from tuner_tui.errors import UserError
from tuner_tui.tui import configure_files, configure_fit
from tuner_tui.tui.configure_notes import HELP, preset_entries
from tuner_tui.tui.recent import with_dataset
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.step import StepScreen
from tuner_tui.tui.widgets.dialogs import ChooseDialog
from tuner_tui.tui.widgets.estimate_view import (
    config_state,
    estimate_content,
    field_help,
    method_help,
)
from tuner_tui.tui.widgets.form import Fold, Form
from tuner_tui.tui.widgets.form_row import FieldRow
from tuner_tui.tui.widgets.prose import Prose, hanging
from tuner_tui.tui.widgets.tabs import SteadyTabs, cycle, show
from tuner_tui.tui.widgets.yaml_view import YamlView
from tuner_tui.visible import visible

if TYPE_CHECKING:
    # pydantic and YAML: imported where they are used, after the screen has been painted.
    from tuner_tui.training.config import TrainConfig
    from tuner_tui.training.estimate import Estimate
    from tuner_tui.training.fit import Fit
    from tuner_tui.tui.screens.configure_form import SettingsForm

DEFAULT_PRESET = "demo"


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
        Binding("c", "copy_command", "Copy command", show=False),
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

    class Fitted(Message):
        """What is the fastest on a card, for this configuration; or why nothing fits."""

        def __init__(self, config: "TrainConfig", fit: "Fit | None", reason: str) -> None:
            super().__init__()
            self.config, self.fit, self.reason = config, fit, reason

    def __init__(self) -> None:
        super().__init__()
        self._origin = ""
        self._estimate: Estimate | None = None
        self._estimate_error = ""

    @property
    def settings(self) -> "SettingsForm":
        """The settings, once the body is mounted."""
        from tuner_tui.tui.screens.configure_form import SettingsForm

        return self.query_one(SettingsForm)

    @property
    def form(self) -> Form:
        """The form, once the body is mounted."""
        return self.settings.form

    def compose_body(self) -> ComposeResult:
        from tuner_tui.tui.screens.configure_form import SettingsForm

        with Horizontal(id="configure"):
            with Vertical(id="configure-main"):
                yield Static(id="configure-state", markup=False)
                with SteadyTabs(initial="settings", id="configure-tabs"):
                    with TabPane("Settings", id="settings"):
                        yield SettingsForm(self._checked, id="settings-form")
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
        if config is not None and config is not self.settings.config:
            self.settings.fill(config)

    def action_presets(self) -> None:
        """Choose a preset; it replaces all settings but the training files."""
        entries = preset_entries()
        dialog = ChooseDialog("Begin with a preset", entries, self._origin.removeprefix("preset "))
        self.app.push_screen(dialog, lambda name: None if name is None else self._load_preset(name))

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
        if self.settings.config is None or self.settings.faults:
            self._point_at_fault()
        else:
            super().action_next_step()

    @on(TabbedContent.TabActivated)
    def _tab_shown(self, event: TabbedContent.TabActivated) -> None:
        for name in ("yaml", "estimate"):
            self.set_class(event.pane.id == name, f"-{name}")

    def on_field_row_focused(self, event: FieldRow.Focused) -> None:
        self._explain(event.row)

    def on_fold_focused(self) -> None:
        text = "Settings that rarely matter. Enter shows or hides them."
        self.query_one("#field-help", Prose).show(partial(_quiet, text))

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
        try:
            message = self.Fitted(config, configure_fit.compute(config, card), "")
        except (UserError, OSError) as error:
            message = self.Fitted(config, None, str(error))
        if not worker.is_cancelled:
            self.post_message(message)

    def on_configure_screen_fitted(self, event: Fitted) -> None:
        """Show what would change and why; then change it."""
        fit = event.fit
        if fit is None:
            self.tuner.complain(event.reason)
            return

        def apply(agreed: bool | None) -> None:
            if agreed:
                self.settings.take(fit.config, fit.changes)

        yes = ("Change them", "Leave all") if fit.changes else ("Good", "Close")
        text = configure_fit.text(event.config, fit)
        self.app.push_screen(ConfirmScreen(configure_fit.title(fit), text, *yes), apply)

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
        self._origin = origin
        self.settings.show(config, baseline)

    def _checked(self, config: "TrainConfig | None") -> None:
        self.journey.config = config
        self._show_state()
        self.query_one(YamlView).show(config)
        self.update_stepper()
        for row in self.query(FieldRow):
            if row.has_focus or row.has_focus_within:
                self._explain(row)

    def on_settings_form_settled(self, event: "SettingsForm.Settled") -> None:
        if event.settings.config is not None:
            self._compute_estimate(event.settings.config)

    def _explain(self, row: FieldRow) -> None:
        page = self.query_one("#field-help", Prose)
        if row.field.path == "method":
            page.show(partial(method_help, row.field, self.settings.method))
        else:
            page.show(partial(field_help, row.field, row.baseline, row.is_changed))

    def _show_state(self) -> None:
        settings = self.settings
        state = config_state(self._origin, settings.changed, settings.faults, self._estimate)
        self.query_one("#configure-state", Static).update(state)

    def _show_estimate(self) -> None:
        for page in self.query(".estimate").results(Prose):
            if self._estimate is not None:
                page.show(partial(estimate_content, self._estimate))
            else:
                page.show(partial(_quiet, self._estimate_error))

    def _whole(self) -> "TrainConfig | None":
        """The configuration, if every value is right; else the fault is pointed at."""
        if self.settings.config is None:
            self._point_at_fault()
        return self.settings.config

    def _point_at_fault(self) -> None:
        row, message = self.settings.fault
        if row is not None:
            show(self.query_one(TabbedContent), "settings", row)
        self.tuner.complain(f"Not yet: {message}.")


def _quiet(text: str, width: int) -> Content:
    return Content.styled(hanging(visible(text), width, 0), "$quiet")
