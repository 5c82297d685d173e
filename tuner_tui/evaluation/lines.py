"""What is stored of an item, and what befalls one that no suite can judge."""

import sys
import traceback
from dataclasses import asdict
from typing import Any

from tuner_tui.evaluation.tasks import Item, Messages, Outcome, Task

ENGINE_ERRORS = {
    "too_long": "was not asked, because the request does not fit into the model's window",
    "no_room": "ran out of the model's window in the middle of the conversation",
    "refused": "was not given the request: the server, or the model's chat template, refused it",
    "suite_failed": "was not judged, because the suite failed on the item; worker.log has the reason",
    "not_measured": "was not asked, because this model cannot weigh texts",
}
"""Error type -> words, for what befalls an item in any suite."""

UNJUDGED = frozenset({"too_long", "suite_failed", "not_measured"})
"""Items with these errors are in no rate."""


def stored_line(
    task: Task, item: Item, outcome: Outcome, prompt: Messages, tokens: int = 0, seconds: float = 0.0
) -> dict[str, Any]:
    """What is stored of an item that is over."""
    return {
        **_head(item),
        "prompt": prompt,
        "text": outcome.text,
        "calls": [asdict(call) for call in outcome.calls],
        "strict": outcome.strict,
        "verdict": {
            **{measure.name: None for measure in task.measures},
            **outcome.verdict,
            "right": outcome.right,
        },
        "error": outcome.error,
        "numbers": dict(outcome.numbers),
        "turns": outcome.turns,
        "tokens": tokens,
        "seconds": round(seconds, 4),
    }


def broken(task: Task, item: Item) -> dict[str, Any]:
    """The line of an item on which its suite has just failed; to be called where the exception is handled."""
    sys.stderr.write(f"item {item.id}: {traceback.format_exc()}\n")
    error = sys.exc_info()[1]
    words = (str(error).strip().splitlines() or [""])[0]
    return unjudged(task, item, "suite_failed", f"{type(error).__name__}: {words}")


def unjudged(task: Task, item: Item, error: str, reason: str) -> dict[str, Any]:
    """The line of an item that is in no rate."""
    return {
        **_head(item),
        "prompt": item.messages,
        "text": "",
        "calls": [],
        "strict": None,
        "verdict": {**{measure.name: None for measure in task.measures}, "right": False},
        "error": error,
        "reason": reason.encode("utf-8", "replace").decode(),
        "numbers": {},
        "turns": None,
        "tokens": 0,
        "seconds": 0.0,
    }


def _head(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "row": item.row,
        "group": item.group,
        "category": item.category,
        "request": item.request,
        "gold": [asdict(call) for call in item.gold],
    }
