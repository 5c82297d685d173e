"""What an evaluation's folder says at this moment: read-only, for every watcher."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tuner_tui.evaluation import layout
from tuner_tui.evaluation.arms import in_order
from tuner_tui.evaluation.shapes import Summary
from tuner_tui.runs import layout as runs_layout
from tuner_tui.runs import process
from tuner_tui.runs.layout import RunState


@dataclass(frozen=True, slots=True)
class EvalProgress:
    """How far an evaluation is.

    `done` and `total` count items over all arms that were asked for, `arms` maps each arm to its
    own (done, total). `arm` is the one at work. `eta` is seconds left, None while it can't be told.
    `phase` says in words what happens; `error` is one sentence once it has failed or stopped.
    """

    state: RunState
    arm: str | None = None
    done: int = 0
    total: int = 0
    arms: dict[str, tuple[int, int]] = field(default_factory=dict)
    error: str | None = None
    eta: float | None = None
    phase: str = ""


def read_progress(eval_dir: Path) -> EvalProgress:
    """The progress, with `lost` in place of a live state behind which no process stands.

    A folder without a status yet is `starting`.
    """
    status = _read_json(eval_dir / layout.STATUS)
    if status is None:
        return EvalProgress(RunState.STARTING, phase="starting the process")
    state = RunState(str(status["state"]))
    error = status.get("reason")
    if state.live and not _is_alive(status):
        state, error = RunState.LOST, "the process of the evaluation has gone; start it again."
    return EvalProgress(
        state=state,
        arm=status.get("arm"),
        done=sum(done for done, _ in status.get("arms", {}).values()),
        total=sum(total for _, total in status.get("arms", {}).values()),
        arms={arm: (done, total) for arm, (done, total) in status.get("arms", {}).items()},
        error=error,
        eta=_eta(status) if state.live else None,
        phase=str(status.get("phase", "")),
    )


def load_summary(eval_dir: Path) -> Summary | None:
    """`summary.json`, None while there is none."""
    return cast("Summary | None", _read_json(eval_dir / layout.SUMMARY))


def load_items(eval_dir: Path, arm: str) -> list[dict[str, Any]]:
    """The stored items of one arm in the suite's order; [] when there are none."""
    items = read_items(layout.arm_file(eval_dir, arm))
    return sorted(items.values(), key=lambda item: int(item["row"]))


def read_items(path: Path) -> dict[str, dict[str, Any]]:
    """Id -> item of a file of items; of an id that comes twice the last one.

    A line that a dead writer left cut in half is passed over.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    items: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            item = json.loads(line)
        except ValueError:
            continue
        if isinstance(item, dict) and "id" in item and "verdict" in item:
            items[item["id"]] = item
    return items


def stored_arms(eval_dir: Path) -> list[str]:
    """The arms whose items lie in the folder, in the order in which they are shown."""
    return in_order(path.stem for path in eval_dir.glob("*.jsonl"))


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _is_alive(status: Mapping[str, Any]) -> bool:
    fresh = time.time() - float(status.get("heartbeat") or 0) < runs_layout.STALE_SECONDS
    if status.get("pid") is None:
        return fresh  # asked for, and the process has not come up yet
    alive = process.is_alive(status["pid"], status.get("pid_start"), status.get("host"))
    return fresh and alive is not False


def _eta(status: Mapping[str, Any]) -> float | None:
    """Seconds left, from the speed since generation began."""
    began, fresh = status.get("generating_since"), status.get("generated", 0)
    left = sum(total - done for done, total in status.get("arms", {}).values())
    if not began or not fresh:
        return None
    return float(max(0.0, status["heartbeat"] - began) / fresh * left)
