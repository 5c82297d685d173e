"""A table of a million rows that opens at once: it asks for the lines it shows, and for no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its width in cells (0: its `share` of what the others leave), and whether the
    state of a row colours it.
    """

    title: str
    width: int = 0
    share: int = 1
    coloured: bool = False


@dataclass(frozen=True, slots=True)
class RowLine:
    """What is shown of one row: a text per column, and its state ("", "error", "warning" or "info")."""

    cells: tuple[str, ...]
    state: str = ""


class DatasetTable(ScrollView, can_focus=True):
    """Rows by index, drawn line by line from `describe`.

    Texts must be safe to print (no control characters); they are cut to the width of their column.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "dataset-table--header",
        "dataset-table--cursor",
        "dataset-table--cursor-blurred",
        "dataset-table--error",
        "dataset-table--warning",
        "dataset-table--info",
    }
    DEFAULT_CSS = """
    DatasetTable {
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .dataset-table--header { color: $quiet; text-style: bold; }
        & > .dataset-table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        & > .dataset-table--cursor-blurred { background: $block-cursor-blurred-background; }
        & > .dataset-table--error { color: $bad; }
        & > .dataset-table--warning { color: $warning; }
        & > .dataset-table--info { color: $quiet; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "edge(0)", "First", show=False),
        Binding("end", "edge(1)", "Last", show=False),
        Binding("enter", "open_row", "Open row"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    class Opened(Message):
        """Enter or a click on the row under the cursor; `index` counts from 0."""

        def __init__(self, table: "DatasetTable", index: int) -> None:
            super().__init__()
            self.table = table
            self.index = index

        @property
        def control(self) -> "DatasetTable":
            return self.table

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._count = 0
        self._describe: Callable[[int], RowLine] | None = None
        self._at_end = False

    @property
    def row_count(self) -> int:
        return self._count

    def show(self, count: int, describe: Callable[[int], RowLine]) -> None:
        """Show rows 0 to `count` - 1; `describe(index)` is called for what is on the screen."""
        self._count = count
        self._describe = describe
        self._at_end = False
        self.set_reactive(DatasetTable.cursor, 0)
        self.scroll_to(0, 0, animate=False, immediate=True)
        self._resize_virtual()
        self.refresh()

    def grow(self, count: int) -> None:
        """There are more rows by now; after `End` the cursor stays on the last one."""
        if count <= self._count:
            return
        shown = self.scroll_offset.y + self.size.height > self._count
        self._count = count
        self._resize_virtual()
        if self._at_end:
            self.cursor = count - 1
        if shown:
            self.refresh()

    def move_to(self, index: int) -> None:
        """Put the cursor on the row `index`, and bring it into sight."""
        self._at_end = False
        self.cursor = index

    def validate_cursor(self, cursor: int) -> int:
        return min(max(cursor, 0), max(self._count - 1, 0))

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_line(old + 1)
        self.refresh_line(new + 1)
        body = max(self.size.height - 1, 1)
        top = self.scroll_offset.y
        if new < top:
            self.scroll_to(y=new, animate=False, immediate=True)
        elif new >= top + body:
            self.scroll_to(y=new - body + 1, animate=False, immediate=True)

    def on_focus(self) -> None:
        self.refresh_line(self.cursor + 1)

    def on_blur(self) -> None:
        self.refresh_line(self.cursor + 1)

    def action_move(self, step: int) -> None:
        self._at_end = False
        self.cursor += step

    def action_page(self, direction: int) -> None:
        self._at_end = False
        self.cursor += direction * max(self.size.height - 2, 1)

    def action_edge(self, last: int) -> None:
        self._at_end = bool(last)
        self.cursor = self._count - 1 if last else 0

    def action_open_row(self) -> None:
        if self._count:
            self.post_message(self.Opened(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            return
        index = self.scroll_offset.y + event.y - 1
        if index >= self._count:
            return
        if index == self.cursor:
            self.action_open_row()
        self.cursor = index

    def on_resize(self) -> None:
        self._resize_virtual()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        widths = self._widths(width)
        if y == 0:
            style = self.get_component_rich_style("dataset-table--header")
            titles = [column.title for column in self._columns]
            return Strip([Segment(_fit(*pair), style) for pair in zip(titles, widths, strict=True)], width)
        index = self.scroll_offset.y + y - 1
        if self._describe is None or index >= self._count:
            return Strip.blank(width, self.rich_style)
        line = self._describe(index)
        plain = coloured = self.rich_style
        if line.state:
            coloured += self.get_component_rich_style(f"dataset-table--{line.state}", partial=True)
        if index == self.cursor:
            name = "cursor" if self.has_focus else "cursor-blurred"
            cursor = self.get_component_rich_style(f"dataset-table--{name}", partial=True)
            plain, coloured = plain + cursor, coloured + cursor
        return Strip(
            [
                Segment(_fit(text, room), coloured if column.coloured else plain)
                for column, text, room in zip(self._columns, line.cells, widths, strict=True)
            ],
            width,
        )

    def refresh_line(self, y: int) -> None:
        # The header stays where it is, so that the line of a row lies where the scrolled row lies.
        self.refresh(Region(0, y - self.scroll_offset.y, self.size.width, 1))

    def _resize_virtual(self) -> None:
        self.virtual_size = Size(self.size.width, self._count + 1)

    def _widths(self, width: int) -> list[int]:
        """Cells of each column, the space after it included; together they are `width`."""
        fixed = sum(column.width + 1 for column in self._columns if column.width)
        shares = sum(column.share for column in self._columns if not column.width)
        free = max(width - fixed, 0)
        widths = [
            column.width + 1 if column.width else free * column.share // max(shares, 1)
            for column in self._columns
        ]
        widths[-1] += width - sum(widths)
        return widths


def _fit(text: str, room: int) -> str:
    """`text` in `room` cells, the last of them a space; a text that is too long ends in "…"."""
    if room < 2:
        return " " * room
    if cell_len(text) > room - 1:
        text = set_cell_size(text, room - 2) + "…"
    return set_cell_size(text, room)
