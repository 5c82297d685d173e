"""Choose a file or a folder: type a path and see what matches, or take a suggestion."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from tuner_tui.data.hub import dataset_id
from tuner_tui.tui.text import safe
from tuner_tui.visible import visible

# A folder with a million files must not stall the window; typing more letters narrows the list.
MOST_ENTRIES = 300


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A file offered before anything is typed, and a few words on it."""

    path: Path
    note: str


class FilePicker(ModalScreen[Path | None]):
    """A path that exists, or None when the person changes their mind."""

    CSS = """
    FilePicker {
        & > .dialog { width: 96; height: auto; }
        & #picker-path, & #picker-path:focus { border: none; height: 1; padding: 0 1; background: $panel; }
        & #picker-message { height: 1; color: $quiet; margin: 1 0 0 0; }
        & #picker-entries {
            height: 16;
            margin: 1 0 0 0;
            background: $surface;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
        & #picker-entries > .option-list--option-highlighted {
            background: $block-cursor-blurred-background;
            color: $foreground;
        }
    }
    .-short FilePicker #picker-entries, FilePicker.-short #picker-entries { height: 10; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("up", "move(-1)", "Up", show=False, priority=True),
        Binding("down", "move(1)", "Down", show=False, priority=True),
        Binding("tab", "complete", "Complete", priority=True),
        Binding("ctrl+o", "take_folder", "Open the folder", priority=True),
    ]

    class Listed(Message):
        """The folder was read: what matches the typed text."""

        def __init__(self, typed: str, entries: list[str], more: bool) -> None:
            super().__init__()
            self.typed = typed
            self.entries = entries
            self.more = more

    def __init__(
        self,
        title: str,
        *,
        suggestions: Sequence[Suggestion] = (),
        suffixes: Sequence[str] = (),
        value: str = "",
        folders: bool = False,
        hub: bool = False,
    ) -> None:
        """`suffixes` (".jsonl", ...) are the files that are listed; any file can be typed. Empty: all.

        With `folders` a folder as a whole can be chosen too; with `hub`, what may be the name of a dataset
        of the Hugging Face hub ("owner/name") and no path.
        """
        super().__init__()
        self._hub = hub
        self._folders = folders
        self._title = title
        self._suggestions = suggestions
        self._suffixes = tuple(suffixes)
        self._start = value
        self._paths: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            path = Input(self._start, placeholder="Type a path …", id="picker-path", compact=True)
            path.cursor_blink = False
            yield path
            yield Static(id="picker-message", markup=False)
            entries = OptionList(id="picker-entries", compact=True, markup=False)
            entries.can_focus = False
            yield entries
            folder = " · Ctrl+O the folder as a whole" if self._folders else ""
            yield Static(
                f"Enter takes it · Tab completes{folder} · Esc cancels", classes="hint", markup=False
            )

    def on_mount(self) -> None:
        self.query_one("#picker-path", Input).focus()
        self._refresh(self._start)

    @on(Input.Changed, "#picker-path")
    def _typed(self, event: Input.Changed) -> None:
        self._refresh(event.value)

    @on(Input.Submitted, "#picker-path")
    def _submitted(self, event: Input.Submitted) -> None:
        typed = Path(event.value).expanduser()
        if event.value and (typed.is_file() or self._is_on_hub(event.value)):
            self.dismiss(typed)
        else:
            self._take_highlighted()

    @on(OptionList.OptionSelected, "#picker-entries")
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self._take_highlighted()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_move(self, step: int) -> None:
        entries = self.query_one("#picker-entries", OptionList)
        if step > 0:
            entries.action_cursor_down()
        else:
            entries.action_cursor_up()

    def action_complete(self) -> None:
        """Tab takes the highlighted entry into the line, as in a shell."""
        path = self._highlighted()
        if path is not None:
            self._set_value(path)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Folders can be taken only where they are wanted."""
        return self._folders if action == "take_folder" else True

    def action_take_folder(self) -> None:
        """Take the folder that is typed, or else the one that is highlighted, as it is."""
        typed = self.query_one("#picker-path", Input).value
        for path in (typed, self._highlighted()):
            if path and Path(path).expanduser().is_dir():
                self.dismiss(Path(path).expanduser())
                return
        self._say("This is no folder.")

    def on_file_picker_listed(self, event: Listed) -> None:
        if event.typed != self.query_one("#picker-path", Input).value:
            return
        folders = sum(entry.endswith(os.sep) for entry in event.entries)
        if event.more:
            self._say(f"The first {MOST_ENTRIES} entries; type more to narrow the list.")
        elif not event.entries and self._is_on_hub(event.typed):
            self._say(f"Enter fetches {event.typed} from the Hugging Face hub.")
        elif not event.entries:
            self._say(f"Nothing here begins with {Path(event.typed).name!r}.")
        else:
            self._say(f"folders: {folders}, files: {len(event.entries) - folders}")
        self._show([(entry, safe(_last_part(entry), one_line=True)) for entry in event.entries])

    def _is_on_hub(self, typed: str) -> bool:
        return self._hub and dataset_id(typed) is not None

    def _refresh(self, typed: str) -> None:
        if typed:
            # What is still shown belongs to an earlier text: Enter and Tab must not take it.
            self._paths = []
            self._list(typed)
            return
        self._say("Or choose with ↑ ↓ and enter:")
        lines = [
            (
                str(each.path),
                Content.assemble(
                    f"{visible(each.path.name, one_line=True):<22}",
                    (f"  {visible(each.note, one_line=True)}", "$quiet"),
                ),
            )
            for each in self._suggestions
        ]
        self._show(lines)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _list(self, typed: str) -> None:
        """Read the folder that the typed path lies in; a folder on the network may take its time."""
        entries, more = matching_entries(typed, self._suffixes)
        if not get_current_worker().is_cancelled:
            self.post_message(self.Listed(typed, entries, more))

    def _show(self, lines: Sequence[tuple[str, Content]]) -> None:
        entries = self.query_one("#picker-entries", OptionList)
        entries.clear_options()
        entries.add_options([Option(line) for _, line in lines])
        entries.highlighted = 0 if lines else None
        self._paths = [path for path, _ in lines]

    def _highlighted(self) -> str | None:
        index = self.query_one("#picker-entries", OptionList).highlighted
        return self._paths[index] if index is not None and index < len(self._paths) else None

    def _take_highlighted(self) -> None:
        path = self._highlighted()
        if path is None:
            self._say("There is no such file.")
        elif path.endswith(os.sep):
            self._set_value(path)
        else:
            self.dismiss(Path(path).expanduser())

    def _set_value(self, path: str) -> None:
        line = self.query_one("#picker-path", Input)
        line.value = path
        line.cursor_position = len(path)
        line.focus()

    def _say(self, text: str) -> None:
        self.query_one("#picker-message", Static).update(safe(text, one_line=True))


def matching_entries(typed: str, suffixes: Sequence[str] = ()) -> tuple[list[str], bool]:
    """Folders (with a separator at the end) and files whose path begins with `typed`, folders first.

    At most `MOST_ENTRIES`; the second value says whether there are more. A folder that cannot be read is
    empty.
    """
    head, prefix = os.path.split(typed)
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(Path(head or ".").expanduser()) as found:
            for entry in found:
                if not entry.name.lower().startswith(prefix.lower()):
                    continue
                if entry.name.startswith(".") and not prefix.startswith("."):
                    continue
                path = str(Path(head) / entry.name) if head else entry.name
                if entry.is_dir():
                    folders.append(path + os.sep)
                elif not suffixes or entry.name.lower().endswith(tuple(suffixes)):
                    files.append(path)
    except OSError:
        return [], False
    entries = sorted(folders) + sorted(files)
    return entries[:MOST_ENTRIES], len(entries) > MOST_ENTRIES


def _last_part(entry: str) -> str:
    name = Path(entry).name
    return name + os.sep if entry.endswith(os.sep) else name
