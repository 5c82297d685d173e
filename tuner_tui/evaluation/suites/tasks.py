"""The suite of task completion: the model works in an environment, and what it leaves behind is judged.

A task is completed when after every request the state is the one that the gold calls lead to, every fact that
was asked for is in the answer and was in a result before, and no identifier was guessed. How many calls it
took, and in which order, does not matter.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tuner_tui.evaluation.subset import draw
from tuner_tui.evaluation.suites.task_files import CompletionItem, read_tasks
from tuner_tui.evaluation.suites.trajectory import ERROR_TYPES, Trajectory
from tuner_tui.evaluation.tasks import Exchange, Item, Measure

_PACKAGED = Path(__file__).parent / "environments" / "tasks"

_SILENT = "a model that never calls completes those, and no other"


class CompletionTask:
    """Tasks of the four environments of the package, or those of a file.

    Args:
        path: a JSON file of tasks (sample_data/README.md describes it); None for those of the package.
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
        self._tasks = {each.item.id: each for each in tasks}
        self.items: Sequence[Item] = draw([each.item for each in tasks], limit, seed)
        quiet = sum(not item.gold for item in self.items)
        self.notes: Sequence[str] = [
            "A task counts as completed by the state that it leaves and the facts in its answer; how well "
            "the answer is worded is not judged.",
            *([f"{quiet} of {len(self.items)} tasks need no call: {_SILENT}."] if quiet else []),
            *([f"{len(self.items)} of {len(tasks)} tasks were run."] if len(self.items) < len(tasks) else []),
        ]

    def begin(self, item: Item) -> Exchange:
        """The task from its start, with all of its failures still to come."""
        return Trajectory(self._tasks[item.id])
