"""The suites, by name. A suite's module is imported when it is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from tuner_tui.errors import UserError
from tuner_tui.evaluation.subset import Limited, Limits
from tuner_tui.evaluation.tasks import Task


@dataclass(frozen=True, slots=True)
class Suite:
    """`place` is where its class is, as "module:class" below this package; `source` says whether it is made
    from a file: "needed", "optional" (it has items of its own), or "none"."""

    title: str
    place: str
    source: Literal["needed", "optional", "none"]


SUITES = {
    "heldout": Suite("Held-out rows", "heldout:HeldoutTask", "needed"),
    "bfcl": Suite("BFCL V4, single turn", "bfcl.single:BfclTask", "none"),
    "bfcl_multi_turn": Suite("BFCL V4, multi-turn", "bfcl.multi_turn:BfclMultiTurnTask", "none"),
    "apibench": Suite("APIBench", "apibench:ApiBenchTask", "needed"),
    "tasks": Suite("Task completion", "tasks:CompletionTask", "optional"),
    "general": Suite("General ability", "general:GeneralTask", "optional"),
}
"""In the order in which they are listed."""


def open_suite(name: str, source: Path | None = None, limits: Limits | None = None) -> Task:
    """A suite that is ready to run.

    Args:
        name: a key of SUITES.
        source: the file or folder that its items come from; None for the items that come with it.
        limits: a subset, or repeats.

    Raises:
        UserError: no such suite, a file that is missing or cannot be read, or a suite whose package is not
            installed.
    """
    suite = SUITES.get(name)
    if suite is None:
        raise UserError(f"no suite is called {name!r}; there are: {', '.join(SUITES)}.")
    if suite.source == "needed" and source is None:
        raise UserError(f"the suite {name} needs a file with its items: name it with --data.")
    if suite.source == "none" and source is not None:
        raise UserError(f"the suite {name} has its own items: leave out --data.")
    task: Task = _maker(name, suite)(*([source] if source is not None else []))
    return task if limits is None or limits.everything else Limited(task, limits)


def _maker(name: str, suite: Suite) -> Callable[..., Any]:
    module, _, kind = suite.place.partition(":")
    path = f"{__name__}.{module}"
    try:
        found = getattr(import_module(path), kind)
    except ModuleNotFoundError as error:
        if error.name is None or not path.startswith(error.name):
            raise
        raise UserError(f"the suite {name} is not part of this version of tuner.") from error
    made: Callable[..., Any] = found
    return made
