"""The suite of task completion: the model works in an environment, and what it leaves behind is judged.

A task is completed when after every request the state is the one that the gold calls lead to, every fact that
was asked for is in the answer and was in a result before, and no identifier was guessed. How many calls it
took, and in which order, does not matter.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from tuner_tui.evaluation.suites.task_files import CompletionItem, read_tasks
from tuner_tui.evaluation.suites.trajectory import ERROR_TYPES, Trajectory
from tuner_tui.evaluation.tasks import Exchange, Item, Measure

_PACKAGED = Path(__file__).parent / "environments" / "tasks"


class CompletionTask:
    """Tasks of the four environments of the package, or those of a file.

    Args:
        path: a JSON file of tasks (README, "Your own tasks"); None for those of the package.
        limit: so many tasks, the same share of each environment; None for all.
        seed: of the choice.

    Raises:
        UserError: the file cannot be read or is not sound.
    """

    name = "tasks"
    title = "Task completion"
    measures = (
        Measure(
            "completed", "Completed", "all tasks: everything done, nothing else, and said what was asked"
        ),
        Measure("recovered", "Recovered", "tasks in which a tool fails at first: completed all the same"),
        Measure("valid_calls", "Valid calls only", "tasks with calls: each fits the schema of its tool"),
        Measure("no_harm", "No harm", "all tasks: nothing changed that should have stayed as it was"),
        Measure("kept_without_call", "Kept without a call", "tasks in which no tool serves"),
    )
    error_types: Mapping[str, str] = ERROR_TYPES
    rejected = 0

    def __init__(self, path: Path | None = None, limit: int | None = None, seed: int = 0) -> None:
        tasks: list[CompletionItem] = []
        for each in [path] if path is not None else sorted(_PACKAGED.glob("*.json")):
            tasks += read_tasks(each, len(tasks) + 1)
        chosen = _share(tasks, limit, seed)
        self._tasks = {each.item.id: each for each in chosen}
        self.items: Sequence[Item] = [each.item for each in chosen]
        self.notes: Sequence[str] = [
            "A task counts as completed by the state that it leaves and the facts in its answer; how well "
            "the answer is worded is not judged.",
            *([f"{len(chosen)} of {len(tasks)} tasks were run."] if len(chosen) < len(tasks) else []),
        ]

    def begin(self, item: Item) -> Exchange:
        """The task from its start, with all of its failures still to come."""
        return Trajectory(self._tasks[item.id])


def pass_hat_k(outcomes: Mapping[str, Sequence[bool]], k: int) -> float | None:
    """The chance that k tries of a task all succeed, averaged over tasks.

    The unbiased estimate of tau-bench (arXiv:2406.12045): C(c, k) / C(n, k) for c successes in n tries.

    Args:
        outcomes: task -> whether each of its tries completed it.

    Returns:
        None without tasks.

    Raises:
        ValueError: a task has fewer than k tries, or k is below 1.
    """
    if k < 1 or any(len(tries) < k for tries in outcomes.values()):
        raise ValueError(f"pass^{k} needs at least {max(k, 1)} tries of every task")
    if not outcomes:
        return None
    shares = [math.comb(sum(tries), k) / math.comb(len(tries), k) for tries in outcomes.values()]
    return sum(shares) / len(shares)


def _share(tasks: Sequence[CompletionItem], limit: int | None, seed: int) -> list[CompletionItem]:
    """At most `limit` tasks: the environments take turns, and each gives its tasks in random order."""
    if limit is None or limit >= len(tasks):
        return list(tasks)
    decks: dict[str, list[CompletionItem]] = {}
    for each in tasks:
        decks.setdefault(each.item.category, []).append(each)
    for name in decks:
        Random(f"{seed}/{name}").shuffle(decks[name])
    chosen: list[CompletionItem] = []
    while len(chosen) < limit:
        for deck in decks.values():
            if deck and len(chosen) < limit:
                chosen.append(deck.pop())
    return sorted(chosen, key=lambda each: each.item.row)
