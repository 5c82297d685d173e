"""The suites of a report on a terminal: one table of all figures, then what stands behind each suite."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.report import figures
from tuner_tui.report.terminal_table import grid, line, title
from tuner_tui.report.text import number_text, said
from tuner_tui.visible import visible

_CHANGED = 4
"""Changed items of a suite that are shown: a screen's worth; report.md has more."""
_SHORT = {"base": "Plain", "instruction": "Instruction", "examples": "Examples", "tuned": "Tuned"}
_KEPT_COLOURS = {"✔": "green", "✘": "red", "?": "yellow"}
_TUNED = "Tuned"
_WIDTHS = (19, 13, 13, 13, 18)
"""Of the columns of figures, the same for each suite: 80 with the room between them."""


def print_results(report: Mapping[str, Any], console: Console) -> None:
    """What the suites let one claim, and all their figures in one table."""
    for claim in figures.claims(report):
        line(claim, console)
    console.print()
    print_figures(report["suites"], console)
    line(figures.READING, console, "dim")
    for suite in report["suites"]:
        _kept(suite, console)


def print_figures(suites: Sequence[Mapping[str, Any]], console: Console) -> None:
    """One table of all measures: its heads, then each suite under a line of its own."""
    console.print(_figures_table())
    for suite in suites:
        line(figures.suite_heading(suite), console, "bold")
        table = _figures_table(header=False)
        for name, *cells in figures.figure_rows(suite):
            table.add_row(line(name), *cells)
        console.print(table)
        if others := figures.other_arms(suite):
            line(f"{others}.", console, "dim")


def _figures_table(*, header: bool = True) -> Table:
    table = grid((figures.HEADS[0],), figures.HEADS[1:], strong=_TUNED, header=header, room=0)
    for column, width in zip(table.columns, _WIDTHS, strict=True):
        column.width = width
    return table


def _kept(suite: Mapping[str, Any], console: Console) -> None:
    if suite["kept"]:
        title("Was anything lost?", console)
        table = grid((figures.KEPT_HEADS[0],), figures.KEPT_HEADS[1:])
        for name, change, margin, state in figures.kept_rows(suite):
            table.add_row(line(name), change, margin, Text(state, style=_KEPT_COLOURS[state[0]]))
        console.print(table)


def print_details(suite: Mapping[str, Any], console: Console) -> None:
    """Counts, errors and changed items of one suite."""
    if suite["numbers"]:
        title(f"{suite['title']}: counted, means", console)
        table = grid(("",), ("Plain", _TUNED, "Change"), strong=_TUNED)
        for row in suite["numbers"]:
            change = number_text(row["change"], signed=True)
            table.add_row(line(row["title"]), number_text(row["base"]), number_text(row["tuned"]), change)
        console.print(table)
    _errors(suite, console)
    if suite["changed"]:
        fixed, broken = figures.changed_counts(suite["changed"])
        title(f"{suite['title']}: {fixed} fixed, {broken} broken", console)
        print_changed(suite["changed"], console)


def _errors(suite: Mapping[str, Any], console: Console) -> None:
    arms, errors = figures.error_rows(suite)
    if not errors:
        return
    title(f"{suite['title']}: what went wrong, in items", console)
    table = grid(("The model …",), [short_title(arm) for arm in arms], strong=_TUNED)
    for name, text, counts in errors:
        table.add_row(line(text or name), *(str(counts[arm] or "·") for arm in arms))
    console.print(table)


def short_title(arm: str) -> str:
    """The name of an arm where there is little room."""
    return _SHORT.get(arm) or ARM_TITLES[arm]


def print_changed(
    changed: Sequence[Mapping[str, Any]], console: Console, sides: tuple[str, str] = ("before", "after")
) -> None:
    """The first changed items: what is right, and what each side answered."""
    width = max(map(len, ("right", *sides)))
    for each in changed[:_CHANGED]:
        good = each["direction"] == "fixed"
        request = Text("✔ " if good else "✘ ", style="green" if good else "red")
        request.append(visible(each["request"], one_line=True, limit=200), style="default")
        console.print(request)
        answers = (figures.right_text(each), said(each["before"]), said(each["after"]))
        for name, text in zip(("right", *sides), answers, strict=True):
            if text is None:
                continue
            shown = Text(f"{name:<{width}}  ", style="dim")
            shown.append(visible(text, one_line=True, limit=200), style="default")
            console.print(Padding(shown, (0, 0, 0, 2), expand=False))
    if len(changed) > _CHANGED:
        line(f"{len(changed) - _CHANGED} more are in report.json.", console, "dim")
