"""What a dataset is at a glance: rows, kinds, tools, tokens."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuner_tui.tui.text import safe
from tuner_tui.tui.widgets.histogram import Histogram, bar
from tuner_tui.tui.widgets.prose import Prose, hanging
from tuner_tui.visible import visible

if TYPE_CHECKING:
    from tuner_tui.data.inspection import Inspection

_LABEL = 22
_TOOLS = 8  # the most called; the rest is counted


class Overview(VerticalScroll):
    """Rows and tools on one side, tokens on the other; Enter uses the file."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.next_step", "Use it", show=False)]

    def compose(self) -> ComposeResult:
        with Horizontal(id="overview-columns"):
            yield Prose(id="overview-text")
            with Vertical(id="overview-tokens"):
                yield Static("Tokens", classes="heading", id="tokens-title", markup=False)
                yield Prose(id="tokens-text")
                yield Histogram(id="histogram")

    def show(self, inspection: "Inspection", model: str, max_length: int | None, note: str) -> None:
        """Show an inspection; `note` says why there are no token counts, when there are none."""
        self.query_one("#overview-text", Prose).show(partial(_facts, inspection))
        tokens = self.query_one("#tokens-text", Prose)
        if inspection.lengths:
            tokens.show(partial(_tokens, inspection, model))
        else:
            reason = visible(note or "No row could be rendered.")
            tokens.show(lambda width: Content.styled(hanging(reason, width, 0), "$quiet"))
        self.query_one(Histogram).show(inspection.lengths, max_length)


def _facts(inspection: "Inspection", width: int) -> Content:
    rows = f"{inspection.rows:,} rows"
    if not inspection.complete:
        rows += " looked at; there are more"
    lines = [
        safe(inspection.format.label, one_line=True),
        Content(f"{rows} · {sum(inspection.tools.values()):,} calls of {len(inspection.tools):,} tools"),
        _title("Kinds of rows"),
        *_bars(inspection.kinds, max(inspection.rows, 1), width),
    ]
    if inspection.tools:
        most = dict(list(inspection.tools.items())[:_TOOLS])
        lines += [_title("Called most"), *_bars(most, sum(inspection.tools.values()), width)]
        if len(inspection.tools) > _TOOLS:
            lines.append(Content.styled(f"and {len(inspection.tools) - _TOOLS:,} more tools", "$quiet"))
    return Content("\n").join(lines)


def _tokens(inspection: "Inspection", model: str, width: int) -> Content:
    total, trained = sum(inspection.lengths), sum(inspection.trained)
    text = (
        f"{total:,} tokens through the chat template of {visible(model, one_line=True)}; "
        f"{trained:,} of them ({trained / total:.0%}) are trained."
    )
    return Content(hanging(text, width, 0))


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
