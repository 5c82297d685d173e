"""The section of a report that names the runs of the chain before this one: one plan, one report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.runs.reader import read_metrics, read_status

_SHOWN = ("eval_loss", "eval_accuracy", "eval_rewards/accuracies", "eval_reward", "loss")
"""What says most of a run, the best first; a run shows the first that it has."""


def steps_before(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """The chain of a run, and of each earlier run how it ended and what came of it; None outside a chain."""
    chain = manifest.get("chain")
    if not isinstance(chain, dict):
        return None
    before = [_step(step) for step in chain.get("before") or []]
    return {key: chain.get(key) for key in ("id", "name", "step", "number", "of")} | {"before": before}


def lines(chain: Mapping[str, Any]) -> list[str]:
    """A sentence on the chain, and one for each run before."""
    said = [f"Step {chain['number']} of {chain['of']} ({chain['step']}) of the chain {chain['id']}."]
    said += [_sentence(step) for step in chain["before"]]
    return said


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    run_dir = Path(str(step["run"]))
    found: dict[str, Any] = {"name": step["name"], "method": step["method"], "run": run_dir.name}
    try:
        status = read_status(run_dir)
    except UserError:
        return {**found, "state": "deleted", "steps": None, "seconds": None, "metric": None}
    ended = status.ended - status.started if status.ended and status.started else None
    return {
        **found,
        "state": str(status.state),
        "steps": status.step,
        "seconds": round(ended, 1) if ended else None,
        "metric": _metric(read_metrics(run_dir)),
    }


def _metric(records: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    for name in _SHOWN:
        values = [record[name] for record in records if isinstance(record.get(name), int | float)]
        if values:
            return {"name": name, "first": values[0], "last": values[-1]}
    return None


def _sentence(step: Mapping[str, Any]) -> str:
    text = f"{step['name']}: {step['method']}, run {step['run']}, {step['state']}"
    if step["steps"] is not None:
        text += f" after {step['steps']} steps"
    if metric := step["metric"]:
        text += f"; {metric['name']} {metric['first']:.4g}"
        if metric["last"] != metric["first"]:
            text += f" → {metric['last']:.4g}"
    return f"{text}."
