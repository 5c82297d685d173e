"""The report on a terminal, made for 80 columns: the verdict, one table of figures, what supports them."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuner_tui.report import figures
from tuner_tui.report.chain import lines as chain_lines
from tuner_tui.report.cost import cost_lines
from tuner_tui.report.suite_terminal import print_details, print_results
from tuner_tui.report.terminal_table import grid, line, title
from tuner_tui.report.text import (
    NO_ANSWERS,
    STATE_TITLES,
    before_sentences,
    drawn_curves,
    method_rows,
    seconds,
    sparkline,
    version_lines,
)

_SIGNS = {
    "ship": ("✔", "green"),
    "use_it": ("✔", "green"),
    "do_not_ship": ("✘", "red"),
    "do_not_use": ("✘", "red"),
}
_CHECK_COLOURS = {"✔": "green", "✘": "red", "?": "dim"}


def render(report: Mapping[str, Any], console: Console) -> None:
    """Print the report. Text from models and datasets is never read as markup."""
    _head(report, console)
    title("Results", console)
    if not report["method"]["answers"]:
        line(NO_ANSWERS, console)
    elif not report["suites"]:
        line(f"Not evaluated yet: tuner eval {report['run']['id']}", console)
    else:
        print_results(report, console)
        for suite in report["suites"]:
            print_details(suite, console)
    _method(report, console)
    _training(report, console)
    _chain(report, console)
    _cost(report, console)
    _repeat(report, console)


def _head(report: Mapping[str, Any], console: Console) -> None:
    verdict, run = report["verdict"], report["run"]
    sign, colour = _SIGNS.get(verdict["decision"], ("•", "yellow"))
    line(f"{sign} {verdict['title']}", console, f"bold {colour}")
    line(verdict["sentence"], console)
    line(f"Next: {verdict['next'].replace('`', '')}", console, "bold")
    line(f"Rule: {verdict['rule']}", console, "dim")
    state = f"{run['id']}  {run['state']} after {run['step']} of {run['total']} steps"
    line(f"{state} in {seconds(run['seconds'])}", console, "dim")


def _method(report: Mapping[str, Any], console: Console) -> None:
    method = report["method"]
    before = before_sentences(report)
    if method["name"] == "sft" and not before:
        return
    title(f"Method: {method['name']}, {method['title']}", console)
    for each in before:
        line(each, console)
    if rows := method_rows(method):
        table = grid(("", "measured on"), ("start", "end"))
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)


def _training(report: Mapping[str, Any], console: Console) -> None:
    training = report["training"]
    verdict = training["verdict"]
    title(f"Training: {STATE_TITLES[verdict['state']].lower()}", console)
    line(verdict["sentence"], console)
    for name, values in drawn_curves(training):
        drawn = Text(f"{name:<18}{values[0]:7.3f} ")
        drawn.append(sparkline(values), style="magenta" if name.startswith("held-out") else "cyan")
        drawn.append(f" {values[-1]:.3f}")
        console.print(drawn, no_wrap=True)
    table = Table.grid(padding=(0, 2, 0, 0))
    for sign, question, answer, rule in figures.check_rows(training):
        told = Text.assemble(answer, "\n", (f"Rule: {rule}", "dim"))
        table.add_row(Text(f"{sign} {question}", style=_CHECK_COLOURS[sign]), told)
    if table.row_count:
        console.print(table)


def _chain(report: Mapping[str, Any], console: Console) -> None:
    if report.get("chain"):
        title("The steps before", console)
        for each in chain_lines(report["chain"]):
            line(each, console)


def _cost(report: Mapping[str, Any], console: Console) -> None:
    title("What it took", console)
    table = Table.grid(padding=(0, 2, 0, 0))
    for what, amount in [*cost_lines(report["cost"]), *version_lines(report)]:
        table.add_row(Text(what, style="dim"), line(amount))
    console.print(table)


def _repeat(report: Mapping[str, Any], console: Console) -> None:
    title("How to repeat it", console)
    for command in report["repeat"]:
        console.print(Text("  ") + line(command), soft_wrap=True)
