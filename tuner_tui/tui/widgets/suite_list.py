"""The suites as lines that are ticked: title, items, the change that they show, and how far each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

_TITLE, _ITEMS, _SHOWS = 22, 9, 12
HEADING = f"{'':6}{'':{_TITLE}}{'items':>{_ITEMS}}{'shows from':>{_SHOWS}}"


@dataclass(frozen=True, slots=True)
class SuiteLine:
    """One suite: `items` and `shows` are texts, "" while they are not known."""

    name: str
    title: str
    chosen: bool
    items: str
    shows: str
    state: Content


class SuiteList(OptionList, inherit_bindings=False):
    """Space or a click ticks a suite. Enter is left to the screen: it does the next sensible thing."""

    DEFAULT_CSS = """
    SuiteList { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("space", "select", "Tick"),
    ]

    class Toggled(Message):
        """A suite is to be ticked, or no longer."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Pointed(Message):
        """The cursor is on another suite."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, markup=False)
        self._rows: Sequence[SuiteLine] = ()

    @property
    def pointed(self) -> str:
        """The suite under the cursor; "" before there are any."""
        return self._rows[self.highlighted or 0].name if self._rows else ""

    def show(self, lines: Sequence[SuiteLine]) -> None:
        """Show these; what is unchanged is not drawn again, and the cursor stays where it is."""
        if len(lines) != len(self._rows):
            self.clear_options()
            self.add_options(Option(_drawn(line), id=line.name) for line in lines)
            self.highlighted = 0
        else:
            for index, (line, before) in enumerate(zip(lines, self._rows, strict=True)):
                if line != before:
                    self.replace_option_prompt_at_index(index, _drawn(line))
        self._rows = lines

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Toggled(str(event.option_id)))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.post_message(self.Pointed())


def _drawn(line: SuiteLine) -> Content:
    mark = ("[x] ", "$primary bold") if line.chosen else ("[ ] ", "$quiet")
    return Content.assemble(
        "  ",
        mark,
        (line.title.ljust(_TITLE), "bold" if line.chosen else ""),
        f"{line.items:>{_ITEMS}}",
        (f"{line.shows:>{_SHOWS}}", "$quiet"),
        "  ",
        line.state,
    )
