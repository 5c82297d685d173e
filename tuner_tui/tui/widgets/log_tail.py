"""The end of a log: follows it, and stays put with "+N lines" once a person has scrolled away."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tuner_tui.tui.text import visible

MAX_LINES = 10_000
"""Older lines are let go; the file keeps them."""

_MAX_WIDTH = 2_000
"""Cells of a line that can be scrolled to; a line that is longer is cut with an ellipsis."""


class LogTail(ScrollView, can_focus=True):
    """Lines as they were printed, with control characters made visible."""

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

    @property
    def lines(self) -> Sequence[str]:
        """What is kept, oldest first, as it is shown."""
        return self._lines

    def write_lines(self, lines: Sequence[str]) -> None:
        """Append lines; follow them only if the end was in view."""
        if not lines:
            return
        follow = self.following
        # A progress bar redraws its line with carriage returns: only its last state is of interest.
        shown = [visible(line.rstrip("\r").rpartition("\r")[2], one_line=True) for line in lines]
        self._lines += [line if len(line) <= _MAX_WIDTH else line[: _MAX_WIDTH - 1] + "…" for line in shown]
        dropped = max(0, len(self._lines) - MAX_LINES)
        del self._lines[:dropped]
        self.virtual_size = Size(self.size.width, len(self._lines))
        if follow:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        else:
            self.missed += len(lines)
            if dropped:
                self.scroll_to(y=max(0, self.scroll_offset.y - dropped), animate=False)
        self.refresh()

    def clear(self) -> None:
        """Forget all lines."""
        self._lines.clear()
        self.missed = 0
        self.virtual_size = Size(self.size.width, 0)
        self.refresh()

    @property
    def following(self) -> bool:
        """Whether the end is in view, so that new lines are followed."""
        return self.scroll_offset.y >= self.max_scroll_y

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self.following:
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
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = Strip([Segment(self._lines[index], self.rich_style)])
        return line.adjust_cell_length(width, self.rich_style)
