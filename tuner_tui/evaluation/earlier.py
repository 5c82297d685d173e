"""Answers that an evaluation does without now, kept beside it until they are asked for again.

The files `<arm>.jsonl` of an evaluation's folder hold the items of its present request and no others, so that
they and the summary tell the same. What another subset, setting, prompt or adapter was answered is set aside
as `earlier/<key>/<arm>.jsonl`, and comes back with the request that it belongs to: to change one's mind costs
nothing that was measured.
"""

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from tuner_tui.evaluation import layout
from tuner_tui.evaluation.fingerprints import digest
from tuner_tui.evaluation.progress import read_items
from tuner_tui.runs import files

Items = dict[str, dict[str, Any]]
"""Id -> the stored line."""


def answers_key(fingerprint: str, mark: str) -> str:
    """What the answers of an arm rest on: the request's fingerprint (model, adapter, items, settings), and
    the mark of the arm's prompt."""
    return digest(fingerprint, mark)


def read_marks(eval_dir: Path) -> dict[str, str]:
    """Arm -> the mark of the prompt that it was answered with (`arms.arm_mark`)."""
    with suppress(OSError, ValueError):
        marks: dict[str, str] = json.loads((eval_dir / layout.MARKS).read_bytes())
        return marks
    return {}


def set_aside(eval_dir: Path, arm: str, key: str) -> None:
    """Keep all answers of an arm for a later request with the same key."""
    _sort(eval_dir, arm, key, {}, _all(eval_dir, arm, key))


def sort_out(eval_dir: Path, arm: str, key: str, wanted: Collection[str]) -> None:
    """Take back what is wanted and was answered earlier; set aside what is not wanted.

    Args:
        key: of the present request.
        wanted: the ids of its items.
    """
    found = _all(eval_dir, arm, key)
    here = {id: item for id, item in found.items() if id in wanted}
    if here.keys() != read_items(layout.arm_file(eval_dir, arm)).keys():
        _sort(eval_dir, arm, key, here, {id: item for id, item in found.items() if id not in wanted})


def forget(eval_dir: Path, arm: str, key: str) -> None:
    """Take away an arm's answers, those that were set aside too."""
    for path in (layout.arm_file(eval_dir, arm), _place(eval_dir, arm, key)):
        path.unlink(missing_ok=True)


def _sort(eval_dir: Path, arm: str, key: str, here: Items, aside: Items) -> None:
    """Whoever is killed in between leaves an item in both places, never in none."""
    place = _place(eval_dir, arm, key)
    _store(place, {**here, **aside})
    _store(layout.arm_file(eval_dir, arm), here)
    _store(place, aside)


def _all(eval_dir: Path, arm: str, key: str) -> Items:
    return {**read_items(_place(eval_dir, arm, key)), **read_items(layout.arm_file(eval_dir, arm))}


def _store(path: Path, items: Items) -> None:
    if items:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_atomic(path, b"".join(orjson.dumps(item) + b"\n" for item in items.values()))
    else:
        path.unlink(missing_ok=True)


def _place(eval_dir: Path, arm: str, key: str) -> Path:
    return eval_dir / layout.EARLIER / key / f"{arm}.jsonl"
