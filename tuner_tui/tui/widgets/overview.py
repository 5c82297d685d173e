"""What a dataset is at a glance: rows, kinds, tools, tokens."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuner_tui.tui.dataset_settings import InspectionSettings
from tuner_tui.tui.widgets.histogram import Histogram, bar
from tuner_tui.tui.widgets.prose import Prose, hanging
from tuner_tui.tui.words import several
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection
    from tuner_tui.data.statistics import Statistics, Tokens

_LABEL = 22
_TOOLS = 8  # the most called; the rest is counted
_SPREADS = {
    "calls": "Calls per row",
    "messages": "Messages per row",
    "tools": "Tools on offer per row",
}


class Overview(VerticalScroll):
    """Rows and tools on one side, tokens on the other, and how everything is spread; Enter uses the file."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.next_step", "Use it", show=False)]

    def compose(self) -> ComposeResult:
        with Horizontal(id="overview-columns"):
            yield Prose(id="overview-text")
            with Vertical(id="overview-tokens"):
                yield Static("Tokens", classes="heading", id="tokens-title", markup=False)
                yield Prose(id="tokens-text")
                yield Histogram(id="histogram")
        with Grid(id="overview-spreads"):
            for name, title in _SPREADS.items():
                with Vertical():
                    yield Static(title, classes="heading", markup=False)
                    yield Histogram(id=f"spread-{name}")
            yield Prose(id="argument-types")

    def show(self, inspection: "Inspection", settings: InspectionSettings, note: str) -> None:
        """Show an inspection; `note` says why there are no token counts, when there are none."""
        figures = inspection.statistics
        self.query_one("#overview-text", Prose).show(partial(_facts, inspection, figures))
        text = self.query_one("#tokens-text", Prose)
        histogram = self.query_one("#histogram", Histogram)
        tokens = figures.tokens
        histogram.display = tokens is not None
        if tokens is not None:
            max_length = settings.max_length
            beyond = 0 if max_length is None else sum(length > max_length for length in inspection.lengths)
            text.show(partial(_tokens, tokens, figures.sound, settings.model))
            histogram.show(tokens.histogram, tokens.lengths, max_length, beyond)
        else:
            reason = visible(note or "No row could be rendered.")
            text.show(lambda width: Content.styled(hanging(reason, width, 0), "$quiet"))
        for name, bins, spread in (
            ("calls", figures.calls_histogram, figures.calls),
            ("messages", figures.turns_histogram, figures.turns),
            ("tools", figures.tools_offered_histogram, figures.tools_offered),
        ):
            self.query_one(f"#spread-{name}", Histogram).show(bins, spread)
        self.query_one("#argument-types", Prose).show(partial(_arguments, figures))
        self.query_one("#overview-spreads").display = bool(figures.sound)


def _facts(inspection: "Inspection", figures: "Statistics", width: int) -> Content:
    rows = several(inspection.rows, "row")
    if not inspection.complete:
        rows += " looked at; there are more"
    lines = [
        Content(visible(inspection.format.label, one_line=True)),
        Content(f"{visible(inspection.kind, one_line=True)} · {rows}"),
        Content(_calls(inspection.tools)),
        _title("Kinds of rows"),
        *_bars(inspection.kinds, max(inspection.rows, 1), width),
    ]
    if inspection.tools:
        most = dict(list(inspection.tools.items())[:_TOOLS])
        lines += [_title("Called most"), *_bars(most, sum(inspection.tools.values()), width)]
        if len(inspection.tools) > _TOOLS:
            more = several(len(inspection.tools) - _TOOLS, "more tool")
            lines.append(Content.styled(f"and {more}", "$quiet"))
    if never := figures.never_called:
        lines.append(Content.styled(f"\nOffered and never called: {several(len(never), 'tool')}", "$quiet"))
    return Content("\n").join(lines)


def _tokens(tokens: "Tokens", sound: int, model: str, width: int) -> Content:
    measured = tokens.lengths.count
    which = f"In the {measured:,} rows that were measured: " if measured < sound else ""
    text = (
        f"{which}"
        f"{tokens.lengths.total:,} tokens through the chat template of {visible(model, one_line=True)}; "
        f"{tokens.trained.total:,} of them ({tokens.trained_share:.0%}) are trained."
    )
    return Content(hanging(text, width, 0))


def _arguments(figures: "Statistics", width: int) -> Content:
    lines = [Content.styled("Arguments by type", "bold $primary")]
    if figures.argument_types:
        total = sum(figures.argument_types.values())
        lines += _bars(figures.argument_types, total, width)
    else:
        lines.append(Content.styled("No call has an argument.", "$quiet"))
    if calling := figures.calls_per_turn.count:
        share = figures.parallel_turns / calling
        text = f"Several calls at once in {figures.parallel_turns:,} of {calling:,} turns ({share:.0%})."
        lines.append(Content.styled("\n" + hanging(text, width, 0), "$quiet"))
    if figures.scripts:
        rows = sum(figures.scripts.values())
        shares = ", ".join(f"{name} {count / rows:.0%}" for name, count in figures.scripts.items())
        lines.append(Content.styled(hanging(f"Users write in: {visible(shares)}.", width, 0), "$quiet"))
    return Content("\n").join(lines)


def _calls(tools: Mapping[str, int]) -> str:
    if not tools:
        return "no calls"
    return f"{several(sum(tools.values()), 'call')} of {several(len(tools), 'tool')}"


def _title(text: str) -> Content:
    return Content.styled(f"\n{text}", "bold $primary")


def _bars(counts: Mapping[str, int], total: int, width: int) -> list[Content]:
    room = min(max(width - _LABEL - 14, 4), 40)
    largest = max(counts.values(), default=1) or 1
    lines = []
    for name, count in counts.items():
        if not count:
            continue
        label = visible(name.replace("_", " ") if name in _KINDS else name, one_line=True)
        if len(label) >= _LABEL:
            label = label[: _LABEL - 2] + "…"
        lines.append(
            Content.assemble(
                f"{label:<{_LABEL}}",
                (bar(count / largest, room), "$primary"),
                f"{count:>7,}",
                (f" {count / total:>4.0%}", "$quiet"),
            )
        )
    return lines


_KINDS = frozenset({"function_call", "multi_step", "error_recovery", "negative", "other"})
