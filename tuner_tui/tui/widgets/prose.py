"""Text that is laid out for the width it gets: paragraphs and lists whose lines hang under their text."""

import textwrap
from collections.abc import Callable

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget


def hanging(text: str, width: int, indent: int) -> str:
    """`text` wrapped to `width` cells, each line indented by `indent` spaces except for the first."""
    room = max(width - indent, 10)
    return f"\n{' ' * indent}".join(textwrap.wrap(text, room, break_on_hyphens=False) or [""])


class Prose(Widget):
    """A content that depends on the width; its height follows."""

    DEFAULT_CSS = """
    Prose { height: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._build: Callable[[int], Content] = lambda _width: Content()

    def show(self, build: Callable[[int], Content]) -> None:
        """Show what `build(width in cells)` gives, now and whenever the width changes."""
        self._build = build
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._build(width).plain.split("\n"))

    def render(self) -> Content:
        return self._build(self.content_size.width)
