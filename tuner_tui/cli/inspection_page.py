"""The page that `tuner inspect` prints."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tuner_tui.cli.output import styled

if TYPE_CHECKING:
    from rich.console import Console

    from tuner_tui.data.inspection import FindingGroup, Inspection
    from tuner_tui.data.rules import Finding

_SIGNS = {"error": ("✗", "bold red"), "warning": ("!", "bold yellow"), "info": ("i", "bold blue")}
_BAR_WIDTH = 24
_MOST_TOOLS = 8
_HISTOGRAM_BINS = 40
_HISTOGRAM_LEVELS = " ▁▂▃▄▅▆▇█"


def show(console: "Console", inspection: "Inspection", max_length: int | None) -> None:
    """Print an inspection; `max_length` is what its rows were held against, in tokens."""
    part = "" if inspection.complete else " (the first of them; not the whole file)"
    where = f"{inspection.format.label} · {inspection.kind}"
    console.print(styled(inspection.path.name, "bold", "  ", "", where, "dim"))
    console.print(styled(f"{inspection.rows:,} rows", "", part, "yellow"))
    kinds = {name.replace("_", " "): count for name, count in inspection.kinds.items() if count}
    sound = sum(kinds.values())
    title = "Kinds" if sound == inspection.rows else f"Kinds of the {sound:,} rows that can be used"
    _show_bars(console, title, kinds, "cyan")
    _show_bars(console, _tools_title(inspection.tools), inspection.tools, "blue")
    console.print(styled("\nWhat is in it", "bold"))
    for label, figures in inspection.statistics.table():
        console.print(styled(f"  {label:<22} ", "dim", figures, ""))
    if inspection.lengths:
        _show_lengths(console, inspection, max_length)
    _show_findings(console, inspection)


def _tools_title(tools: Mapping[str, int]) -> str:
    return (
        "Calls by tool"
        if len(tools) <= _MOST_TOOLS
        else f"Calls by tool ({_MOST_TOOLS} of {len(tools)} tools)"
    )


def _show_bars(console: "Console", title: str, counts: Mapping[str, int], style: str) -> None:
    if not counts:
        return
    total, most = sum(counts.values()), max(counts.values())
    shown = list(counts.items())[:_MOST_TOOLS]
    width = min(30, max(len(name) for name, _ in shown))
    console.print(styled(f"\n{title}", "bold"))
    for name, count in shown:
        bar = "█" * max(1, round(_BAR_WIDTH * count / most)) if count else ""
        label = name if len(name) <= width else f"{name[: width - 1]}…"
        console.print(
            styled(
                f"  {label:<{width}} {count:>7,}  ",
                "",
                f"{bar:<{_BAR_WIDTH}}",
                style,
                f" {count / total:4.0%}",
                "dim",
            )
        )


def _show_lengths(console: "Console", inspection: "Inspection", max_length: int | None) -> None:
    lengths, trained = inspection.lengths, inspection.trained
    ordered = sorted(lengths)
    longest = ordered[-1]
    bins = [0] * _HISTOGRAM_BINS
    for length in lengths:
        bins[min(_HISTOGRAM_BINS - 1, length * _HISTOGRAM_BINS // (longest + 1))] += 1
    levels = len(_HISTOGRAM_LEVELS) - 1
    # Rounded up: a bin with one row is not shown as empty.
    bars = "".join(_HISTOGRAM_LEVELS[-(-count * levels // max(bins))] for count in bins)
    total = sum(lengths)
    median, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    part = "" if len(lengths) >= inspection.tally.sound else f" (of {len(lengths):,} rows, a sample)"
    console.print(styled("\nTokens per row", "bold", part, "yellow"))
    console.print(styled(f"  0 {bars} {longest:,}", "green"))
    console.print(
        styled(f"  median {median:,} · 95% below {p95:,} · longest {longest:,} · {total:,} in all", "")
    )
    share = f"  {sum(trained):,} tokens are trained ({sum(trained) / max(1, total):.0%})"
    console.print(styled(share, ""))
    if max_length is not None:
        over = sum(length > max_length for length in lengths)
        style = "yellow" if over else "green"
        console.print(styled(f"  {over:,} rows are longer than max_length {max_length:,}", style))


def _show_findings(console: "Console", inspection: "Inspection") -> None:
    groups = inspection.by_rule()
    console.print(styled("\nFindings" if groups else "\n✓ Nothing is wrong with it.", "bold"))
    first: dict[str, Finding] = {}
    for found in inspection.findings:
        first.setdefault(found.rule, found)
    for group in groups:
        _show_group(console, group, first[group.rule], inspection)
    if bad := inspection.severities.count(3):
        share = f"\n{bad:,} of {inspection.rows:,} rows have an error"
        console.print(styled(f"{share}: they teach nothing, or something wrong.", "bold red"))


def _show_group(
    console: "Console", group: "FindingGroup", first: "Finding", inspection: "Inspection"
) -> None:
    from tuner_tui.data.rules import RULES

    sign, style = _SIGNS[group.severity.value]
    where = f"  {group.count:,}×, {_rows(group.rows)}" if group.rows else ""
    console.print(
        styled(f"  {sign} {group.severity.value:<8}", style, RULES[group.rule].title, "bold", where, "dim")
    )
    place = f" at {first.field}" if first.field else ""
    row = f"{_row(first.row, inspection)}{place}: " if first.row is not None else ""
    console.print(_indented(f"{row}{first.message}", ""))
    console.print(_indented(f"→ {first.fix}", "dim"))


def _row(number: int, inspection: "Inspection") -> str:
    """A row; in a folder with its file, and its number there."""
    if inspection.files == 1 or inspection.locate is None:
        return f"row {number}"
    file, inside = inspection.locate(number)
    return f"row {number} ({file.name}, row {inside})"


def _rows(rows: Sequence[int]) -> str:
    shown = ", ".join(f"{row}" for row in rows[:6])
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{', …' if len(rows) > 6 else ''}"


def _indented(text: str, style: str) -> Any:
    from rich.padding import Padding

    return Padding(styled(text, style), (0, 0, 0, 4), expand=False)
