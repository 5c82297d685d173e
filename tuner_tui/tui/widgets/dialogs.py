"""Small dialogs: choose from a list, type a path to save to, edit a list of files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.file_picker import FilePicker, Suggestion
from tuner_tui.tui.widgets.prose import hanging
from tuner_tui.visible import visible

_TEXT_WIDTH = 60  # cells inside a dialog on 80 columns


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to choose: `note` says in a sentence when to take it; `group` stands above the first entry of
    each group."""

    id: str
    title: str
    note: str
    group: str = ""


class ChooseDialog(ModalScreen[str | None]):
    """The id of the entry that was chosen, or None."""

    CSS = """
    ChooseDialog OptionList {
        height: auto;
        max-height: 24;
        background: $surface;
        & > .option-list--option-highlighted {
            background: $block-cursor-blurred-background;
            color: $foreground;
        }
    }
    ChooseDialog.-short OptionList { max-height: 13; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, entries: Sequence[Entry], current: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            yield OptionList(*self._options(), compact=True, markup=False)
            yield Static("↑ ↓ choose · Enter takes it · Esc leaves all as it is", classes="hint")

    def on_mount(self) -> None:
        choices = self.query_one(OptionList)
        ids = [each.id for each in self._options()]
        wanted = self._current if self._current in ids else self._entries[0].id
        choices.highlighted = ids.index(wanted)
        choices.focus()

    def _options(self) -> list[Option]:
        options: list[Option] = []
        group = ""
        for entry in self._entries:
            if entry.group and entry.group != group:
                group = entry.group
                space = "\n" if options else ""
                title = Content.styled(space + visible(group, one_line=True), "bold $primary")
                options.append(Option(title, disabled=True))
            options.append(Option(_entry_lines(entry), id=entry.id))
        return options

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


class SaveDialog(ModalScreen[Path | None]):
    """Where to write a file, or None. A file that exists is replaced only after a second Enter."""

    CSS = """
    SaveDialog #save-message { height: auto; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(
        self, title: str, value: str, *, exists: str = "This file exists; Enter again replaces it."
    ) -> None:
        """`exists` says what a second Enter does to a file that is there."""
        super().__init__()
        self._title = title
        self._value = value
        self._exists = exists
        self._confirmed: str | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            line = Input(self._value, id="save-path", select_on_focus=False)
            line.cursor_blink = False
            yield line
            yield Static("Enter saves · Esc cancels", id="save-message", markup=False)

    @on(Input.Submitted, "#save-path")
    def _submitted(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        if not event.value.strip() or path.is_dir():
            self._say("✗ Type the name of a file.", "$bad")
        elif not path.absolute().parent.is_dir():
            self._say(f"✗ There is no folder {path.absolute().parent}.", "$bad")
        elif path.exists() and self._confirmed != event.value:
            self._confirmed = event.value
            self._say(f"▲ {self._exists}", "$warning")
        else:
            self.dismiss(path)

    def _say(self, text: str, style: str) -> None:
        self.query_one("#save-message", Static).update(safe(text, style))


class TextDialog(ModalScreen[str | None]):
    """A line of text, or None when it was left with Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, value: str = "") -> None:
        super().__init__()
        self._title = title
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            yield Input(self._value, select_on_focus=False)
            yield Static("Enter keeps it · Esc leaves it as it was", classes="hint", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())


class FilesDialog(ModalScreen[list[str] | None]):
    """A list of files: add, take away, done; None when it was left with Escape."""

    CSS = """
    FilesDialog OptionList { height: auto; min-height: 3; max-height: 14; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("a,insert", "add", "Add"),
        Binding("d,delete,backspace", "remove", "Remove"),
        Binding("enter", "done", "Done", priority=True),
    ]

    def __init__(
        self,
        title: str,
        files: Sequence[str],
        *,
        suggestions: Sequence[Suggestion] = (),
        suffixes: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._title = title
        self._files = list(files)
        self._suggestions = suggestions
        self._suffixes = suffixes

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            yield OptionList(compact=True, markup=False)
            yield Static("a add · d take away · Enter done · Esc leaves all as it was", classes="hint")

    def on_mount(self) -> None:
        self._show()
        self.query_one(OptionList).focus()

    def action_add(self) -> None:
        """Choose one more file."""

        def add(path: Path | None) -> None:
            if path is not None and str(path) not in self._files:
                self._files.append(str(path))
                self._show()

        picker = FilePicker("Add a file", suggestions=self._suggestions, suffixes=self._suffixes)
        self.app.push_screen(picker, add)

    def action_remove(self) -> None:
        """Take the highlighted file off the list; the file itself stays."""
        index = self.query_one(OptionList).highlighted
        if index is not None and self._files:
            del self._files[index]
            self._show()

    def action_done(self) -> None:
        """Keep the list as it is now."""
        self.dismiss(self._files)

    def _show(self) -> None:
        files = self.query_one(OptionList)
        files.clear_options()
        files.add_options([Option(safe(each, one_line=True)) for each in self._files])
        if self._files:
            files.highlighted = len(self._files) - 1


def _entry_lines(entry: Entry) -> Content:
    title = Content.styled(visible(entry.title, one_line=True), "bold")
    note = hanging(f"  {visible(entry.note, one_line=True)}", _TEXT_WIDTH, 2)
    return Content("\n").join([title, Content.styled(note, "$quiet")])
