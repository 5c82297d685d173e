"""The page that `tuner inspect` prints."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tuner_tui.cli.output import counted, print_left_out, print_line, styled
from tuner_tui.visible import visible

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
    print_line(console, styled(inspection.path.name, "bold", "  ", "", where, "dim"), 2)
    console.print(styled(counted(inspection.rows), "", part, "yellow"))
    print_left_out(console, inspection.left_out)
    kinds = {name.replace("_", " "): count for name, count in inspection.kinds.items() if count}
    sound = sum(kinds.values())
    title = "Kinds" if sound == inspection.rows else f"Kinds of the {sound:,} rows that can be used"
    _show_bars(console, title, kinds, "cyan")
    _show_bars(console, _tools_title(inspection.tools), inspection.tools, "blue")
    console.print(styled("\nWhat is in it", "bold"))
    for label, figures in inspection.statistics.table():
        print_line(console, styled(f"  {label:<22} ", "dim", figures, ""), 25)
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
    """How the lengths are spread; their figures stand in the table of what is in it."""
    lengths, longest = inspection.lengths, max(inspection.lengths)
    bins = [0] * _HISTOGRAM_BINS
    for length in lengths:
        bins[min(_HISTOGRAM_BINS - 1, length * _HISTOGRAM_BINS // (longest + 1))] += 1
    levels = len(_HISTOGRAM_LEVELS) - 1
    # Rounded up: a bin with one row is not shown as empty.
    bars = "".join(_HISTOGRAM_LEVELS[-(-count * levels // max(bins))] for count in bins)
    part = "" if len(lengths) >= inspection.tally.sound else f" (of {len(lengths):,} rows, a sample)"
    console.print(styled("\nTokens per row", "bold", part, "yellow"))
    console.print(styled(f"  0 {bars} {longest:,}", "green"))
    if max_length is not None:
        over = sum(length > max_length for length in lengths)
        style = "yellow" if over else "green"
        told = f"  {counted(over)} {'is' if over == 1 else 'are'} longer than max_length {max_length:,}"
        console.print(styled(told, style))


def _show_findings(console: "Console", inspection: "Inspection") -> None:
    groups = inspection.by_rule()
    console.print(styled("\nFindings" if groups else "\n✓ Nothing is wrong with it.", "bold"))
    first: dict[str, Finding] = {}
    for found in inspection.findings:
        first.setdefault(found.rule, found)
    for group in groups:
        _show_group(console, group, first[group.rule], inspection)
    if bad := inspection.severities.count(3):
        share = f"{bad:,} of {counted(inspection.rows)} {'has' if bad == 1 else 'have'} an error"
        console.print()
        print_line(console, styled(f"{share}: they teach nothing, or something wrong.", "bold red"))


def _show_group(
    console: "Console", group: "FindingGroup", first: "Finding", inspection: "Inspection"
) -> None:
    from tuner_tui.data.rules import RULES

    sign, style = _SIGNS[group.severity.value]
    where = f"  {group.count:,}×, {_rows(group.rows)}" if group.rows else ""
    title = styled(
        f"  {sign} {group.severity.value:<8}", style, RULES[group.rule].title, "bold", where, "dim"
    )
    print_line(console, title, 12)
    place = f" at {first.field}" if first.field else ""
    row = f"{_row(first.row, inspection)}{place}: " if first.row is not None else ""
    print_line(console, styled(f"    {visible(row + first.message, one_line=True)}", ""), 4)
    print_line(console, styled(f"    → {first.fix}", "dim"), 6)


def _row(number: int, inspection: "Inspection") -> str:
    """A row; in a folder with its file, and its number there."""
    if inspection.files == 1 or inspection.locate is None:
        return f"row {number}"
    file, inside = inspection.locate(number)
    return f"row {number} ({file.name}, row {inside})"


def _rows(rows: Sequence[int]) -> str:
    shown = ", ".join(f"{row}" for row in rows[:6])
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{', …' if len(rows) > 6 else ''}"
