"""What TRL's preference trainers need so that they take token rows as they are, and evaluate exactly."""

from typing import Any

import torch
from trl.trainer.dpo_trainer import DataCollatorForPreference
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from tuner_tui.recipes.preference_rows import Row


def tokenised(base: type) -> Any:
    """A subclass of one of TRL's DPOTrainer, KTOTrainer and RewardTrainer (1.16) for rows of tokens.

    TRL averages the figures of an evaluation over micro-batches, so that a row of a small last one weighs
    more; here every row weighs the same.
    """

    class Trainer(base):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._counts: list[dict[str, int]] = []
            super().__init__(*args, **kwargs)

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def evaluate(self, *args: Any, **kwargs: Any) -> Any:
            self._counts = []
            return super().evaluate(*args, **kwargs)

        def prediction_step(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            self._counts.append(_count(inputs))
            return super().prediction_step(model, inputs, *args, **kwargs)

        def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
            if not self.model.training:
                weigh(self._metrics["eval"], self._counts)
            super().log(logs, *args, **kwargs)

    return Trainer


class PairCollator(DataCollatorForPreference):  # type: ignore[misc]
    """TRL's, and of an answer only what the assistant said counts: no tool's result in the middle."""

    def torch_call(self, examples: list[Row]) -> dict[str, Any]:
        """A batch of rows of `preference_rows.pairs`, chosen answers first."""
        batch: dict[str, Any] = super().torch_call(examples)
        masks = [row["chosen_mask"] for row in examples] + [row["rejected_mask"] for row in examples]
        batch["completion_mask"] = _masked(batch["completion_mask"], [*examples, *examples], masks)
        return batch


class LabelCollator(DataCollatorForUnpairedPreference):  # type: ignore[misc]
    """As `PairCollator`, for rows of `preference_rows.mismatch`."""

    def torch_call(self, examples: list[Row]) -> dict[str, Any]:
        """A batch of rows, and beside it their prompts with other answers."""
        batch: dict[str, Any] = super().torch_call(examples)
        for prefix, name in (("", "mask"), ("KL_", "KL_mask")):
            key = f"{prefix}completion_mask"
            batch[key] = _masked(batch[key], examples, [row[name] for row in examples])
        return batch


def _masked(whole: Any, examples: list[Row], masks: list[list[int]]) -> Any:
    """(B, T): 1 where the answer's token is learned. `whole`: 1 at all tokens of the answer, TRL's mask."""
    result = torch.zeros_like(whole)
    for place, (row, mask) in enumerate(zip(examples, masks, strict=True)):
        start = len(row["prompt_ids"])
        length = min(len(mask), whole.shape[1] - start)
        result[place, start : start + length] = torch.tensor(mask[:length])
    return result * whole


def _count(inputs: Any) -> dict[str, int]:
    """How many rows of each kind a micro-batch has."""
    if "label" not in inputs:
        pairs = len(inputs["input_ids"]) // 2
        return {"rows": pairs, "chosen": pairs, "rejected": pairs}
    good = int(inputs["label"].sum())
    return {"rows": len(inputs["label"]), "chosen": good, "rejected": len(inputs["label"]) - good}


def weigh(metrics: dict[str, list[float]], counts: list[dict[str, int]]) -> None:
    """Replace the values of the micro-batches by their mean over rows, where it is known how many rows each
    value is of."""
    for name, values in metrics.items():
        _, _, kind = name.partition("/")
        weights = [count[kind if kind in count else "rows"] for count in counts]
        weights = [weight for weight in weights if weight]
        if len(weights) == len(values) > 1:
            mean = sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)
            metrics[name] = [mean]
    if "rewards/margins" in metrics:
        chosen, rejected = metrics["rewards/chosen"], metrics["rewards/rejected"]
        if len(chosen) == len(rejected) == 1:  # KTO's is of the micro-batches that happen to have both
            metrics["rewards/margins"] = [chosen[0] - rejected[0]]
