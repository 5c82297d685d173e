"""Two tuned models on the same items: paired, suite by suite."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.evaluation.compare import changed_items, difference, outcome
from tuner_tui.evaluation.progress import load_items
from tuner_tui.evaluation.statistics import holm
from tuner_tui.report.claims import claim
from tuner_tui.report.suites import read_suites
from tuner_tui.runs import layout
from tuner_tui.runs.reader import read_status

Stored = Sequence[dict[str, Any]]


def compare_runs(first: Path, second: Path) -> dict[str, Any]:
    """Compare the tuned models of two runs.

    Returns:
        `runs` (id, state and model of each), and `suites`: each with `name`, `title`, `items` (how many of
        the first, of the second, and shared), `sentence` on the items (None: all the same), `rows` (by
        measure each: `name`, `title`, `first`, `second`, `change`, on shared items), `claim` on the first
        measure, Holm over the suites (None without shared items), and `changed`.

    Raises:
        UserError: one is no readable run, or there is no suite on which both tuned models were measured.
    """
    runs = [_run(each) for each in (first, second)]
    found = [
        {suite["name"]: suite for suite in read_suites(each) if "tuned" in suite["arms"]}
        for each in (first, second)
    ]
    both = [name for name in found[0] if name in found[1]]
    if not both:
        have = "; ".join(
            f"{run['id']}: {', '.join(suites) or 'none'}" for run, suites in zip(runs, found, strict=True)
        )
        raise UserError(
            f"there is no suite on which both tuned models were measured ({have}); run `tuner eval` on both."
        )
    suites = [_suite(found[0][name], found[1][name]) for name in both]
    compared = [suite for suite in suites if suite["rows"] and suite["rows"][0]["change"]["pairs"]]
    adjusted = holm([suite["rows"][0]["change"]["p_value"] for suite in compared])
    for suite, p in zip(compared, adjusted, strict=True):
        suite["claim"] = claim(suite["rows"][0]["change"], p, len(compared))
    return {"runs": runs, "suites": suites}


def _run(run_dir: Path) -> dict[str, Any]:
    status = read_status(run_dir)
    try:
        manifest = json.loads((run_dir / layout.MANIFEST).read_bytes())
    except (OSError, ValueError):
        manifest = {}
    model = manifest.get("model") if isinstance(manifest, dict) else None
    return {
        "id": run_dir.name,
        "state": str(status.state),
        "model": model.get("name") if isinstance(model, dict) else None,
    }


def _suite(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    before, after = (load_items(Path(each["folder"]), "tuned") for each in (first, second))
    shared = {_identity(item) for item in before} & {_identity(item) for item in after}
    counts = (len(before), len(after), len(shared))
    before, after = ([item for item in each if _identity(item) in shared] for each in (before, after))
    names = [row["name"] for row in first["rows"]]
    rates = [outcome(each, names, {}) for each in (before, after)]
    rows = [
        {
            "name": row["name"],
            "title": row["title"],
            "first": rates[0].get(row["name"]),
            "second": rates[1].get(row["name"]),
            "change": difference(before, after, row["name"], ("first", "second")),
        }
        for row in first["rows"]
    ]
    return {
        "name": first["name"],
        "title": first["title"],
        "items": {"first": counts[0], "second": counts[1], "shared": counts[2]},
        "sentence": _difference_of_items(*counts),
        "rows": rows if shared else [],
        "claim": None,
        "changed": [
            {
                "id": each.id,
                "direction": each.direction,
                "request": each.request,
                "gold": each.gold if each.gold or "call_or_no_call" in names else None,
                "before": {key: each.before.get(key) for key in ("text", "calls", "error")},
                "after": {key: each.after.get(key) for key in ("text", "calls", "error")},
            }
            for each in changed_items(before, after)
        ],
    }


def _identity(item: Mapping[str, Any]) -> str:
    """What makes two stored items the same: not their number alone, for two files number alike."""
    return json.dumps([item["id"], item.get("request"), item.get("gold")], sort_keys=True)


def _difference_of_items(first: int, second: int, shared: int) -> str | None:
    if first == second == shared:
        return None
    if not shared:
        return (
            f"The runs answered different items ({first} and {second}, none shared): nothing is compared; "
            "evaluate both with the same --data."
        )
    return (
        f"The runs answered different items ({first} and {second}); only the {shared} that both answered are "
        "compared."
    )
