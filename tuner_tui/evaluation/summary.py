"""Stored items of all arms -> `summary.json`."""

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tuner_tui.evaluation import layout
from tuner_tui.evaluation.compare import best_prompt, by_category, by_category_difference, difference, outcome
from tuner_tui.evaluation.counted import numbers
from tuner_tui.evaluation.layout import Request
from tuner_tui.evaluation.lines import ENGINE_ERRORS, UNJUDGED
from tuner_tui.evaluation.overlap import checked_overlap
from tuner_tui.evaluation.progress import load_items, stored_arms
from tuner_tui.evaluation.shapes import Difference, Kept, Summary
from tuner_tui.evaluation.statistics import detectable_clustered, detectable_difference
from tuner_tui.evaluation.tasks import Item, Task
from tuner_tui.runs import files

_PACKAGES = ("tuner-tui", "torch", "transformers", "peft", "bitsandbytes", "trl", "bfcl-eval", "lm-eval")

Stored = Sequence[Mapping[str, Any]]


def write_summary(eval_dir: Path, request: Request, task: Task) -> Summary:
    """Count what lies in the folder, for every arm whose items are complete, and write it down."""
    wanted = {item.id for item in task.items}
    items: dict[str, Stored] = {arm: load_items(eval_dir, arm) for arm in stored_arms(eval_dir)}
    items = {arm: found for arm, found in items.items() if {item["id"] for item in found} >= wanted}
    measures = [measure.name for measure in task.measures]
    arms = {arm: outcome(found, measures, task.error_types) for arm, found in items.items()}
    best = best_prompt(arms)

    def against(base: str | None) -> dict[str, Difference]:
        if base not in items or "tuned" not in items:
            return {}
        return {
            measure: difference(items[base], items["tuned"], measure, (base, "tuned")) for measure in measures
        }

    found_overlap, unchecked = checked_overlap(task.items, request.training)
    occurring = {item["error"] for found in items.values() for item in found}
    summary: Summary = {
        "schema": layout.SCHEMA_VERSION,
        "suite": request.suite,
        "title": task.title,
        "heldout": str(request.heldout or ""),
        "model": request.name,
        "items": len(task.items),
        "rejected": task.rejected,
        "measures": [
            {"name": measure.name, "title": measure.title, "help": measure.help} for measure in task.measures
        ],
        "error_types": {
            **task.error_types,
            **{error: words for error, words in ENGINE_ERRORS.items() if error in occurring},
        },
        "arms": arms,
        "categories": {arm: part for arm, found in items.items() if (part := by_category(found))},
        "numbers": {arm: means for arm, found in items.items() if (means := numbers(found))},
        "notes": [*task.notes, *_notes(items), *_grouped(task.items), *unchecked, *_closing(task, items)],
        "overlap": found_overlap,
        "detectable": round(detectable_difference(_judged(task, items) // request.repeats), 4),
        "best_prompt": best,
        "comparison": against("base"),
        "comparison_best": against(best),
        "comparison_categories": (
            by_category_difference(items["base"], items["tuned"], ("base", "tuned"))
            if {"base", "tuned"} <= items.keys()
            else {}
        ),
        "regression": _regression(task, items),
        "seconds": {arm: round(sum(item["seconds"] for item in found), 2) for arm, found in items.items()},
        "tokens": {arm: sum(item["tokens"] for item in found) for arm, found in items.items()},
        "settings": {
            "bits": request.bits,
            "double": request.double,
            "dtype": request.dtype,
            "batch": request.batch,
            "max_new_tokens": request.max_new_tokens,
            "decoding": f"temperature {request.temperature:g}" if request.temperature else "greedy",
            "limit": request.limit,
            "seed": request.seed,
            "repeats": request.repeats,
            "endpoint": request.endpoint,
        },
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }
    files.write_json(eval_dir / layout.SUMMARY, summary)
    return summary


def _judged(task: Task, items: Mapping[str, Stored]) -> int:
    """Items of the arm of which fewest were judged; all before anything was measured."""
    counts = [sum(item["error"] not in UNJUDGED for item in found) for found in items.values()]
    return min(counts, default=len(task.items))


def _regression(task: Task, items: Mapping[str, Stored]) -> list[Kept]:
    if task.name not in ("general", "lm_eval") or not {"base", "tuned"} <= items.keys():
        return []
    from tuner_tui.evaluation.suites.general.regression import regressions

    return [each.to_json() for each in regressions(items["base"], items["tuned"])]


def _notes(items: Mapping[str, Stored]) -> list[str]:
    """What befell items, that is no answer of the model: it changes what the rates say."""
    notes = []
    for error, words in (
        ("too_long", "was not asked, because it does not fit into the model's window, and is in no rate"),
        ("no_room", "ran out of the model's window in the middle of the conversation and counts as wrong"),
        ("refused", "was refused by the server or the chat template and counts as wrong"),
        ("suite_failed", "could not be judged, because the suite failed on it, and is in no rate"),
        ("not_measured", "was not measured: this model cannot be asked how likely a text is"),
    ):
        counts = {arm: sum(item["error"] == error for item in found) for arm, found in items.items()}
        if any(counts.values()):
            told = ", ".join(f"{count} ({arm})" for arm, count in counts.items() if count)
            notes.append(f"Each of these items {words}: {told}.")
    for arm, found in items.items():
        if found and all(item["error"] == "too_long" for item in found):
            notes.append(f"Nothing was measured ({arm}): no item fits; of the first, {found[0]['reason']}.")
    called = [item for found in items.values() for item in found if item["calls"]]
    if any(item.get("strict", True) is None for item in called):
        notes.append("Strict format was not measured: the server shows calls, not the text they were in.")
    return notes


def _closing(task: Task, items: Mapping[str, Stored]) -> list[str]:
    """BFCL's own way to put its categories together, which needs all of them."""
    if task.name not in ("bfcl", "bfcl_prompting"):
        return []
    from tuner_tui.evaluation.suites.bfcl.categories import group_sentences

    return group_sentences({arm: by_category(found) for arm, found in items.items()})


def _grouped(items: Sequence[Item]) -> list[str]:
    """What groups of alike items do to the difference that can be seen."""
    groups = [item.group for item in items]
    units = len({group for group in groups if group}) + groups.count("")
    if units == len(groups):
        return []
    points = 100 * detectable_clustered(groups)
    return [
        f"The {len(groups):,} items come in {units:,} groups of alike ones, by which intervals are drawn. If "
        f"items of a group correlate by 0.1, a net change of about {points:.1f} points can be seen "
        "(approximate)."
    ]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
