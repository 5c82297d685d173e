"""The report on a terminal, made for 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tuner_tui.evaluation.arms import in_order
from tuner_tui.report.chain import lines as chain_lines
from tuner_tui.report.suite_text import HEADS, cost_sentence, headline_rows, sentences
from tuner_tui.report.text import (
    NO_ANSWERS,
    SHORT_TITLES,
    STATE_TITLES,
    before_sentences,
    drawn_curves,
    figure_rows,
    p_value,
    percent,
    points,
    said,
    seconds,
    sparkline,
)
from tuner_tui.visible import visible

_CHANGED = 6
"""Changed items that are shown: a screen's worth; report.md has more."""

_HEADS = {"base": "Plain", "instruction": "Instruction", "examples": "Examples", "tuned": "Tuned"}
_SIGNS = {
    "ship": ("✔", "green"),
    "use_it": ("✔", "green"),
    "do_not_ship": ("✘", "red"),
    "do_not_use": ("✘", "red"),
}


def render(report: Mapping[str, Any], console: Console) -> None:
    """Print the report. Text from models and datasets is never read as markup."""
    _head(report, console)
    _suites(report, console)
    _method(report, console)
    _title("Evaluation", console)
    if not report["method"]["answers"]:
        console.print(Text(NO_ANSWERS))
    elif report["evaluation"] is None or not report["evaluation"]["arms"]:
        console.print(Text(f"Not evaluated yet: tuner eval {report['run']['id']}"))
    else:
        print_evaluation(report["evaluation"], console)
    if report["changed"]:
        print_changed(report["changed"], console)
    _training(report, console)
    _chain(report, console)
    _where(report, console)


def _head(report: Mapping[str, Any], console: Console) -> None:
    verdict, run = report["verdict"], report["run"]
    sign, colour = _SIGNS.get(verdict["decision"], ("•", "yellow"))
    console.print(Text(f"{sign} {verdict['title']}", style=f"bold {colour}"))
    console.print(Text(visible(verdict["sentence"], one_line=True)))
    console.print(Text(f"Rule: {verdict['rule']}", style="dim"))
    state = f"{run['id']}  {run['state']} after {run['step']} of {run['total']} steps"
    console.print(Text(f"{state} in {seconds(run['seconds'])}", style="dim"))


def _chain(report: Mapping[str, Any], console: Console) -> None:
    if report.get("chain"):
        _title("The steps before", console)
        for line in chain_lines(report["chain"]):
            console.print(Text(visible(line, one_line=True)))


def _title(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _table(first: str, arms: list[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(first, no_wrap=True)
    for arm in arms:
        table.add_column(_HEADS[arm], justify="right", no_wrap=True, style="bold" if arm == "tuned" else "")
    return table


def print_evaluation(summary: Mapping[str, Any], console: Console) -> None:
    """Print the figures of a `summary.json` that has at least one arm."""
    arms = in_order(summary["arms"])
    table = _table(f"{summary['items']} held-out items", arms)
    for measure, title in SHORT_TITLES.items():
        table.add_row(title, *(percent(summary["arms"][arm][measure]) for arm in arms))
    console.print(table)
    console.print(Text("In brackets: the 95% interval.", style="dim"))
    comparisons = [("the plain prompt", summary["comparison"])]
    if summary["best_prompt"] != "base":
        comparisons.append(("the best prompt", summary["comparison_best"]))
    for name, comparison in comparisons:
        if change := comparison.get("full_match"):
            low, high = change["interval"]
            console.print(
                Text(
                    f"Against {name}: {points(change['delta'])} points [{points(low)} to {points(high)}], "
                    f"{change['fixed']} fixed, {change['broken']} broken, {p_value(change['p_value'])}."
                )
            )
    _errors(summary, arms, console)


def _errors(summary: Mapping[str, Any], arms: list[str], console: Console) -> None:
    types = sorted({type for arm in arms for type in summary["arms"][arm]["errors"]})
    if not types:
        return
    _title("What went wrong", console)
    table = _table("Items", arms)
    for type in types:
        counts = (summary["arms"][arm]["errors"].get(type, 0) for arm in arms)
        table.add_row(type.replace("_", " "), *(str(count) if count else "·" for count in counts))
    console.print(table)


def print_changed(changed: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the first changed items, side by side with what is right."""
    fixed = sum(each["direction"] == "fixed" for each in changed)
    _title(f"What changed: {fixed} fixed, {len(changed) - fixed} broken", console)
    for each in changed[:_CHANGED]:
        good = each["direction"] == "fixed"
        request = Text("✔ " if good else "✘ ", style="green" if good else "red")
        request.append(visible(each["request"], one_line=True, limit=200), style="default")
        console.print(request)
        for name, text in (
            ("right ", said({"calls": each["gold"], "text": "no call"})),
            ("before", said(each["before"])),
            ("after ", said(each["after"])),
        ):
            line = Text(f"{name}  ", style="dim")
            line.append(visible(text, one_line=True, limit=200), style="default")
            console.print(Padding(line, (0, 0, 0, 2), expand=False))
    if len(changed) > _CHANGED:
        console.print(Text(f"{len(changed) - _CHANGED} more are in report.json.", style="dim"))


def _training(report: Mapping[str, Any], console: Console) -> None:
    training = report["training"]
    verdict = training["verdict"]
    _title(f"Training: {STATE_TITLES[verdict['state']].lower()}", console)
    console.print(Text(visible(verdict["sentence"], one_line=True)))
    for name, values in drawn_curves(training):
        line = Text(f"{name:<18}{values[0]:7.3f} ")
        line.append(sparkline(values), style="magenta" if name.startswith("held-out") else "cyan")
        line.append(f" {values[-1]:.3f}")
        console.print(line, no_wrap=True)


def _suites(report: Mapping[str, Any], console: Console) -> None:
    if not report["suites"]:
        return
    _title("All suites", console)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(HEADS[0], overflow="fold")
    for head in HEADS[1:]:
        table.add_column(head, justify="right", no_wrap=True, style="bold" if head == "Tuned" else "")
    for row in headline_rows(report):
        table.add_row(*(Text(visible(cell, one_line=True)) for cell in row))
    console.print(table)
    for each in (*sentences(report), f"What it took: {cost_sentence(report)}"):
        console.print(Text(visible(each, one_line=True), style="dim"))


def _method(report: Mapping[str, Any], console: Console) -> None:
    method = report["method"]
    before = before_sentences(report)
    if method["name"] == "sft" and not before:
        return
    _title(f"Method: {method['name']}, {method['title']}", console)
    for each in before:
        console.print(Text(visible(each, one_line=True)))
    rows = figure_rows(method)
    if not rows:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for title, justify in (("", "left"), ("measured on", "left"), ("start", "right"), ("end", "right")):
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(visible(cell, one_line=True)) for cell in row))
    console.print(table)


def _where(report: Mapping[str, Any], console: Console) -> None:
    _title("How to repeat it", console)
    for command in report["repeat"]:
        console.print(Text("  " + visible(command, one_line=True)), soft_wrap=True)
