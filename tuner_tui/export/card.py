"""The model card: README.md of an adapter in the hub's format, written from the report.

The front matter follows https://huggingface.co/docs/hub/model-cards: `base_model`, `library_name`, `tags`,
and `model-index` with the figures.
"""

from collections.abc import Mapping
from typing import Any, Literal

import yaml

from tuner_tui.report.markdown import code, plain
from tuner_tui.report.suite_text import HEADS, cost_sentence, headline_rows, sentences
from tuner_tui.report.suites import row_of
from tuner_tui.visible import visible

Kind = Literal["adapter", "merged"]


def model_card(report: Mapping[str, Any], kind: Kind = "adapter") -> str:
    """The card of what a run made. Figures are the report's; what was not measured is named."""
    base = str(report["model"].get("name") or "unknown")
    method = report["method"]
    merged = kind == "merged"
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
        "```python",
        *_loading(base, merged),
        "```",
        "",
        "## How to repeat it",
        "",
        "```sh",
        *(visible(command, one_line=True) for command in report["repeat"]),
        "```",
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
    lines += [
        "In brackets: the 95% interval (Wilson). Change: percentage points against the best prompt. p: exact",
        "McNemar on the same items, after Holm over the suites.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "| --- |" + " ---: |" * (len(HEADS) - 1),
    ]
    lines += ["| " + " | ".join((plain(row[0]), *row[1:])) + " |" for row in headline_rows(report)]
    return [*lines, "", *(f"- {plain(each)}" for each in sentences(report)), ""]


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
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items() if version)
    return [*lines, f"- versions: {plain(versions)}", f"- cost: {plain(cost_sentence(report))}", ""]


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


def _loading(base: str, merged: bool) -> list[str]:
    if merged:
        return [
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            "",
            'model = AutoModelForCausalLM.from_pretrained("PATH")  # the folder of this card',
            'tokenizer = AutoTokenizer.from_pretrained("PATH")',
        ]
    return [
        "from peft import AutoPeftModelForCausalLM",
        "from transformers import AutoTokenizer",
        "",
        'model = AutoPeftModelForCausalLM.from_pretrained("PATH")  # the folder of this card',
        f"tokenizer = AutoTokenizer.from_pretrained({visible(repr(base), one_line=True)})",
    ]
