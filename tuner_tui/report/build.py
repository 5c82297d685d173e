"""A run directory -> the report as data. Reads files only; whatever is missing is left out, not guessed."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from tuner_tui.errors import UserError
from tuner_tui.evaluation.compare import changed_items
from tuner_tui.evaluation.convergence import training_checks
from tuner_tui.evaluation.layout import heldout_dir
from tuner_tui.evaluation.method_verdicts import method_verdict
from tuner_tui.evaluation.progress import load_items, load_summary
from tuner_tui.evaluation.shapes import Summary
from tuner_tui.report.chain import steps_before
from tuner_tui.report.markdown import render
from tuner_tui.report.methods import method_section
from tuner_tui.report.verdict import decide, decide_reward
from tuner_tui.runs import files
from tuner_tui.runs import layout as runs_layout
from tuner_tui.runs.layout import Status
from tuner_tui.runs.metric_names import EVAL, charts, note
from tuner_tui.runs.reader import RunReader, read_metrics, read_status

SCHEMA_VERSION = 1
MARKDOWN = "report.md"
JSON = "report.json"

_CURVE_POINTS = 60
"""Points of a loss curve that the report keeps: what a line of text can show."""


def build_report(run_dir: Path) -> dict[str, Any]:
    """Everything that the report says, as one JSON object.

    Keys: `verdict`, `run`, `model`, `data`, `config`, `method` (see `methods.method_section`), `chain` (None
    outside one), `training`, `evaluation` (the summary, None before there is one), `changed`, `versions`,
    `repeat` (commands), `files`.

    Raises:
        UserError: this is no readable run.
    """
    status = read_status(run_dir)
    reader = RunReader(run_dir)
    manifest = reader.manifest()
    config = _config(reader)
    records = read_metrics(run_dir)
    eval_dir = heldout_dir(run_dir)
    summary = load_summary(eval_dir)
    examples = _examples(reader)
    held_out = (examples["evaluation"] or {}).get("examples")
    method = method_section(run_dir, config, records, held_out)
    verdict = decide(status, summary) if method["answers"] else decide_reward(status, method["accuracy"])
    return {
        "schema": SCHEMA_VERSION,
        "verdict": {**asdict(verdict), "title": verdict.title},
        "run": _run(run_dir, status, manifest),
        "model": manifest.get("model") or {"name": (config.get("model") or {}).get("name")},
        "data": {
            "train": manifest.get("data") or [],
            "examples": examples["training"],
            "held_out_examples": examples["evaluation"],
            "heldout": summary["heldout"] if summary else None,
        },
        "config": config,
        "method": method,
        "chain": steps_before(manifest),
        "training": _training(status, records, method["name"]),
        "evaluation": summary,
        "changed": _changed(eval_dir, summary),
        "versions": {
            "tuner": manifest.get("tuner"),
            "python": manifest.get("python"),
            **(manifest.get("packages") or {}),
        },
        "host": manifest.get("host") or {},
        "repeat": _repeat(run_dir, summary),
        "files": _files(run_dir),
    }


def write_report(run_dir: Path) -> dict[str, Any]:
    """Build the report, and write `report.md` and `report.json` into the run directory.

    Raises:
        UserError: this is no readable run, or its folder cannot be written.
    """
    report = build_report(run_dir)
    try:
        files.write_atomic(run_dir / MARKDOWN, render(report).encode())
        files.write_json(run_dir / JSON, report)
    except OSError as error:
        raise UserError(f"cannot write the report into {run_dir}: {error.strerror}.") from error
    return report


def _config(reader: RunReader) -> dict[str, Any]:
    """The configuration as it is written; the report of an old run must not fail for a field that has "
    "gone."""
    try:
        value = yaml.safe_load(reader.config_text())
    except (UserError, yaml.YAMLError):
        return {}
    return value if isinstance(value, dict) else {}


def _run(run_dir: Path, status: Status, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": run_dir.name,
        "name": manifest.get("name") or run_dir.name,
        "created": manifest.get("created"),
        "state": str(status.state),
        "step": status.step,
        "total": status.total,
        "reason": status.reason,
        "seconds": round(status.ended - status.started, 1) if status.ended and status.started else None,
    }


def _training(status: Status, records: list[dict[str, Any]], method: str) -> dict[str, Any]:
    loss, held = _curve(records, "loss"), _curve(records, "eval_loss")

    def last(name: str) -> Any:
        return next((r[name] for r in reversed(records) if r.get(name) is not None), None)

    def highest(name: str) -> Any:
        return max((r[name] for r in records if r.get(name) is not None), default=None)

    return {
        "steps": status.step,
        "verdict": asdict(method_verdict(method, records)),
        "checks": [asdict(check) for check in training_checks(records)] if method == "sft" else [],
        "curves": _curves(records, method),
        "loss": loss,
        "eval_loss": held,
        "first_loss": loss["values"][0] if loss["values"] else None,
        "last_loss": loss["values"][-1] if loss["values"] else None,
        "best_eval_loss": min(held["values"], default=None),
        "tokens": last("num_tokens"),
        "tokens_per_second": last("tokens_per_second"),
        "peak_memory": highest("memory_allocated"),
    }


def _curves(records: list[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    """The curve that tells most about the method, and the loss: in training, and on held-out rows."""
    found = []
    for name in dict.fromkeys((charts(method, ())[0], "loss")):
        train, held = _curve(records, name), _curve(records, EVAL + name)
        if train["values"] or held["values"]:
            found.append({"name": name, "title": note(name).title, "train": train, "held_out": held})
    return found


def _curve(records: list[dict[str, Any]], name: str) -> dict[str, list[Any]]:
    """Evenly chosen points of one series, with its first and its last."""
    points = [(r["step"], r[name]) for r in records if r.get(name) is not None]
    if len(points) > _CURVE_POINTS:
        last = len(points) - 1
        points = [points[round(i * last / (_CURVE_POINTS - 1))] for i in range(_CURVE_POINTS)]
    return {"steps": [step for step, _ in points], "values": [value for _, value in points]}


def _changed(eval_dir: Path, summary: Summary | None) -> list[dict[str, Any]]:
    """What changed between the plain prompt and the tuned model, reduced to what a reader compares."""
    if summary is None or not {"base", "tuned"} <= summary["arms"].keys():
        return []

    def side(item: dict[str, Any]) -> dict[str, Any]:
        return {"text": item["text"], "calls": item["calls"], "error": item["error"]}

    return [
        {
            "id": each.id,
            "direction": each.direction,
            "request": each.request,
            "gold": each.gold,
            "before": side(each.before),
            "after": side(each.after),
        }
        for each in changed_items(load_items(eval_dir, "base"), load_items(eval_dir, "tuned"))
    ]


def _examples(reader: RunReader) -> dict[str, dict[str, Any] | None]:
    """How many examples, and tokens, were trained on and held out, as the trainer told."""
    found: dict[str, dict[str, Any] | None] = {"training": None, "evaluation": None}
    for event in reader.poll_events():
        if event.get("code") == "data" and event.get("use") in found:
            found[event["use"]] = {key: event.get(key) for key in ("examples", "tokens")}
    return found


def _repeat(run_dir: Path, summary: Summary | None) -> list[str]:
    commands = [f"tuner train {run_dir / runs_layout.CONFIG}"]
    if summary is not None:
        commands.append(f"tuner eval RUN --data {summary['heldout']}")
    return commands


def _files(run_dir: Path) -> dict[str, str]:
    names = (
        runs_layout.CONFIG,
        runs_layout.MANIFEST,
        runs_layout.METRICS,
        runs_layout.LOG,
        runs_layout.ADAPTER,
        runs_layout.MODEL,
        "eval/heldout",
    )
    return {name: str(run_dir / name) for name in names if (run_dir / name).exists()}
