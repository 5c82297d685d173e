"""A run directory -> the report as data. Reads files only; whatever is missing is left out, not guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from tuner_tui.errors import UserError
from tuner_tui.report.card import model_card
from tuner_tui.report.chain import steps_before
from tuner_tui.report.cost import cost_section
from tuner_tui.report.html import render as render_html
from tuner_tui.report.markdown import render
from tuner_tui.report.methods import method_section
from tuner_tui.report.repeat import commands
from tuner_tui.report.suites import not_measured, read_suites
from tuner_tui.report.training import examples as rows_used
from tuner_tui.report.training import training_section
from tuner_tui.report.verdict import decide, decide_reward
from tuner_tui.runs import files
from tuner_tui.runs import layout as runs_layout
from tuner_tui.runs.layout import Status
from tuner_tui.runs.reader import RunReader, read_metrics, read_status

SCHEMA_VERSION = 2
MARKDOWN = "report.md"
JSON = "report.json"
HTML = "report.html"
CARD = "model_card.md"


def build_report(run_dir: Path) -> dict[str, Any]:
    """Everything that the report says, as one JSON object.

    Keys: `verdict` (see `verdict.Verdict`), `run`, `model`, `data`, `config`, `method` (see
    `methods.method_section`), `chain` (None outside one), `training`, `suites` (see `suites.read_suites`),
    `not_measured`, `cost` (see `cost.cost_section`), `versions` of training, `evaluated_with` (versions that
    training did not have), `host`, `repeat` (commands), `files`.

    Raises:
        UserError: this is no readable run.
    """
    status = read_status(run_dir)
    reader = RunReader(run_dir)
    manifest = reader.manifest()
    config = _config(reader)
    records = read_metrics(run_dir)
    events = reader.poll_events()
    suites = read_suites(run_dir)
    examples = rows_used(events)
    held_out = (examples["evaluation"] or {}).get("examples")
    method = method_section(run_dir, config, records, held_out)
    if method["answers"]:
        verdict = decide(run_dir.name, status, suites)
    else:
        verdict = decide_reward(run_dir.name, status, method["accuracy"])
    versions = {
        "tuner": manifest.get("tuner"),
        "python": manifest.get("python"),
        **(manifest.get("packages") or {}),
    }
    run, training = _run(run_dir, status, manifest), training_section(status, records, method["name"])
    return {
        "schema": SCHEMA_VERSION,
        "verdict": {**asdict(verdict), "title": verdict.title},
        "run": run,
        "model": manifest.get("model") or {"name": (config.get("model") or {}).get("name")},
        "data": {
            "train": manifest.get("data") or [],
            "examples": examples["training"],
            "held_out_examples": examples["evaluation"],
        },
        "config": config,
        "method": method,
        "chain": steps_before(manifest),
        "training": training,
        "suites": suites,
        "not_measured": not_measured(suites) if method["answers"] else [],
        "cost": cost_section(run, training, suites, manifest, events),
        "versions": versions,
        "evaluated_with": _others(suites, versions),
        "host": manifest.get("host") or {},
        "repeat": commands(run_dir, suites),
        "files": _files(run_dir),
    }


def write_report(run_dir: Path) -> dict[str, Any]:
    """Build the report, and write `report.md`, `report.html`, `report.json` and, when the run has made
    something, `model_card.md` into the run directory.

    Raises:
        UserError: this is no readable run, or its folder cannot be written.
    """
    report = build_report(run_dir)
    try:
        files.write_atomic(run_dir / MARKDOWN, render(report).encode())
        files.write_atomic(run_dir / HTML, render_html(report).encode())
        files.write_json(run_dir / JSON, report)
        if result_folder(run_dir) is not None:
            files.write_atomic(run_dir / CARD, model_card(report).encode())
    except OSError as error:
        raise UserError(f"cannot write the report into {run_dir}: {error.strerror}.") from error
    return report


def _others(suites: Sequence[Mapping[str, Any]], versions: Mapping[str, Any]) -> dict[str, str]:
    """Packages of the evaluations that training did without, or had in another version."""
    known = {**versions, "tuner-tui": versions["tuner"]}
    found = {name: version for suite in suites for name, version in suite["versions"].items()}
    return {name: version for name, version in found.items() if known.get(name) != version}


def result_folder(run_dir: Path) -> Path | None:
    """What the run has made: its adapter, or the model when every weight was trained; None before that."""
    made = (run_dir / name for name in (runs_layout.ADAPTER, runs_layout.MODEL))
    return next((folder for folder in made if folder.is_dir()), None)


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


def _files(run_dir: Path) -> dict[str, str]:
    names = (
        runs_layout.CONFIG,
        runs_layout.MANIFEST,
        runs_layout.METRICS,
        runs_layout.LOG,
        runs_layout.ADAPTER,
        runs_layout.MODEL,
        runs_layout.EVALUATIONS,
    )
    return {name: str(run_dir / name) for name in names if (run_dir / name).exists()}
