"""The report as Markdown: the verdict first, then figures, changes, training, and how to repeat it."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tuner_tui.report import figures
from tuner_tui.report.chain import lines as chain_lines
from tuner_tui.report.cost import cost_lines
from tuner_tui.report.markup import code, fence, plain, table
from tuner_tui.report.suite_markdown import kept_section, suite_section
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
from tuner_tui.visible import visible


def render(report: Mapping[str, Any]) -> str:
    """The whole page. Text from models and datasets stands in code spans, with control characters shown."""
    parts = [
        _head(report),
        _results(report),
        *(suite_section(suite) for suite in report["suites"]),
        _method(report),
        _training(report),
        _chain(report),
        _cost(report),
        _made_from(report),
        _repeat(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(report: Mapping[str, Any]) -> str:
    verdict, run = report["verdict"], report["run"]
    return (
        f"# {verdict['title']}\n\n"
        f"**{plain(verdict['sentence'])}**\n\n"
        f"**Next:** {commanded(verdict['next'])}\n\n"
        f"Rule: {verdict['rule']}\n\n"
        f"Run `{run['id']}`, {run['state']} after {run['step']} of {run['total']} steps"
        f" in {seconds(run['seconds'])}."
    )


def _results(report: Mapping[str, Any]) -> str:
    """All suites in one table, after what they let one claim."""
    lines = ["## Results", ""]
    if not report["method"]["answers"]:
        return "\n".join([*lines, NO_ANSWERS])
    if not report["suites"]:
        return "\n".join([*lines, f"Not evaluated yet: `tuner eval {report['run']['id']}`."])
    lines += [f"- {plain(each)}" for each in figures.claims(report)]
    rows: list[Sequence[str]] = []
    for suite in report["suites"]:
        rows.append((f"**{plain(figures.suite_heading(suite))}**", "", "", "", ""))
        rows += [(plain(title), *cells) for title, *cells in figures.figure_rows(suite)]
    lines += ["", *table(figures.HEADS, rows), "", figures.READING]
    lines += [f"\n{plain(said)}." for suite in report["suites"] if (said := figures.other_arms(suite))]
    kept = [section for suite in report["suites"] if (section := kept_section(suite))]
    return "\n\n".join(["\n".join(lines), *kept])


def _method(report: Mapping[str, Any]) -> str:
    method = report["method"]
    before = before_sentences(report)
    if method["name"] == "sft" and not before:
        return ""
    lines = [f"## Method: {method['name']}, {method['title']}", "", method["does"]]
    lines += ["", *(f"- {plain(each)}" for each in before)] if before else []
    if rows := method_rows(method):
        heads = ("", "measured on", "start", "end")
        lines += ["", *table(heads, [(plain(title), *rest) for title, *rest in rows], left=2), ""]
        lines += [f"- {plain(each['title'])}: {each['text']}" for each in method["figures"] if each["text"]]
    return "\n".join(lines)


def _training(report: Mapping[str, Any]) -> str:
    training = report["training"]
    verdict = training["verdict"]
    lines = [
        "## Training",
        "",
        f"**{STATE_TITLES[verdict['state']]}.** {verdict['sentence']}",
        "",
        f"Rule: {verdict['rule']}",
    ]
    if checks := figures.check_rows(training):
        rows = [(f"{sign} {title}", plain(answer), plain(rule)) for sign, title, answer, rule in checks]
        lines += ["", *table(("Question", "Answer", "Rule"), rows, left=3)]
    drawn = [
        f"{name:<20}{values[0]:8.3f}  {sparkline(values)}  {values[-1]:.3f}"
        for name, values in drawn_curves(training)
    ]
    if drawn:
        lines += ["", "```text", *drawn, "```"]
    if verdict["best_step"] is not None:
        lines += ["", f"The eval loss was lowest at step {verdict['best_step']}."]
    return "\n".join(lines)


def _chain(report: Mapping[str, Any]) -> str:
    """The runs of the plan that came before this one."""
    if not report.get("chain"):
        return ""
    first, *rest = chain_lines(report["chain"])
    return "\n".join(["## The steps before", "", plain(first), "", *(f"- {plain(line)}" for line in rest)])


def _cost(report: Mapping[str, Any]) -> str:
    lines = [f"- {what}: {plain(amount)}" for what, amount in cost_lines(report["cost"])]
    return "\n".join(["## What it took", "", *lines])


def _made_from(report: Mapping[str, Any]) -> str:
    lines = ["## What it was made from", "", f"- base model: {code(str(report['model'].get('name')))}"]
    lines += [
        f"- data: {code(str(file.get('path')))}, SHA-256 {code(str(file.get('sha256')))}"
        for file in report["data"]["train"]
    ]
    lines += [
        f"- items of {plain(suite['title'])}: {code(suite['source'])}"
        for suite in report["suites"]
        if suite["source"]
    ]
    lines += [f"- {what.lower()}: {plain(versions)}" for what, versions in version_lines(report)]
    if report["config"]:
        config = yaml.safe_dump(report["config"], sort_keys=False)
        lines += ["", "The exact configuration:", "", fence(config, "yaml")]
    return "\n".join(lines)


def _repeat(report: Mapping[str, Any]) -> str:
    commands = "\n".join(visible(command, one_line=True) for command in report["repeat"])
    return f"## How to repeat it\n\n{fence(commands, 'sh')}"


def commanded(text: str) -> str:
    """A sentence of our own with commands between backticks, which stay code."""
    parts = text.split("`")
    return "".join(code(part) if number % 2 else plain(part) for number, part in enumerate(parts))
