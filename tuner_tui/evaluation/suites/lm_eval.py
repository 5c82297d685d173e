"""Tasks of lm-eval, the Language Model Evaluation Harness, from YAML files: it asks the model by itself.

Prompts, decoding, filters and metrics are lm-eval's own, so that its figures are the official ones; ours are
the arms, the stored items and the paired statistics. Data sets have to lie beside the tasks or in the cache:
the hub is asked for nothing, unless HF_DATASETS_OFFLINE=0 says so. A task's YAML may name functions of a
Python file beside it, which lm-eval runs.

Source: https://github.com/EleutherAI/lm-evaluation-harness (MIT), docs/task_guide.md, docs/python-api.md.
"""

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.evaluation.driver import Stopped
from tuner_tui.evaluation.lines import stored_line
from tuner_tui.evaluation.tasks import Exchange, Item, Measure, Outcome

_YES_NO = {
    "acc": "the likeliest option is the right one",
    "acc_norm": "the same, per byte of the option's text",
    "acc_bytes": "the same, per byte of the option's text",
    "acc_mutual_info": "the same, less how likely each option is without the question",
    "exact_match": "the answer is the expected one to the letter",
    "em": "the answer is the expected one to the letter",
    "prompt_level_strict_acc": "all instructions are kept",
    "prompt_level_loose_acc": "all instructions are kept, beginning, end and marks left aside",
}
"""Metrics of lm-eval that are 0 or 1 for one item; any other is a number."""
_LONGEST = 10_000
"""Characters of a prompt or an answer that are stored."""


class LmEvalTask:
    """All tasks of a folder, or of one YAML file of it.

    Raises:
        UserError: there is none, or one that lm-eval or its data set refuses.
    """

    name = "lm_eval"
    title = "lm-eval tasks"
    error_types: Mapping[str, str] = {"wrong": "was wrong by the task's first metric"}
    rejected = 0

    def __init__(self, path: Path) -> None:
        self._tasks = _load(path)
        self._docs: dict[str, tuple[str, int]] = {}
        items: list[Item] = []
        for name, task in self._tasks.items():
            judged = any(metric in _YES_NO for metric in task.aggregation())
            for number, doc in enumerate(task.eval_docs):
                shown = str(task.doc_to_text(doc) or task.doc_to_target(doc))[:_LONGEST]
                id = f"{name}/{number}"
                self._docs[id] = name, number
                messages = [{"role": "user", "content": shown}]
                # Without a category: a text that is only weighed is not right or wrong.
                category = name if judged else ""
                items.append(Item(id, len(items) + 1, shown[:200], messages, [], [], category=category))
        self.items: Sequence[Item] = items
        found = dict.fromkeys(metric for task in self._tasks.values() for metric in task.aggregation())
        self.measures = tuple(Measure(name, name, _YES_NO[name]) for name in found if name in _YES_NO)
        self.notes: Sequence[str] = [
            "Prompts, filters and metrics are lm-eval's own, without a chat template. “Right as a whole” is "
            "the first metric of a task that says yes or no; of several filters the first counts.",
            "Numbers are means over items; lm-eval weighs perplexities by the length of the texts.",
        ]

    def begin(self, item: Item) -> Exchange:
        """Not for this suite: see `ask`."""
        raise UserError("lm-eval asks a loaded model itself; evaluate one with `tuner eval`.")

    def ask(
        self, items: Sequence[Item], spoken: Any, batch: int, cancelled: Callable[[], bool]
    ) -> Iterator[list[dict[str, Any]]]:
        """Let lm-eval go through items; the lines to store, task by task.

        Args:
            items: some of the suite's.
            spoken: the model of an arm (`speaking.Spoken`).
            batch: requests in one forward pass.
            cancelled: whether to end.

        Raises:
            Stopped: it was cancelled; the task under way is lost.
        """
        from lm_eval import simple_evaluate

        model = _model(spoken, batch, cancelled)
        for name, task in self._tasks.items():
            chosen = {self._docs[item.id][1]: item for item in items if self._docs[item.id][0] == name}
            if not chosen:
                continue
            began = time.perf_counter()
            with spoken.switched():
                found = simple_evaluate(
                    model, tasks=[task], samples={name: list(chosen)}, bootstrap_iters=0, log_samples=True
                )
            samples = found["samples"][name]
            first = [each for each in samples if each["filter"] == samples[0]["filter"]]
            seconds = (time.perf_counter() - began) / len(chosen)
            yield [
                stored_line(self, item, _outcome(each), item.messages, seconds=seconds)
                for each in first
                for item in [chosen[each["doc_id"]]]
            ]


def _load(path: Path) -> dict[str, Any]:
    """Task name -> lm-eval's task, with its data."""
    for name in ("HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE"):
        os.environ.setdefault(name, "1")
    from lm_eval.tasks import TaskManager

    folder = path if path.is_dir() else path.parent
    try:
        # Data files are named relative to the tasks' folder, and looked for from where the process is.
        with contextlib.chdir(folder):
            manager = TaskManager(include_path=str(folder.absolute()), include_defaults=False)
            names = [
                name
                for name in manager.all_subtasks
                if path.is_dir() or manager.task_index[name].yaml_path == path.absolute()
            ]
            if not names:
                raise UserError(f"{path}: there is no task of lm-eval, which is a YAML file with a `task`.")
            tasks: dict[str, Any] = manager.load(names)["tasks"]
            return tasks
    except UserError:
        raise
    except Exception as error:  # a task may fail in any way, in lm-eval, in its data set or in its own code
        words = (str(error).strip().splitlines() or [""])[0]
        raise UserError(f"{path}: lm-eval cannot load its tasks: {type(error).__name__}: {words}") from error


def _model(spoken: Any, batch: int, cancelled: Callable[[], bool]) -> Any:
    from lm_eval.models.huggingface import HFLM

    class Stoppable(HFLM):  # type: ignore[misc]
        def _model_call(self, *args: Any, **more: Any) -> Any:
            if cancelled():
                raise Stopped
            return super()._model_call(*args, **more)

        def _model_generate(self, *args: Any, **more: Any) -> Any:
            if cancelled():
                raise Stopped
            return super()._model_generate(*args, **more)

    return Stoppable(
        pretrained=spoken.model, tokenizer=spoken.tokenizer, batch_size=batch, softmax_dtype="float32"
    )


def _outcome(sample: Mapping[str, Any]) -> Outcome:
    """What lm-eval says of one item: 0 and 1 of its yes-or-no metrics are verdicts, the rest are numbers."""
    verdict: dict[str, bool | None] = {}
    numbers: dict[str, float] = {}
    for metric in sample["metrics"]:
        value = sample[metric]
        if metric in _YES_NO:
            verdict[metric] = bool(value)
        elif isinstance(value, tuple | list) and len(value) == 2:
            nats = -value[0] / max(value[1], 1)  # the log-likelihood of a text, and its bytes or words
            name = metric if metric == "bits_per_byte" else f"log {metric}"
            numbers[name] = nats / math.log(2) if metric == "bits_per_byte" else nats
        else:
            with contextlib.suppress(TypeError, ValueError):
                numbers[metric] = float(value)
    right = next(iter(verdict.values()), None)
    return Outcome(
        verdict=verdict,
        right=right,
        error="wrong" if right is False else None,
        numbers={name: value for name, value in numbers.items() if math.isfinite(value)},
        text=str(sample["filtered_resps"])[:_LONGEST].encode("utf-8", "replace").decode(),
    )
