"""What a report says about the method of a run: its own figures, and the runs that it is built on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tuner_tui.evaluation.method_verdicts import start_and_end
from tuner_tui.evaluation.statistics import rate
from tuner_tui.runs import layout
from tuner_tui.runs.metric_names import EVAL, note
from tuner_tui.training.method_notes import NOTES

_FIGURES: Mapping[str, tuple[str, ...]] = {
    "dpo": ("rewards/accuracies", "rewards/margins", "rewards/chosen", "loss"),
    "kto": ("rewards/margins", "rewards/chosen", "rewards/rejected", "loss"),
    "reward": ("accuracy", "margin", "loss"),
    "ppo": ("reward", "kl", "clip_fraction", "entropy", "eos_rate", "response_length"),
    "grpo": ("reward", "rewards/", "kl", "clip_ratio/region_mean", "entropy", "completions/mean_length"),
    "rloo": ("reward", "rewards/", "kl", "clip_ratio/region_mean", "entropy", "completions/mean_length"),
}
_DEEPEST = 8
"""Runs under a run that are named; a longer chain is a circle."""


def method_section(
    run_dir: Path, config: Mapping[str, Any], records: Sequence[Mapping[str, Any]], held_out: int | None
) -> dict[str, Any]:
    """The figures of a method, from the first to the last value.

    Args:
        config: the run's configuration as it is written.
        records: its metric records.
        held_out: rows that were held out, if it is known how many.

    Returns:
        `name`, `title`, `does`; `figures`, each with `name`, `title`, `text`, `form`, `held_out` (whether it
        is of rows that were never trained on), `start` and `end`; `accuracy`, of a reward model or of dpo on
        held-out pairs, as a rate with its interval, else None; `answers`, whether what was trained can
        answer; `before`, the runs that this one is built on.
    """
    method = str(config.get("method") or "sft")
    known = NOTES.get(method)  # type: ignore[call-overload]
    return {
        "name": method,
        "title": known.title if known else method,
        "does": known.does if known else "",
        "figures": figures(method, records),
        "accuracy": _accuracy(method, records, held_out),
        "answers": method != "reward",
        "before": runs_before(run_dir, config),
    }


def figures(method: str, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The method's own figures; held-out values where there are any, else those of training."""
    present = {name for record in records for name in record}
    found = []
    for wanted in _FIGURES.get(method, ()):
        names = [wanted]
        if wanted.endswith("/"):
            plain = {name.removeprefix(EVAL) for name in present}
            names = sorted(name for name in plain if name.startswith(wanted) and name.endswith("/mean"))
        for name in names:
            for each in (EVAL + name, name):
                if (ends := start_and_end(records, each)) is not None:
                    about = note(name)
                    found.append(
                        {
                            "name": each,
                            "title": about.title,
                            "text": about.text,
                            "form": about.form,
                            "held_out": each.startswith(EVAL),
                            "start": ends[0],
                            "end": ends[1],
                        }
                    )
                    break
    return found


def runs_before(run_dir: Path, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The runs whose results this one is built on, the nearest first: `run`, `role` and `method` of each.

    `role` is "began with" (its adapter was merged into the base) or "judged by" (its reward model).
    """
    found: list[dict[str, Any]] = []
    seen = {run_dir.absolute()}
    left = [config]
    while left and len(found) < _DEEPEST:
        current = left.pop(0)
        for section, field, role in (
            ("model", "adapter", "began with"),
            ("ppo", "reward_model", "judged by"),
        ):
            place = (current.get(section) or {}).get(field)
            if not isinstance(place, str):
                continue
            folder = Path(place)
            earlier = folder.parent if folder.name in (layout.ADAPTER, layout.MODEL) else folder
            if earlier in seen:
                continue
            seen.add(earlier)
            its = _config(earlier)
            found.append(
                {"run": earlier.name, "role": role, "method": its.get("method"), "path": str(earlier)}
            )
            left.append(its)
    return found


def _accuracy(
    method: str, records: Sequence[Mapping[str, Any]], held_out: int | None
) -> dict[str, Any] | None:
    name = {"dpo": "rewards/accuracies", "reward": "accuracy"}.get(method)
    ends = start_and_end(records, EVAL + name) if name else None
    if ends is None or not held_out:
        return None
    return dict(rate(min(held_out, max(0, round(ends[1] * held_out))), held_out))


def _config(run_dir: Path) -> dict[str, Any]:
    try:
        value = yaml.safe_load((run_dir / layout.CONFIG).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return value if isinstance(value, dict) else {}
