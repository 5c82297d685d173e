"""The figures of any suite on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuner_tui.visible import visible


def print_suite(summary: Mapping[str, Any], console: Console) -> None:
    """Print a `summary.json`: rates with their intervals, categories, numbers, errors, and notes."""
    from tuner_tui.evaluation.arms import ARM_TITLES

    arms: Mapping[str, Any] = summary["arms"]
    titles = {arm: ARM_TITLES.get(arm, arm) for arm in arms}
    console.print(Text(visible(f"{summary['title']}: {summary['items']:,} items", one_line=True), "bold"))
    table = _table("", titles.values())
    for measure in summary["measures"]:
        _row(table, measure["title"], [_rate(arms[arm].get(measure["name"])) for arm in arms])
    _row(table, "Right as a whole", [_rate(arms[arm]["right"]) for arm in arms])
    console.print(table)
    console.print(Text("In brackets: the 95% interval.", style="dim"))
    _parts("By category, right as a whole", summary["categories"], titles, _rate, console)
    _parts("Numbers, means", summary["numbers"], titles, _number, console)
    counts = {arm: arms[arm]["errors"] for arm in arms}
    _parts("What went wrong", counts, titles, lambda count: str(count or "·"), console)
    for change in summary["comparison"].values():
        low, high = change["interval"]
        console.print(
            Text(
                f"{change['measure']}, {change['tuned']} against {change['base']}: "
                f"{100 * change['delta']:+.1f} points [{100 * low:+.1f} to {100 * high:+.1f}], "
                f"{change['fixed']} fixed, {change['broken']} broken, p = {change['p_value']:.3g}"
            )
        )
    for kept in summary.get("regression", []):
        console.print(Text(visible(kept["sentence"], one_line=True)))
    for note in summary["notes"]:
        console.print(Text(visible(note, one_line=True), style="dim"))


def print_score(score: Mapping[str, Any], console: Console) -> None:
    """Print what a file of answers reaches."""
    print_suite(
        {
            **score,
            "items": score["scored"],
            "arms": {"answers": score["outcome"]},
            "categories": {"answers": score["categories"]},
            "numbers": {"answers": score["numbers"]},
            "comparison": {},
        },
        console,
    )
    for key, words in (
        ("missing", "items have no answer in the file, and are in no rate"),
        ("unknown", "ids of the file are not in the suite"),
        (
            "several_turns",
            "items want more answers, or the likelihood of texts, and are in no rate",
        ),
    ):
        if found := score[key]:
            some = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")
            console.print(Text(visible(f"{len(found)} {words}: {some}", one_line=True), style="yellow"))
    for bad in score["bad_lines"][:10]:
        words = visible(f"line {bad['line']}: {bad['words']}", one_line=True, limit=200)
        console.print(Text(words, style="yellow"))
    if len(score["bad_lines"]) > 10:
        console.print(Text(f"{len(score['bad_lines']) - 10} more lines cannot be used.", style="yellow"))


def _parts(
    title: str, by_arm: Mapping[str, Any], titles: Mapping[str, str], show: Any, console: Console
) -> None:
    names = list(dict.fromkeys(name for found in by_arm.values() for name in found))
    if not names:
        return
    table = _table(title, titles.values())
    for name in names:
        cells = [by_arm.get(arm, {}).get(name) for arm in titles]
        _row(table, name, [show(cell) if cell is not None else "·" for cell in cells])
    console.print(table)


def _table(first: str, heads: Any) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(Text(first))
    for head in heads:
        table.add_column(Text(visible(head, one_line=True)), justify="right", no_wrap=True)
    return table


def _row(table: Table, name: str, cells: Sequence[str]) -> None:
    table.add_row(Text(visible(str(name), one_line=True)), *map(Text, cells))


def _rate(rate: Mapping[str, Any] | None) -> str:
    if rate is None or rate["rate"] is None:
        return "–"
    low, high = rate["interval"]
    share = f"{rate['count']}/{rate['total']}"
    return f"{share}  {100 * rate['rate']:.1f}% [{100 * low:.1f} to {100 * high:.1f}]"


def _number(number: Mapping[str, Any]) -> str:
    low, high = number["interval"]
    return f"{number['mean']:.4g} [{low:.4g} to {high:.4g}]"
