"""The model card: README.md of an adapter in the hub's format, written from the report.

The front matter follows https://huggingface.co/docs/hub/model-cards: `base_model`, `library_name`, `tags`,
and `model-index` with the figures.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from tuner_tui.report import figures
from tuner_tui.report.cost import cost_lines
from tuner_tui.report.markup import code, fence, plain, table
from tuner_tui.report.suites import row_of
from tuner_tui.report.text import version_lines, within
from tuner_tui.visible import visible


def model_card(report: Mapping[str, Any], *, merged: bool | None = None) -> str:
    """The card of what a run made. Figures are the report's; what was not measured is named.

    Args:
        merged: whether it is of a whole model and not of an adapter; by default, what the run has made.
    """
    base = str(report["model"].get("name") or "unknown")
    method = report["method"]
    if merged is None:
        merged = not (report["config"].get("lora") or {}).get("enabled", True)
    named = f"{method['name']} ({method['title']})" if method["title"] else method["name"]
    lines = [
        f"# {plain(str(report['run']['name']))}",
        "",
        f"{'A model made' if merged else 'A PEFT adapter trained'} from {code(base)} with {named}.",
        "",
        f"**{report['verdict']['title']}.** {plain(report['verdict']['sentence'])}",
        "",
        *_evaluation(report),
        *_training(report),
        "## Limits",
        "",
        *(f"- {plain(each)}" for each in _limits(report)),
        "",
        "## How to load it",
        "",
        fence("\n".join(_loading(base, merged)), "python"),
        *_began_with(report, merged),
        "",
        "## How to repeat it",
        "",
        fence("\n".join(visible(command, one_line=True) for command in report["repeat"]), "sh"),
    ]
    return f"---\n{_front_matter(report, base, merged)}---\n\n" + "\n".join(lines) + "\n"


def _front_matter(report: Mapping[str, Any], base: str, merged: bool) -> str:
    method = report["method"]["name"]
    results = [
        {
            "task": {"type": "text-generation", "name": "Tool calling"},
            "dataset": {"name": suite["title"], "type": suite["name"]},
            "metrics": [
                {"type": row["name"], "name": row["title"], "value": row["tuned"]["rate"]}
                for row in suite["rows"]
                if row["tuned"] and row["tuned"]["rate"] is not None
            ],
        }
        for suite in report["suites"]
    ]
    results = [each for each in results if each["metrics"]]
    lora = (report["config"].get("lora") or {}).get("enabled", True)
    head: dict[str, Any] = {
        "base_model": base,
        "library_name": "transformers" if merged or not lora else "peft",
        "pipeline_tag": "text-generation",
        "tags": ["function-calling", "tool-use", "trl", method, *(["lora"] if lora else [])],
    }
    if results:
        head["model-index"] = [{"name": report["run"]["name"], "results": results}]
    return yaml.safe_dump(head, sort_keys=False)  # in ASCII: what could hide or reorder text is escaped


def _evaluation(report: Mapping[str, Any]) -> list[str]:
    lines = ["## Evaluation", ""]
    if not report["suites"]:
        return [*lines, "Not evaluated.", ""]
    rows = []
    for suite in report["suites"]:
        _, *cells = figures.figure_rows(suite)[0]
        rows.append((plain(f"{suite['title']}: {within(row_of(suite)['title'])}"), *cells))
    kept = [row for suite in report["suites"] for row in figures.kept_rows(suite)]
    return [
        *lines,
        *(f"- {plain(each)}" for each in figures.claims(report)),
        "",
        *table(figures.HEADS, rows),
        "",
        figures.READING,
        "",
        *([*table(figures.KEPT_HEADS, [tuple(map(plain, row)) for row in kept]), ""] if kept else []),
    ]


def _training(report: Mapping[str, Any]) -> list[str]:
    lines = ["## Training", ""]
    lines += [
        f"- data: {code(str(file.get('path')))}, SHA-256 {code(str(file.get('sha256')))}"
        for file in report["data"]["train"]
    ]
    examples = report["data"]["examples"]
    if examples and examples.get("examples"):
        lines.append(f"- examples: {examples['examples']:,}")
    for section in ("model", "quantization", "lora", "optimization"):
        values = report["config"].get(section) or {}
        shown = ", ".join(f"{key} {value}" for key, value in values.items() if value is not None)
        if shown:
            lines.append(f"- {section}: {code(shown)}")
    lines += [f"- {what.lower()}: {plain(versions)}" for what, versions in version_lines(report)]
    lines += [f"- {what.lower()}: {plain(amount)}" for what, amount in cost_lines(report["cost"])]
    return [*lines, ""]


def _limits(report: Mapping[str, Any]) -> list[str]:
    limits = [
        "The figures hold for the items that were measured, with greedy decoding and the plain prompt; other "
        "requests, tools and languages were not tried.",
        "Tool calls are text of a model: check them against the tool's schema before anything is executed.",
    ]
    limits += [f"{suite['title']}: {note}" for suite in report["suites"] for note in suite["notes"]]
    for suite in report["suites"]:
        wrong = row_of(suite)["tuned"]
        if wrong and wrong["total"]:
            left = wrong["total"] - wrong["count"]
            limits.append(f"{suite['title']}: {left} of {wrong['total']} items are still wrong.")
    if report["not_measured"]:
        limits.append(f"Not measured: {'; '.join(each['title'] for each in report['not_measured'])}.")
    return limits


def _began_with(report: Mapping[str, Any], merged: bool) -> list[str]:
    """An adapter that was trained on an earlier one does not go with the plain base."""
    earlier = [each for each in report["method"]["before"] if each["role"] == "began with"]
    if merged or not earlier:
        return []
    run = code(str(earlier[0]["run"]))
    return [
        "",
        f"The base of this adapter is that model with the adapter of run {run} merged into it: merge that "
        "first, or take what `tuner export --merged` makes.",
    ]


def _loading(base: str, merged: bool) -> list[str]:
    """Python that loads it; the embedded model has its place in the package."""
    if merged:
        return [
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            "",
            'model = AutoModelForCausalLM.from_pretrained("PATH")  # the folder of the model',
            'tokenizer = AutoTokenizer.from_pretrained("PATH")',
        ]
    embedded = base == "embedded"
    place = "paths.embedded_model()" if embedded else visible(repr(base), one_line=True)
    return [
        "from peft import PeftModel",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        *(["from tuner_tui import paths"] if embedded else []),
        "",
        f"base = AutoModelForCausalLM.from_pretrained({place})",
        'model = PeftModel.from_pretrained(base, "PATH")  # the folder of the adapter',
        f"tokenizer = AutoTokenizer.from_pretrained({place})",
    ]
