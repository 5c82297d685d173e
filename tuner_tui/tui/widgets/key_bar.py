"""The keys of a screen, in its last line."""

from collections.abc import Iterable

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey


class KeyBar(Footer):
    """Textual's footer, which leaves keys out where there is no room for them, the last ones first, and never
    that of the help, which names them all."""

    def compose(self) -> ComposeResult:
        keys = list(super().compose())
        self._fit(keys)
        yield from keys

    def on_resize(self, event: events.Resize) -> None:
        self._fit(self.children)

    def _fit(self, widgets: Iterable[Widget]) -> None:
        left = self.content_size.width + 1  # no gap behind the last one
        for key in sorted(widgets, key=_rank):
            if isinstance(key, FooterKey):
                left -= cell_len(key.key_display) + cell_len(key.description) + 2
                key.display = left >= 0


def _rank(widget: Widget) -> bool:
    return not (isinstance(widget, FooterKey) and widget.action == "help")
