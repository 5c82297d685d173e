"""A form over the fields of a model: one line per setting, edited in place, with its fault beneath it."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from tuner_tui.tui.widgets.form_fields import FormSection, Raw
from tuner_tui.tui.widgets.form_row import STOP, FieldRow, move_focus


class Form(VerticalScroll, can_focus=False):
    """Basic fields first, by section; the others folded away until asked for."""

    DEFAULT_CSS = """
    Form {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & .form-heading { color: $primary; text-style: bold; height: 1; margin: 1 0 0 1; }
        & .form-heading.-first { margin: 0 0 0 1; }
    }
    """

    def __init__(self, sections: Sequence[FormSection], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sections = sections
        self._rows = {field.path: FieldRow(field) for section in sections for field in section.fields}
        self._headings: list[tuple[Static, list[FieldRow]]] = []
        self._means: Callable[[str], bool] = lambda path: True

    def compose(self) -> ComposeResult:
        yield from self._part(advanced=False)
        yield Fold(id="form-fold")
        yield from self._part(advanced=True)

    def on_mount(self) -> None:
        self._lay_out()

    def show_where(self, means: Callable[[str], bool]) -> None:
        """Show only the fields whose path `means` something; the others keep what was typed in them."""
        self._means = means
        self._lay_out()

    @property
    def values(self) -> dict[str, Raw]:
        """What stands in each field, by path."""
        return {path: row.raw for path, row in self._rows.items()}

    def show(self, values: Mapping[str, Raw], baseline: Mapping[str, Raw]) -> None:
        """Fill the form; fields that differ from `baseline` are marked, and can be put back to it."""
        for path, row in self._rows.items():
            row.stop_editing()
            row.baseline = baseline[path]
            row.raw = values[path]

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show each fault beneath its field; a fault in a folded field opens the fold."""
        for path, row in self._rows.items():
            row.error = errors.get(path, "")
        if any(row.error and row.field.advanced for row in self._rows.values()):
            self.query_one(Fold).is_open = True

    def row(self, path: str) -> "FieldRow":
        """The line of the field at `path`."""
        return self._rows[path]

    def _part(self, advanced: bool) -> ComposeResult:
        first = not advanced
        for section in self._sections:
            fields = [field for field in section.fields if field.advanced is advanced]
            if not fields:
                continue
            classes = "form-heading -advanced" if advanced else "form-heading"
            title = section.title or "Run"
            heading = Static(title, classes=f"{classes} -first" if first else classes, markup=False)
            rows = [self._rows[field.path] for field in fields]
            self._headings.append((heading, rows))
            first = False
            yield heading
            yield from rows

    def _lay_out(self) -> None:
        fold = self.query_one(Fold)
        for heading, rows in self._headings:
            for row in rows:
                row.display = self._means(row.field.path) and (fold.is_open or not row.field.advanced)
            heading.display = any(row.display for row in rows)
        fold.count = sum(row.field.advanced and self._means(row.field.path) for row in self._rows.values())

    def on_descendant_focus(self) -> None:
        # After the scrolling that the focus brings: it goes to the row, and leaves its heading out of sight.
        self.call_later(self.call_after_refresh, self._show_first_heading)

    def _show_first_heading(self) -> None:
        first = next((row for row in self._rows.values() if row.display), None)
        if first is not None and first.has_focus_within:
            self.scroll_home(animate=False)

    def on_fold_toggled(self, event: "Fold.Toggled") -> None:
        event.stop()
        self._lay_out()


class Fold(Widget, can_focus=True):
    """A line that shows or hides the `count` settings that follow it."""

    DEFAULT_CSS = """
    Fold { height: 1; margin: 1 0 0 0; color: $quiet; }
    Fold:focus { color: $foreground; background: $block-cursor-blurred-background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "fold", "Show or hide"),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
    ]
    is_open: reactive[bool] = reactive(False)
    count: reactive[int] = reactive(0)

    class Focused(Message):
        """The fold has the focus."""

    class Toggled(Message):
        """The fold was opened or closed."""

        def __init__(self, is_open: bool) -> None:
            super().__init__()
            self.is_open = is_open

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes=STOP)

    def render(self) -> Content:
        return Content(f" {'▾' if self.is_open else '▸'} Advanced: {self.count} more settings")

    def watch_is_open(self, is_open: bool) -> None:
        if self.is_mounted:
            self.post_message(self.Toggled(is_open))

    def on_focus(self) -> None:
        self.post_message(self.Focused())

    def on_click(self) -> None:
        self.action_fold()

    def action_fold(self) -> None:
        """Show what is hidden, or hide it."""
        self.is_open = not self.is_open

    def action_move(self, step: int) -> None:
        move_focus(self, step)
