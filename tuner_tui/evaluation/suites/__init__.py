"""The suites, by name. A suite's module is imported when it is opened."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from tuner_tui.errors import UserError
from tuner_tui.evaluation.subset import Limited, Limits
from tuner_tui.evaluation.suites.bfcl.official import INSTALL
from tuner_tui.evaluation.tasks import Task


@dataclass(frozen=True, slots=True)
class Suite:
    """`place` is where its class is, as "module:class" below this package; `source` says whether it is made
    from a file: "needed", "optional" (it has items of its own), or "none". `asks_itself`: it asks a loaded
    local model by itself (`tasks.Harness`), so that there are no arms but base and tuned; `package` and
    `install` name what it needs beside tuner, "" for nothing that is looked for before it is opened."""

    title: str
    place: str
    source: Literal["needed", "optional", "none"]
    asks_itself: bool = False
    package: str = ""
    install: str = ""


_BFCL = "bfcl_eval", INSTALL

SUITES = {
    "heldout": Suite("Held-out rows", "heldout:HeldoutTask", "needed"),
    "bfcl": Suite("BFCL V4, single turn", "bfcl.single:BfclTask", "none", False, *_BFCL),
    "bfcl_prompting": Suite(
        "BFCL V4, single turn, prompting", "bfcl.prompting:BfclPromptingTask", "none", False, *_BFCL
    ),
    "bfcl_multi_turn": Suite(
        "BFCL V4, multi-turn", "bfcl.multi_turn:BfclMultiTurnTask", "none", False, *_BFCL
    ),
    "bfcl_multi_turn_prompting": Suite(
        "BFCL V4, multi-turn, prompting",
        "bfcl.multi_turn_prompting:BfclMultiTurnPromptingTask",
        "none",
        False,
        *_BFCL,
    ),
    "apibench": Suite("APIBench", "apibench:ApiBenchTask", "needed"),
    "tasks": Suite("Task completion", "tasks:CompletionTask", "optional"),
    "general": Suite("General ability", "general:GeneralTask", "optional"),
    "lm_eval": Suite(
        "lm-eval tasks",
        "lm_eval:LmEvalTask",
        "needed",
        asks_itself=True,
        package="lm_eval",
        install="pip install 'tuner-tui[lm-eval]'",
    ),
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
    if reason := obstacle(name):
        raise UserError(reason)
    if suite.source == "none" and source is not None:
        raise UserError(f"the suite {name} has its own items: leave out --data.")
    task: Task = _maker(name, suite)(*([source] if source is not None else []))
    return task if limits is None or limits.everything else Limited(task, limits)


def obstacle(name: str) -> str:
    """Why a suite cannot be run on this machine, with the remedy, in a sentence; "" when it can. It imports
    nothing, so that a screen may ask about every suite.

    Args:
        name: a key of SUITES.
    """
    suite = SUITES[name]
    if not suite.package or find_spec(suite.package) is not None:
        return ""
    return f"the suite {name} needs {suite.package}, which is not installed: {suite.install}"


def check_suite(name: str, arms: Iterable[str], limits: Limits, sampled: bool, endpoint: bool) -> None:
    """Refuse at once what would fail in the evaluator.

    Args:
        name: a key of SUITES.
        arms: what is to be measured.
        limits: a subset, or repeats.
        sampled: at a temperature.
        endpoint: a server answers.

    Raises:
        UserError: the suite's package is not installed, or the suite cannot be asked so.
    """
    suite = SUITES.get(name)
    if suite is None:
        return
    if reason := obstacle(name):
        raise UserError(reason)
    if not suite.asks_itself:
        return
    if unfit := [arm for arm in arms if arm not in ("base", "tuned")]:
        raise UserError(f"the suite {name} has its own prompts: its arms are base and tuned, not {unfit[0]}.")
    if endpoint:
        raise UserError(f"the suite {name} asks a loaded model by itself: leave out --endpoint.")
    if sampled or limits.repeats > 1:
        raise UserError(f"the suite {name} decodes as its tasks say: leave out --temperature and --repeats.")


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
