"""Stored items of all arms -> `summary.json`."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tuner_tui.evaluation import layout
from tuner_tui.evaluation.arms import ARMS
from tuner_tui.evaluation.compare import MEASURES, best_prompt, difference, outcome
from tuner_tui.evaluation.layout import Request
from tuner_tui.evaluation.progress import load_items
from tuner_tui.evaluation.shapes import Difference, Summary
from tuner_tui.evaluation.tasks import Task
from tuner_tui.runs import files

_PACKAGES = ("tuner-tui", "torch", "transformers", "peft", "bitsandbytes", "trl")


def write_summary(eval_dir: Path, request: Request, task: Task) -> Summary:
    """Count what lies in the folder, for every arm whose items are complete, and write it down."""
    wanted = {item.id for item in task.items}
    items = {arm: load_items(eval_dir, arm) for arm in ARMS}
    items = {arm: found for arm, found in items.items() if {item["id"] for item in found} >= wanted}
    arms = {arm: outcome(found) for arm, found in items.items()}
    best = best_prompt(arms)

    def against(base: str | None) -> dict[str, Difference]:
        if base not in items or "tuned" not in items:
            return {}
        return {
            measure: difference(items[base], items["tuned"], measure, (base, "tuned")) for measure in MEASURES
        }

    summary: Summary = {
        "schema": layout.SCHEMA_VERSION,
        "suite": request.suite,
        "heldout": str(request.heldout),
        "model": request.name,
        "items": len(task.items),
        "rejected": task.rejected,
        "arms": arms,
        "best_prompt": best,
        "comparison": against("base"),
        "comparison_best": against(best),
        "seconds": {arm: round(sum(item["seconds"] for item in found), 2) for arm, found in items.items()},
        "settings": {
            "bits": request.bits,
            "double": request.double,
            "dtype": request.dtype,
            "batch": request.batch,
            "max_new_tokens": request.max_new_tokens,
            "decoding": "greedy",
        },
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }
    files.write_json(eval_dir / layout.SUMMARY, summary)
    return summary


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
