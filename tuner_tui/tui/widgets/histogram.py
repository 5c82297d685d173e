"""How a count is spread over the rows: a histogram, with the limit drawn into it; and bars for shares."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from tuner_tui.data.spreads import Bin, Spread

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_LEFT_EIGHTHS = " ▏▎▍▌▋▊▉█"
_AXIS = 7  # columns for the count beside the topmost bar
_WIDEST = 7  # cells of one bin
_LIMIT_IN_SIGHT = 1.6  # times the longest row; a limit beyond that is told in words only


def bar(share: float, width: int) -> str:
    """A horizontal bar of `width` cells, `share` (0 to 1) of it filled to the eighth of a cell.

    Anything above zero shows at least a sliver: a rare kind must not look like an absent one.
    """
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (_LEFT_EIGHTHS[rest] if rest else "")
    return text.ljust(width)


class Histogram(Widget):
    """Bins as upright bars; rows beyond the limit in the colour of an error, and counted below."""

    DEFAULT_CSS = """
    Histogram {
        height: 9;
        min-height: 5;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._bins: Sequence[Bin] = ()
        self._spread: Spread | None = None
        self._limit: int | None = None
        self._beyond = 0

    def show(
        self, bins: "Sequence[Bin]", spread: "Spread | None", limit: int | None = None, beyond: int = 0
    ) -> None:
        """Draw adjoining bins of one width; `limit` (None: none) is max_length, `beyond` the rows over it."""
        self._bins, self._spread, self._limit, self._beyond = bins, spread, limit, beyond
        self.refresh()

    def render(self) -> Content:
        if not self._bins or self._spread is None:
            return Content()
        if self._spread.minimum == self._spread.maximum and self._limit is None:
            return self._sentence(self._spread)  # one bar as high as the chart says no more
        room, height = self.size.width - _AXIS, max(self.size.height - 2, 1)
        counts = [each.count for each in self._bins]
        start, width = self._bins[0].low, self._bins[0].high - self._bins[0].low + 1
        limit = self._limit if self._limit and start <= self._limit else None
        if limit is not None:
            missing = (limit - start) // width + 1 - len(counts)
            if limit <= _LIMIT_IN_SIGHT * self._spread.maximum:
                counts += [0] * missing
            elif missing > 0:
                limit = None
        merged = -(-len(counts) // max(room, 1))  # neighbours that share a column where it is too narrow
        counts = [sum(counts[at : at + merged]) for at in range(0, len(counts), merged)]
        width *= merged
        cells = min(max(room // len(counts), 1), _WIDEST)
        limit_bin = (limit - start) // width if limit is not None else None
        lines = [self._level(counts, level, height, cells, limit_bin) for level in range(height, 0, -1)]
        lines.append(self._axis(len(counts), start, width, cells, limit))
        lines.append(self._sentence(self._spread))
        return Content("\n").join(lines)

    def _level(
        self, counts: Sequence[int], level: int, height: int, cells: int, limit_bin: int | None
    ) -> Content:
        top = max(counts)
        label = f"{top:,}" if level == height else ""
        parts: list[Content | tuple[str, str]] = [(f"{label:>{_AXIS - 1}} ", "$quiet")]
        for index, count in enumerate(counts):
            filled = min(max(round(count / top * height * 8) - (level - 1) * 8, 0), 8)
            if count and level == 1:
                filled = max(filled, 1)
            beyond = limit_bin is not None and index > limit_bin
            if index == limit_bin and not filled:
                parts.append(("┊".ljust(cells), "$warning"))
            else:
                drawn = _EIGHTHS[filled] * max(cells - 1, 1)
                parts.append((drawn.ljust(cells), "$bad" if beyond else "$primary"))
        return Content.assemble(*parts)

    def _axis(self, bins: int, start: int, width: int, cells: int, limit: int | None) -> Content:
        line = [" "] * max(bins * cells, self.size.width - _AXIS)
        if limit is not None:
            label = f"max_length {limit:,}"
            _place(line, label, max(min((limit - start) // width * cells, len(line) - len(label)), 0))
        for index in range(bins):
            _place(line, f"{start + index * width:,}", index * cells)
        return Content.styled(" " * _AXIS + "".join(line)[: max(self.size.width - _AXIS, 0)], "$quiet")

    def _sentence(self, spread: "Spread") -> Content:
        text = f"median {spread.median:,} · 95% ≤ {spread.p95:,} · most {spread.maximum:,}"
        if spread.minimum == spread.maximum:
            text = f"always {spread.maximum:,}"
        text = f"{' ' * _AXIS}{text}"
        if self._limit is None:
            return Content.styled(text, "$quiet")
        if self._beyond:
            longer = f" · {self._beyond:,} longer than {self._limit:,}"
            return Content.assemble((text, "$quiet"), (longer, "$bad"))
        return Content.styled(f"{text} · all within {self._limit:,}", "$quiet")


def _place(line: list[str], label: str, at: int) -> None:
    """Write `label` at a place of the line, if there is room for it and a space on both sides."""
    around = line[max(at - 1, 0) : at + len(label) + 1]
    if at + len(label) <= len(line) and not any(cell != " " for cell in around):
        line[at : at + len(label)] = label
