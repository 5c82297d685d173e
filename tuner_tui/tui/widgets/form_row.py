"""One setting of a form: its name, its value, its fault; edited in place."""

from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from tuner_tui.tui.widgets.form_fields import FormField, Kind, Raw, shown
from tuner_tui.tui.widgets.prose import hanging
from tuner_tui.visible import visible

LABEL = 25  # cells from the left edge to the value
STOP = "form-stop"  # what the arrow keys visit


class FieldRow(Widget, can_focus=True):
    """One setting. Enter edits it in place; space and the side arrows go through the choices, and space opens
    the list of what can be named."""

    DEFAULT_CSS = """
    FieldRow { height: 1; }
    FieldRow:focus, FieldRow:focus-within { background: $block-cursor-blurred-background; }
    FieldRow > Input { width: 1fr; margin: 0 2 0 25; background: $panel; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", "Change"),
        Binding("space,right", "choose(1)", "Next choice"),
        Binding("space", "list", "List"),
        Binding("left", "choose(-1)", "Choice before", show=False),
        Binding("backspace,delete", "reset", "Put back"),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
    ]

    class FieldMessage(Message):
        """What all messages of a field carry: the row."""

        def __init__(self, row: "FieldRow") -> None:
            super().__init__()
            self.row = row

    class Changed(FieldMessage):
        """A value was typed, chosen or put back."""

    class Focused(FieldMessage):
        """The field has the focus: explain it."""

    class FileWanted(FieldMessage):
        """The person wants to choose the file, or the files, of this field."""

    class ListWanted(FieldMessage):
        """The person wants to choose from a list what this field names."""

    raw: reactive[Raw] = reactive[Raw]("")
    baseline: reactive[Raw] = reactive[Raw]("")
    error: reactive[str] = reactive("", layout=True)
    note: reactive[tuple[str, str]] = reactive(("", ""), layout=True)
    """What is known of the value, and its colour: said beneath the line, unless there is a fault."""

    def __init__(self, field: FormField) -> None:
        super().__init__(id=f"field-{field.path.replace('.', '-')}", classes=STOP)
        self.field = field
        self._before: Raw = ""

    @property
    def is_changed(self) -> bool:
        """Whether the value differs from the preset's (the baseline)."""
        return self.raw != self.baseline

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that do something for this kind of field are shown."""
        if action == "choose":
            return self.field.kind is Kind.CHOICE
        if action == "list":
            return self.field.listed and not self.query(_Line)
        if action == "edit":
            return self.field.kind is not Kind.CHOICE
        if action == "reset":
            return self.is_changed
        return True

    def render(self) -> Content:
        active = self.has_focus or self.has_focus_within
        mark = ("● ", "$warning") if self.is_changed else ("  ", "")
        title = visible(self.field.title, one_line=True)
        line = Content.assemble(
            ("›" if active else " ", "$primary bold"),
            mark,
            (f"{title:<{LABEL - 3}}", "bold" if active else ""),
            self._value(),
        )
        _, colour = ("", "$bad") if self.error else self.note
        below = [Content.styled(" " * LABEL + each, colour) for each in self._below()]
        return Content("\n").join([line, *below])

    def watch_raw(self) -> None:
        self.refresh_bindings()

    def watch_error(self) -> None:
        self._fit_height()

    def watch_note(self) -> None:
        self._fit_height()

    def on_resize(self) -> None:
        self._fit_height()

    def _fit_height(self) -> None:
        self.styles.height = 1 + len(self._below())

    def _below(self) -> list[str]:
        """The lines under the value: its fault, or what is known of it."""
        text = f"✗ {self.error}" if self.error else self.note[0]
        if not text:
            return []
        return hanging(visible(text, one_line=True), max(self.size.width - LABEL - 1, 16), 2).split("\n")

    def on_focus(self) -> None:
        self.refresh()
        self.post_message(self.Focused(self))

    def on_blur(self) -> None:
        self.refresh()

    async def on_key(self, event: events.Key) -> None:
        """Enter, and what is typed right after it, before the line has the focus: none of it is a command.

        A binding is run only when its key has risen to the app; until then further keys come here.
        """
        lines = self.query(_Line)
        if not lines and event.key == "enter" and self.check_action("edit", ()):
            event.stop()
            event.prevent_default()
            await self.action_edit()
        elif lines and self.has_focus and event.character is not None and event.is_printable:
            event.stop()
            event.prevent_default()
            # After the message that gives the line the focus, which selects what is to be replaced.
            lines.first().post_message(events.Key(event.key, event.character))

    async def on_click(self, event: events.Click) -> None:
        if self.field.kind is Kind.CHOICE:
            self.action_choose(1)
        elif event.chain == 2:
            await self.action_edit()

    def action_move(self, step: int) -> None:
        move_focus(self, step)

    def action_choose(self, step: int) -> None:
        values = [value for _, value in self.field.choices]
        index = values.index(self.raw) if self.raw in values else -1
        self.set_raw(values[(index + step) % len(values)])

    def action_list(self) -> None:
        self.post_message(self.ListWanted(self))

    def action_reset(self) -> None:
        self.set_raw(self.baseline)

    async def action_edit(self) -> None:
        """Open a line to type in; of a file, ask for one to choose."""
        if self.field.kind in (Kind.PATH, Kind.PATHS):
            self.post_message(self.FileWanted(self))
        elif self.query(_Line):
            self.finish(keep=True)
        else:
            self._before = self.raw
            line = _Line(shown(self.field, self.raw), select_on_focus=True, compact=True)
            line.cursor_blink = False
            # Both at once: the next key, however soon it comes, belongs to the line.
            await self.mount(line)
            self.screen.set_focus(line)

    def set_raw(self, raw: Raw) -> None:
        """Take a value as if it had been typed."""
        if raw != self.raw:
            self.raw = raw
            self.post_message(self.Changed(self))

    def stop_editing(self) -> None:
        """Close the line that is being typed in, if there is one."""
        for line in self.query(_Line):
            line.remove()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.query(_Line):
            self.set_raw(event.value)

    @on(Input.Blurred)
    def _left(self, event: Input.Blurred) -> None:
        event.stop()
        self.stop_editing()
        self.refresh()

    def finish(self, keep: bool, step: int = 0) -> None:
        """End the typing: keep what was typed or not, and move on by `step` fields."""
        if not keep:
            self.set_raw(self._before)
        self.screen.set_focus(self)
        self.stop_editing()
        if step:
            move_focus(self, step)

    def _value(self) -> Content:
        if self.field.kind is Kind.CHOICE:
            return self._choices()
        text = visible(shown(self.field, self.raw), one_line=True)
        if not text:
            hint = "   Space lists what fits" if self.field.listed else ""
            return Content.styled(f"{'–' if self.field.optional else '(empty)'}{hint}", "$quiet")
        room = max(self.size.width - LABEL - 2, 8)
        if len(text) > room:
            # The end of a path tells more than its beginning.
            text = "…" + text[1 - room :]
        unit = f" {self.field.unit}" if self.field.unit else ""
        return Content.assemble((text, "bold $bad" if self.error else "bold"), (unit, "$quiet"))

    def _choices(self) -> Content:
        labels = [label for label, _ in self.field.choices]
        if len(labels) == 1:
            return Content.styled(labels[0], "bold")
        if LABEL + sum(len(label) + 4 for label in labels) > self.size.width:
            return Content.assemble(("‹ ", "$quiet"), (shown(self.field, self.raw), "bold"), (" ›", "$quiet"))
        return Content("  ").join(
            Content.styled(f"◉ {label}", "bold")
            if value == self.raw
            else Content.styled(f"○ {label}", "$quiet")
            for label, value in self.field.choices
        )


class _Line(Input):
    """The line in which a value is typed; enter and the arrows keep it, escape does not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "finish(True, 0)", "Keep"),
        Binding("escape", "finish(False, 0)", "Undo"),
        Binding("up", "finish(True, -1)", "Up", show=False),
        Binding("down", "finish(True, 1)", "Down", show=False),
    ]

    def action_finish(self, keep: bool, step: int) -> None:
        row = self.parent
        if isinstance(row, FieldRow):
            row.finish(keep, step)


def move_focus(widget: Widget, step: int) -> None:
    """Focus the line of the form before (-1) or after (1) this one."""
    if step > 0:
        widget.screen.focus_next(f".{STOP}")
    else:
        widget.screen.focus_previous(f".{STOP}")
