"""What a dataset is at a glance: rows, kinds, tools, tokens. Text for the Data screen."""

from collections.abc import Mapping

from textual.content import Content

from tuner_tui.data.inspection import Inspection
from tuner_tui.tui.text import safe, visible
from tuner_tui.tui.widgets.findings import severity_counts
from tuner_tui.tui.widgets.histogram import bar
from tuner_tui.tui.widgets.prose import hanging

_LABEL = 22
_TOOLS = 8  # the most called; the rest is counted


def overview(inspection: Inspection, width: int) -> Content:
    """The whole overview but the histogram, laid out for `width` cells."""
    rows = f"{inspection.rows:,} rows"
    if not inspection.complete:
        rows += " looked at; there are more"
    lines = [
        safe(inspection.format.label, one_line=True),
        Content(f"{rows} · {sum(inspection.tools.values()):,} calls of {len(inspection.tools):,} tools"),
        Content(),
        severity_counts(inspection.findings),
        _title("Kinds of rows"),
        *_bars(inspection.kinds, max(inspection.rows, 1), width),
    ]
    if inspection.tools:
        most = dict(list(inspection.tools.items())[:_TOOLS])
        lines += [_title("Called most"), *_bars(most, sum(inspection.tools.values()), width)]
        if len(inspection.tools) > _TOOLS:
            lines.append(Content.styled(f"and {len(inspection.tools) - _TOOLS:,} more tools", "$quiet"))
    return Content("\n").join(lines)


def tokens_sentence(inspection: Inspection, model: str, width: int) -> Content:
    """How many tokens there are, and how many of them are trained."""
    total, trained = sum(inspection.lengths), sum(inspection.trained)
    if not total:
        return Content()
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
