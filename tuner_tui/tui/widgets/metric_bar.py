"""One line with the names of the metrics that can be charted, the one that is shown marked."""

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

from tuner_tui.runs.metric_names import note
from tuner_tui.visible import visible

_GAP = "   "
_LONGEST = 24  # cells of one title


class MetricBar(Widget):
    """Names side by side; those that do not fit are counted at the end. A click chooses one."""

    DEFAULT_CSS = """
    MetricBar { height: 1; text-wrap: nowrap; }
    """

    class Chosen(Message):
        """A metric was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names: list[str] = []
        self._shown = ""

    def show(self, names: Sequence[str], shown: str) -> None:
        """Offer these metrics; `shown` is the one on the chart. Drawn anew only when something changed."""
        if (list(names), shown) != (self._names, self._shown):
            self._names, self._shown = list(names), shown
            self.refresh()

    def render(self) -> Content:
        titles = [visible(note(name).title, one_line=True, limit=_LONGEST) for name in self._names]
        first, last = self._window(titles)
        parts: list[Content] = []
        for name, title in list(zip(self._names, titles, strict=True))[first:last]:
            style = "bold underline $primary" if name == self._shown else "$quiet"
            parts.append(Content.styled(title, Style.parse(style) + Style.from_meta({"metric": name})))
        line = Content(_GAP).join(parts)
        if first:
            line = Content.styled("‹ ", "$quiet").append(line)
        if left := len(titles) - last:
            line = Content.assemble(line, (f"{_GAP}+{left}", "$quiet"))
        return line

    def on_click(self, event: events.Click) -> None:
        if name := event.style.meta.get("metric"):
            self.post_message(self.Chosen(name))

    def _window(self, titles: Sequence[str]) -> tuple[int, int]:
        """Which titles fit: as many as there is room for, the shown one among them."""
        room = max(self.size.width - 6, 8)
        at = self._names.index(self._shown) if self._shown in self._names else 0
        first = last = 0
        while last <= at or (last < len(titles) and _width(titles[first : last + 1]) <= room):
            last += 1
            while first < at and _width(titles[first:last]) > room:
                first += 1
        return first, last


def _width(titles: Sequence[str]) -> int:
    return sum(len(title) for title in titles) + len(_GAP) * max(len(titles) - 1, 0)
