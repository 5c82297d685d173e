"""How long the rows are: a histogram of token counts with the limit drawn into it, and bars for shares."""

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_LEFT_EIGHTHS = " ▏▎▍▌▋▊▉█"
_AXIS = 7  # columns for the count beside the topmost bar


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


def count_bins(values: Sequence[int], bins: int, upper: int) -> list[int]:
    """How many of `values` fall in each of `bins` equal parts of 0 to `upper` (the last part is closed)."""
    counts = [0] * bins
    for value in values:
        counts[min(value * bins // max(upper, 1), bins - 1)] += 1
    return counts


class Histogram(Widget):
    """Token counts per row; rows beyond the limit are drawn in the colour of an error, and counted below."""

    DEFAULT_CSS = """
    Histogram {
        height: 9;
        min-height: 5;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._values: Sequence[int] = ()
        self._limit: int | None = None

    def show(self, values: Sequence[int], limit: int | None = None) -> None:
        """Draw `values` (tokens per row) and `limit` (max_length in tokens, None: no limit)."""
        self._values = values
        self._limit = limit
        self.refresh()

    def render(self) -> Content:
        if not self._values:
            return Content()
        width, height = self.size.width, self.size.height - 2
        bins = max(4, (width - _AXIS - 1) // 2)
        longest = max(self._values)
        # A limit far beyond the longest row would squeeze the bars: it is told in words instead.
        shown_limit = self._limit if self._limit and self._limit <= 1.6 * longest else None
        upper = max(longest, shown_limit or 0) + 1
        counts = count_bins(self._values, bins, upper)
        limit_bin = shown_limit * bins // upper if shown_limit else None
        rows = [self._level(counts, level, height, limit_bin) for level in range(max(height, 1), 0, -1)]
        rows.append(self._axis(bins, upper, shown_limit))
        rows.append(self._sentence(longest))
        return Content("\n").join(rows)

    def _level(self, counts: Sequence[int], level: int, height: int, limit_bin: int | None) -> Content:
        top = max(counts)
        label = f"{top:,}" if level == height else ""
        parts: list[Content | tuple[str, str]] = [(f"{label:>{_AXIS - 1}} ", "$quiet")]
        for index, count in enumerate(counts):
            filled = min(max(round(count / top * height * 8) - (level - 1) * 8, 0), 8)
            if count and level == 1:
                filled = max(filled, 1)
            beyond = limit_bin is not None and index > limit_bin
            if index == limit_bin and not filled:
                parts.append(("┊ ", "$warning"))
            else:
                parts.append((_EIGHTHS[filled] * 2, "$bad" if beyond else "$primary"))
        return Content.assemble(*parts)

    def _axis(self, bins: int, upper: int, limit: int | None) -> Content:
        width = bins * 2
        line = [" "] * width
        right = f"{upper - 1:,}"
        line[0] = "0"
        if limit is not None:
            label = f"max_length {limit:,}"
            start = min(max(limit * width // upper - len(label) // 2, 2), width - len(label))
            line[start : start + len(label)] = label
            if start + len(label) + 1 + len(right) <= width:
                line[-len(right) :] = right
        else:
            line[-len(right) :] = right
        return Content.styled(" " * _AXIS + "".join(line)[:width], "$quiet")

    def _sentence(self, longest: int) -> Content:
        values = sorted(self._values)
        text = f"{' ' * _AXIS}tokens in a row: median {values[len(values) // 2]:,}, longest {longest:,}"
        if self._limit is None:
            return Content.styled(text, "$quiet")
        beyond = sum(value > self._limit for value in values)
        if beyond:
            return Content.assemble((text, "$quiet"), (f"; {beyond:,} longer than {self._limit:,}", "$bad"))
        return Content.styled(f"{text}; all within {self._limit:,}", "$quiet")
