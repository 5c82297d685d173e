"""The figures of any suite on a terminal."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from tuner_tui.evaluation.arms import ARM_TITLES, in_order
from tuner_tui.report.figures import change_text, rate_text
from tuner_tui.report.suite_terminal import short_title
from tuner_tui.report.terminal_table import grid, line
from tuner_tui.report.text import number_text, p_value
from tuner_tui.visible import visible

_WITH_COUNTS = 2
"""Arms beside which there is room for counts in 80 columns."""


def print_suite(summary: Mapping[str, Any], console: Console) -> None:
    """Print a `summary.json`: rates with their intervals, categories, numbers, errors, and notes."""
    arms: Mapping[str, Any] = summary["arms"]
    heads = {arm: short_title(arm) for arm in in_order(arms)}

    def rate(found: Mapping[str, Any] | None) -> str:
        if found is None or found["rate"] is None or len(arms) > _WITH_COUNTS:
            return rate_text(found)
        low, high = (f"{100 * end:.1f}" for end in found["interval"])
        return f"{found['count']}/{found['total']}  {100 * found['rate']:.1f}% [{low} to {high}]"

    line(f"{summary['title']}: {summary['items']:,} items", console, "bold")
    table = grid(("",), heads.values(), strong=heads.get("tuned", ""))
    for measure in summary["measures"]:
        table.add_row(line(f"  {measure['title']}"), *(rate(arms[arm].get(measure["name"])) for arm in heads))
    table.add_row(line("  Right as a whole"), *(rate(arms[arm]["right"]) for arm in heads))
    console.print(table)
    line("In brackets: the 95% interval.", console, "dim")
    _parts("By category, right as a whole", summary["categories"], heads, rate, console)
    _parts("Numbers, means", summary["numbers"], heads, number_text, console)
    counts = {arm: arms[arm]["errors"] for arm in heads}
    _parts("What went wrong, in items", counts, heads, lambda count: str(count or "·"), console)
    for sentence in _comparisons(summary):
        line(sentence, console)
    for kept in summary.get("regression", []):
        line(kept["sentence"], console)
    for note in summary["notes"]:
        line(note, console, "dim")


def _comparisons(summary: Mapping[str, Any]) -> list[str]:
    """The tuned model against the plain and against the best prompt, by the measure that counts most."""
    if not summary["measures"]:
        return []
    measure = summary["measures"][0]
    pairs = {"base": summary["comparison"]}
    pairs |= {summary["best_prompt"]: summary["comparison_best"]} if summary.get("best_prompt") else {}
    return [
        f"{measure['title']}, tuned against {ARM_TITLES[base].lower()}: {change_text(change)} points, "
        f"{change['fixed']} fixed, {change['broken']} broken, {p_value(change['p_value'])}."
        for base, comparison in pairs.items()
        if (change := comparison.get(measure["name"]))
    ]


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
    title: str,
    by_arm: Mapping[str, Any],
    heads: Mapping[str, str],
    show: Callable[[Any], str],
    console: Console,
) -> None:
    """One part of a page: a row for each name that any arm has."""
    names = list(dict.fromkeys(name for found in by_arm.values() for name in found))
    if not names:
        return
    table = grid((title,), heads.values(), strong=heads.get("tuned", ""))
    for name in names:
        cells = [by_arm.get(arm, {}).get(name) for arm in heads]
        shown = ("·" if cell is None else show(cell) for cell in cells)
        table.add_row(line("  " + name.replace("_", " ")), *shown)
    console.print(table)
