"""What a report says of the training itself: its verdict, curves, tokens and memory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tuner_tui.evaluation.convergence import training_checks
from tuner_tui.evaluation.method_verdicts import method_verdict
from tuner_tui.runs.layout import Status
from tuner_tui.runs.metric_names import EVAL, charts, note

_CURVE_POINTS = 60
"""Points of a loss curve that the report keeps: what a line of text can show."""


def training_section(status: Status, records: list[dict[str, Any]], method: str) -> dict[str, Any]:
    """Figures of the training from its metric records."""
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


def examples(events: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any] | None]:
    """How many examples, and tokens, were trained on and held out, as the trainer told."""
    found: dict[str, dict[str, Any] | None] = {"training": None, "evaluation": None}
    for event in events:
        if event.get("code") == "data" and event.get("use") in found:
            found[event["use"]] = {key: event.get(key) for key in ("examples", "tokens")}
    return found
