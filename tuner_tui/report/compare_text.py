"""The comparison of two runs on a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from tuner_tui.report.figures import change_text, changed_counts, rate_text
from tuner_tui.report.suite_terminal import print_changed
from tuner_tui.report.terminal_table import grid, line, title
from tuner_tui.report.text import p_value


def render(comparison: Mapping[str, Any], console: Console) -> None:
    """Print it. Text from models and datasets is never read as markup."""
    for name, run in zip(("first ", "second"), comparison["runs"], strict=True):
        line(f"{name}  {run['id']}, {run['state']}, {run['model'] or 'model not recorded'}", console)
    for suite in comparison["suites"]:
        title(f"{suite['title']}: {suite['items']['shared']} shared items", console)
        if suite["sentence"]:
            line(suite["sentence"], console, "yellow")
        if suite["claim"]:
            line(f"Second against first: {suite['claim']['sentence']}", console)
        if suite["rows"]:
            console.print(_table(suite))
        if suite["changed"]:
            fixed, broken = changed_counts(suite["changed"])
            title(f"Second against first: {fixed} fixed, {broken} broken", console)
            print_changed(suite["changed"], console, ("first", "second"))


def _table(suite: Mapping[str, Any]) -> Table:
    table = grid(("Measure",), ("First", "Second", "Change", ""))
    for number, row in enumerate(suite["rows"]):
        change = row["change"]
        table.add_row(
            line(row["title"]),
            rate_text(row["first"]),
            rate_text(row["second"]),
            change_text(change),
            p_value(change["p_value"]) if number == 0 and change["pairs"] else "",  # what is tested
        )
    return table
