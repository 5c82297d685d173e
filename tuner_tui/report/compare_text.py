"""The comparison of two runs on a terminal."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuner_tui.report.terminal import print_changed
from tuner_tui.report.text import p_value, percent, points
from tuner_tui.visible import visible


def render(comparison: Mapping[str, Any], console: Console) -> None:
    """Print it. Text from models and datasets is never read as markup."""
    for name, run in zip(("first ", "second"), comparison["runs"], strict=True):
        about = f"{name}  {run['id']}, {run['state']}, {run['model'] or 'model not recorded'}"
        console.print(Text(visible(about, one_line=True)))
    for suite in comparison["suites"]:
        console.print()
        title = f"{suite['title']}: {suite['items']['shared']} shared items"
        console.print(Text(visible(title, one_line=True), style="bold"))
        if suite["sentence"]:
            console.print(Text(suite["sentence"], style="yellow"))
        if suite["claim"]:
            console.print(Text(f"Second against first: {suite['claim']['sentence']}"))
        if suite["rows"]:
            console.print(_table(suite))
        if suite["changed"]:
            print_changed(suite["changed"], console)


def _table(suite: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("Measure")
    for head in ("First", "Second", "Change", ""):
        table.add_column(head, justify="right", no_wrap=True)
    for row in suite["rows"]:
        change = row["change"]
        low, high = change["interval"]
        table.add_row(
            Text(visible(row["title"], one_line=True)),
            *(percent(row[side]) if row[side] else "–" for side in ("first", "second")),
            f"{points(change['delta'])} [{points(low)} to {points(high)}]" if change["pairs"] else "–",
            p_value(change["p_value"]) if change["pairs"] else "",
        )
    return table
