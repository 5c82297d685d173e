"""The report as Markdown: the verdict first, then figures, curves, changes, and how to repeat it."""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.answers.scoring import ERROR_TYPES
from tuner_tui.evaluation.arms import ARM_TITLES, in_order
from tuner_tui.report.chain import lines as chain_lines
from tuner_tui.report.suite_text import HEADS, cost_sentence, headline_rows, sentences
from tuner_tui.report.text import (
    MEASURE_TITLES,
    NO_ANSWERS,
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
from tuner_tui.training.methods import applies
from tuner_tui.visible import visible

_CHANGED = 20
"""Changed items that are shown; report.json has them all."""


def render(report: Mapping[str, Any]) -> str:
    """The whole page. Text from models and datasets stands in code spans, with control characters shown."""
    parts = [
        _head(report),
        _suites(report),
        _method(report),
        _figures(report),
        _errors(report),
        _changed(report),
    ]
    parts += [_training(report), _chain(report), _made_from(report), _repeat(report)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(report: Mapping[str, Any]) -> str:
    verdict, run = report["verdict"], report["run"]
    return (
        f"# {verdict['title']}\n\n"
        f"**{plain(verdict['sentence'])}**\n\n"
        f"Rule: {verdict['rule']}\n\n"
        f"Run `{run['id']}`, {run['state']} after {run['step']} of {run['total']} steps"
        f" in {seconds(run['seconds'])}."
    )


def _suites(report: Mapping[str, Any]) -> str:
    """All suites by the measure that counts most, and what they let one claim."""
    said = [f"- {plain(each)}" for each in sentences(report)] if report["suites"] else []
    if not said:
        return ""
    lines = ["## All suites", "", "| " + " | ".join(HEADS) + " |", "| --- |" + " ---: |" * (len(HEADS) - 1)]
    lines += ["| " + " | ".join((plain(row[0]), *row[1:])) + " |" for row in headline_rows(report)]
    return "\n".join([*lines, "", *said, "", f"What it took: {plain(cost_sentence(report))}"])


def _method(report: Mapping[str, Any]) -> str:
    method = report["method"]
    before = before_sentences(report)
    if method["name"] == "sft" and not before:
        return ""
    lines = [f"## Method: {method['name']}, {method['title']}", "", method["does"]]
    lines += ["", *(f"- {plain(each)}" for each in before)] if before else []
    if rows := figure_rows(method):
        lines += ["", "| | measured on | start | end |", "| --- | --- | ---: | ---: |"]
        lines += [f"| {plain(title)} | {where} | {start} | {end} |" for title, where, start, end in rows]
        lines += [
            "",
            *(f"- {plain(each['title'])}: {each['text']}" for each in method["figures"] if each["text"]),
        ]
    return "\n".join(lines)


def _figures(report: Mapping[str, Any]) -> str:
    summary = report["evaluation"]
    if not report["method"]["answers"]:
        return f"## Evaluation\n\n{NO_ANSWERS}"
    if summary is None or not summary["arms"]:
        return f"## Evaluation\n\nNot evaluated yet: `tuner eval {report['run']['id']}`."
    arms = in_order(summary["arms"])
    lines = [
        "## Evaluation",
        "",
        f"{summary['items']} held-out items, the same for every column; greedy decoding. In brackets: the "
        "95% "
        "interval (Wilson).",
        "",
        "| | " + " | ".join(ARM_TITLES[arm] for arm in arms) + " |",
        "| --- |" + " ---: |" * len(arms),
    ]
    for measure, title in MEASURE_TITLES.items():
        cells = []
        for arm in arms:
            rate = summary["arms"][arm][measure]
            count = f" ({rate['count']}/{rate['total']})" if rate["total"] else ""
            cells.append(f"{percent(rate)}{count}")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    for comparison in _comparisons(summary):
        lines += ["", comparison]
    return "\n".join(lines)


def _comparisons(summary: Mapping[str, Any]) -> list[str]:
    """A sentence for each base that the tuned model is compared with."""
    sentences = []
    pairs = {"base": summary["comparison"], summary["best_prompt"]: summary["comparison_best"]}
    for base, comparison in pairs.items():
        if change := comparison.get("full_match"):
            low, high = change["interval"]
            sentences.append(
                f"Tuned against {ARM_TITLES[base].lower()}: {points(change['delta'])} percentage points of "
                "calls "
                f"exactly right [{points(low)} to {points(high)}], {change['fixed']} fixed and "
                f"{change['broken']} broken of {change['pairs']} items, {p_value(change['p_value'])} "
                "(exact McNemar; interval: paired bootstrap)."
            )
    return sentences


def _errors(report: Mapping[str, Any]) -> str:
    summary = report["evaluation"]
    if summary is None:
        return ""
    arms = in_order(summary["arms"])
    types = [t for t in ERROR_TYPES if any(summary["arms"][arm]["errors"].get(t) for arm in arms)]
    if not types:
        return ""
    lines = [
        "## What went wrong",
        "",
        "| Error | " + " | ".join(ARM_TITLES[arm] for arm in arms) + " | The model … |",
        "| --- |" + " ---: |" * len(arms) + " --- |",
    ]
    for type in types:
        counts = " | ".join(str(summary["arms"][arm]["errors"].get(type, 0)) for arm in arms)
        lines.append(f"| {type.replace('_', ' ')} | {counts} | {ERROR_TYPES[type]} |")
    return "\n".join(lines)


def _changed(report: Mapping[str, Any]) -> str:
    changed = report["changed"]
    if not changed:
        return ""
    fixed = sum(each["direction"] == "fixed" for each in changed)
    lines = [
        "## What changed",
        "",
        f"Plain prompt against tuned model: {fixed} fixed, {len(changed) - fixed} broken.",
    ]
    for each in changed[:_CHANGED]:
        lines += [
            "",
            f"**{each['direction'].capitalize()}**, item {code(each['id'])}: {code(each['request'])}",
            "",
            f"- right: {code(said({'calls': each['gold'], 'text': 'no call'}))}",
            f"- before: {code(said(each['before']))}{_kind(each['before'])}",
            f"- after: {code(said(each['after']))}{_kind(each['after'])}",
        ]
    if len(changed) > _CHANGED:
        lines += ["", f"{len(changed) - _CHANGED} more are in report.json."]
    return "\n".join(lines)


def _kind(side: Mapping[str, Any]) -> str:
    return f" ({side['error'].replace('_', ' ')})" if side["error"] else ""


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
    drawn = [
        f"{name:<20}{values[0]:8.3f}  {sparkline(values)}  {values[-1]:.3f}"
        for name, values in drawn_curves(training)
    ]
    if drawn:
        lines += ["", "```text", *drawn, "```"]
    facts = _facts(training)
    if facts:
        lines += ["", ", ".join(facts) + "."]
    return "\n".join(lines)


def _facts(training: Mapping[str, Any]) -> list[str]:
    facts = []
    if training["tokens"]:
        facts.append(f"{training['tokens']:,.0f} tokens")
    if training["tokens_per_second"]:
        facts.append(f"{training['tokens_per_second']:,.0f} tokens per second")
    if training["peak_memory"]:
        facts.append(f"{training['peak_memory'] / 1e9:.2f} GB of memory at most")
    if training["verdict"]["best_step"] is not None:
        facts.append(f"lowest eval loss at step {training['verdict']['best_step']}")
    return facts


def _chain(report: Mapping[str, Any]) -> str:
    """The runs of the plan that came before this one."""
    if not report.get("chain"):
        return ""
    first, *rest = chain_lines(report["chain"])
    return "\n".join(["## The steps before", "", plain(first), "", *(f"- {plain(line)}" for line in rest)])


def _made_from(report: Mapping[str, Any]) -> str:
    lines = ["## What it was made from", "", f"- base model: {code(str(report['model'].get('name')))}"]
    lines += [
        f"- data: {code(str(file.get('path')))}, SHA-256 `{str(file.get('sha256'))[:16]}…`"
        for file in report["data"]["train"]
    ]
    if heldout := report["data"]["heldout"]:
        lines.append(f"- held-out items: {code(heldout)}")
    name = report["method"]["name"]
    for section in ("quantization", "lora", "preference", "reward", "ppo", "grpo", "optimization", "launch"):
        if not applies(section, name):
            continue
        values = report["config"].get(section) or {}
        shown = ", ".join(f"{key} {value}" for key, value in values.items() if value is not None)
        if shown:
            lines.append(f"- {section}: {code(shown)}")
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items() if version)
    return "\n".join([*lines, f"- versions: {versions}"])


def _repeat(report: Mapping[str, Any]) -> str:
    commands = "\n".join(visible(command, one_line=True) for command in report["repeat"])
    return f"## How to repeat it\n\n```sh\n{commands}\n```"


def code(text: str) -> str:
    """Hostile text as a code span: its own backticks can't end it."""
    shown = visible(text, one_line=True, limit=300)
    longest, run = 0, 0
    for character in shown:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def plain(text: str) -> str:
    """A sentence that may quote an error message: nothing in it is Markdown or HTML."""
    return "".join(f"\\{c}" if c in r"\`*_[]<>|#" else c for c in visible(text, one_line=True))
