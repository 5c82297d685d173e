"""The end of a log: follows it, and stays put with "+N lines" once a person has scrolled away."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import chop_cells
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tuner_tui.visible import visible

MAX_LINES = 10_000
"""Older lines are let go; the file keeps them."""

_MAX_LENGTH = 4_000
"""Characters of a line; what is longer is cut, and says so."""


class LogTail(ScrollView, can_focus=True):
    """Lines as they were printed, wrapped, with control characters made visible."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("end,G", "scroll_end", "Follow", show=False),
        Binding("home", "scroll_home", "Top", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--missed"}
    DEFAULT_CSS = """
    LogTail {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        background: $background;
        color: $foreground 85%;
        & > .log--missed { background: $primary; color: $background; text-style: bold; }
    }
    """

    missed: reactive[int] = reactive(0)
    """Lines that came while the view was scrolled away from the end."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[str] = []
        self._rows: list[str] = []
        self._wrapped_at = 0
        self._following = True

    @property
    def lines(self) -> Sequence[str]:
        """What is kept, oldest first, as it is shown."""
        return self._lines

    def write_lines(self, lines: Sequence[str]) -> None:
        """Append lines; the end is followed unless a person has scrolled away from it."""
        if not lines:
            return
        new = [_shown(line) for line in lines]
        self._lines += new
        if len(self._lines) > MAX_LINES:
            del self._lines[: len(self._lines) - MAX_LINES]
            rows = self._wrap(self._lines)
            dropped = len(self._rows) + len(self._wrap(new)) - len(rows)
            self._rows = rows
        else:
            dropped = 0
            self._rows += self._wrap(new)
        self._lay_out()
        if not self._following:
            self.missed += len(lines)
            if dropped:
                self.scroll_to(y=max(0, self.scroll_offset.y - dropped), animate=False, force=True)

    def clear(self) -> None:
        """Forget all lines, and follow the next ones."""
        self._lines, self._rows = [], []
        self._following, self.missed = True, 0
        self._lay_out()

    def on_resize(self, event: events.Resize) -> None:
        if self._wrapped_at != self._width:
            self._rows = self._wrap(self._lines)
        self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._following = new_value >= self.max_scroll_y
        if self._following:
            self.missed = 0

    def watch_missed(self) -> None:
        # The mark lies over the last visible line.
        self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self.missed and y == self.size.height - 1:
            text = f" ↓ +{self.missed:,} lines · End follows "
            mark = Segment(text, self.get_component_rich_style("log--missed"))
            blank = Segment(" " * max(0, width - len(text)), self.rich_style)
            return Strip([blank, mark]).adjust_cell_length(width, self.rich_style)
        index = self.scroll_offset.y + y
        text = self._rows[index] if index < len(self._rows) else ""
        if not self._rows and y == 0:
            text = "nothing yet"
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(width, self.rich_style)

    @property
    def _width(self) -> int:
        return max(1, self.scrollable_content_region.width)

    def _wrap(self, lines: Iterable[str]) -> list[str]:
        width = self._wrapped_at = self._width
        rows: list[str] = []
        for line in lines:
            if len(line) <= width and line.isascii():
                rows.append(line)
            else:
                rows += chop_cells(line, width) or [""]
        return rows

    def _lay_out(self) -> None:
        self.virtual_size = Size(self._width, len(self._rows))
        if self._following:
            # Forced: the first lines come before the layout knows that there is something to scroll. At once:
            # a person may scroll away before the next refresh.
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)
        self.refresh()


def _shown(line: str) -> str:
    # A progress bar redraws its line with carriage returns: only its last state is of interest.
    text = visible(line.rstrip("\r").rpartition("\r")[2], one_line=True)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]} … {len(text) - _MAX_LENGTH:,} more"
