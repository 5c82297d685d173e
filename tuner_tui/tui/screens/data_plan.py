"""What splitting and mixing datasets have in common: settings, what would come of them, and writing it."""

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker

from tuner_tui.data.progress import Progress
from tuner_tui.errors import UserError
from tuner_tui.tui.dataset_plans import Plan, SettingError
from tuner_tui.tui.screens.confirm import ConfirmScreen
from tuner_tui.tui.widgets.dialogs import SaveDialog
from tuner_tui.tui.widgets.form_fields import FormField
from tuner_tui.tui.widgets.form_row import FieldRow
from tuner_tui.tui.widgets.prose import Prose, hanging
from tuner_tui.visible import visible

_SMALL = 32 << 20  # bytes; a larger source is read only when it is asked for
_DEBOUNCE = 0.4  # seconds after the last change
_BETWEEN_PROGRESS = 0.25


class PlanPane(Vertical):
    """Settings on one side; on the other what would come of them. A subclass says what is planned."""

    DEFAULT_CSS = """
    PlanPane {
        & .plan-columns { height: 1fr; }
        & .plan-side { width: 1fr; height: 1fr; }
        & .plan-fields { height: auto; max-height: 70%; scrollbar-size-vertical: 1; }
        & .plan-help { margin: 1 0 0 1; color: $quiet; }
        & .plan-report { width: 1fr; height: 1fr; margin: 0 0 0 4; scrollbar-size-vertical: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "preview", "Preview"),
        Binding("w", "write", "Write"),
        Binding("u", "use", "Train with it"),
    ]

    class Used(Message):
        """The files that were written are to be trained on."""

        def __init__(self, files: Sequence[Path]) -> None:
            super().__init__()
            self.files = files

    class Progressed(Message):
        """How far the work has come."""

        def __init__(self, progress: Progress, writing: bool) -> None:
            super().__init__()
            self.progress = progress
            self.writing = writing

    class Done(Message):
        """The work is over: with a report, with an error, or, when it was cancelled, with neither."""

        def __init__(self, report: Any, error: str, written: Sequence[Path]) -> None:
            super().__init__()
            self.report = report
            self.error = error
            self.written = written

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._written: Sequence[Path] = ()
        self._debounce: Timer | None = None
        self._busy = False

    def compose(self) -> ComposeResult:
        with Horizontal(classes="plan-columns"):
            with Vertical(classes="plan-side"):
                with VerticalScroll(classes="plan-fields", can_focus=False):
                    for field in self.fields():
                        yield FieldRow(field)
                yield Prose(classes="plan-help")
            with VerticalScroll(classes="plan-report", can_focus=False):
                yield Prose(classes="plan-text")

    def fields(self) -> Sequence[FormField]:
        """The lines of the settings."""
        raise NotImplementedError

    def plan(self) -> Plan:
        """What the settings ask for; raises SettingError, or UserError when there is nothing to do."""
        raise NotImplementedError

    def describe(self, report: Any, width: int) -> Content:
        """What would be written, or was."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Files can be used when they are written, and as long as the settings are those of the files."""
        if action == "use":
            return bool(self._written)
        return True

    def value(self, field: str) -> str:
        """What stands in a field."""
        return str(self.row(field).raw or "").strip()

    def row(self, field: str) -> FieldRow:
        """The line of a field."""
        return next(row for row in self.query(FieldRow) if row.field.path == field)

    def number(self, field: str, low: float, high: float, *, whole: bool = False) -> float:
        """The number in a field, from `low` to `high`."""
        try:
            found = int(self.value(field)) if whole else float(self.value(field))
        except ValueError:
            kind = "a whole number" if whole else "a number"
            raise SettingError(field, f"{kind} is wanted here") from None
        if not low <= found <= high:
            raise SettingError(field, f"from {low:g} to {high:g}")
        return found

    def ask_for_file(self, row: FieldRow) -> None:
        """Ask where to write the file of this line."""
        dialog = SaveDialog(row.field.title, str(row.raw or ""))
        self.app.push_screen(dialog, lambda path: None if path is None else row.set_raw(str(path)))

    def refresh_plan(self) -> None:
        """The settings have changed: what was written before no longer belongs to them."""
        self._written = ()
        self.workers.cancel_group(self, "plan")
        self._busy = False
        if self._debounce is not None:
            self._debounce.stop()
        plan = self._checked()
        if plan is not None and plan.size <= _SMALL:
            self._debounce = self.set_timer(_DEBOUNCE, self.action_preview)
        elif plan is not None:
            self._say("p previews what would be written: all rows have to be read for it. w writes it.")
        self.refresh_bindings()

    def back(self) -> bool:
        """Cancel the work that is on; False when there is none."""
        if not self._busy:
            return False
        self.workers.cancel_group(self, "plan")
        self._busy = False
        self._say("Cancelled; nothing was written.")
        return True

    def action_preview(self) -> None:
        """Work out what would be written."""
        plan = self._checked()
        if plan is not None:
            self._begin(plan, writing=False)

    def action_write(self) -> None:
        """Write the files; those that exist are replaced only after a question."""
        plan = self._checked()
        if plan is None:
            return
        existing = [visible(str(path), one_line=True) for path in plan.targets if path.exists()]
        if not existing:
            self._begin(plan, writing=True)
            return

        def go_on(yes: bool | None) -> None:
            if yes:
                self._begin(plan, writing=True)

        text = "There already is:\n" + "\n".join(existing)
        self.app.push_screen(ConfirmScreen("Replace?", text, yes="Replace", danger=True), go_on)

    def action_use(self) -> None:
        """Train on what was written."""
        self.post_message(self.Used(self._written))

    @on(FieldRow.Changed)
    def _changed(self, event: FieldRow.Changed) -> None:
        event.stop()
        self.refresh_plan()

    @on(FieldRow.Focused)
    def _focused(self, event: FieldRow.Focused) -> None:
        event.stop()
        self.query_one(".plan-help", Prose).show(partial(_hung, event.row.field.help))

    @on(FieldRow.FileWanted)
    def _file_wanted(self, event: FieldRow.FileWanted) -> None:
        event.stop()
        self.ask_for_file(event.row)

    @on(Progressed)
    def _progressed(self, event: Progressed) -> None:
        event.stop()
        if self._busy:
            what = "Writing" if event.writing else "Working it out"
            self._say(f"◔ {what}: {event.progress.share:.0%} · {event.progress.rows:,} rows   Esc cancels")

    @on(Done)
    def _done(self, event: Done) -> None:
        event.stop()
        self._busy = False
        if event.error:
            self._say(f"✗ {event.error}", "$bad")
        elif event.report is not None:
            self._written = event.written
            self.query_one(".plan-text", Prose).show(partial(self._described, event.report, event.written))
        self.refresh_bindings()

    @work(thread=True, exclusive=True, exit_on_error=False, group="plan")
    def _work(self, plan: Plan, writing: bool) -> None:
        worker = get_current_worker()
        told = 0.0

        def tell(progress: Progress) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= _BETWEEN_PROGRESS and not worker.is_cancelled:
                told = now
                self.post_message(self.Progressed(progress, writing))

        report, error = None, ""
        try:
            if writing:
                report = plan.run(plan.targets, tell, lambda: worker.is_cancelled)
            else:
                with tempfile.TemporaryDirectory(prefix="tuner-") as place:
                    targets = [Path(place) / f"{index}.jsonl" for index in range(len(plan.targets))]
                    report = plan.run(targets, tell, lambda: worker.is_cancelled)
        except (UserError, OSError) as fault:
            error = str(fault)
        if not worker.is_cancelled:
            self.post_message(self.Done(report, error, plan.targets if writing else ()))

    def _begin(self, plan: Plan, *, writing: bool) -> None:
        self._busy = True
        self._say("◔ Writing …   Esc cancels" if writing else "◔ Working it out …   Esc cancels")
        self._work(plan, writing)

    def _checked(self) -> Plan | None:
        """The plan, or None with the fault shown at its field, or in place of the report."""
        for row in self.query(FieldRow):
            row.error = ""
        try:
            return self.plan()
        except SettingError as error:
            self.row(error.field).error = str(error)
            self._say("")
        except UserError as error:
            self._say(str(error))
        return None

    def _described(self, report: Any, written: Sequence[Path], width: int) -> Content:
        content = self.describe(report, width)
        if not written:
            return Content("\n").join([content, Content.styled("\nw writes it.", "$quiet")])
        names = "\n".join(visible(str(path), one_line=True) for path in written)
        said = Content.assemble(("✓ Written: ", "$good"), names, ("\nu trains with it.\n", "$quiet"))
        return Content("\n").join([said, content])

    def _say(self, text: str, style: str = "$quiet") -> None:
        self.query_one(".plan-text", Prose).show(lambda width: Content.styled(_wrapped(text, width), style))


def _hung(text: str, width: int) -> Content:
    return Content(_wrapped(text, width))


def _wrapped(text: str, width: int) -> str:
    return "\n".join(hanging(line, width, 0) for line in visible(text).split("\n"))
