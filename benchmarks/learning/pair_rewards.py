"""The implicit reward of answers, beta log(p_tuned / p_reference) (arXiv:2305.18290, section 4), computed
without a trainer: beta changes no order, so it is left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from benchmarks.learning.answers import merged
from tuner_tui.data.examples import Example
from tuner_tui.recipes.model import compute_dtype, load_base, load_tokenizer, stop_tokens
from tuner_tui.recipes.preference_rows import pairs
from tuner_tui.recipes.preference_trainer import PairCollator
from tuner_tui.recipes.rows import Renderer


@torch.inference_mode()
def accuracy(adapter: Path, examples: Sequence[Example], *, before: str | None, batch: int = 20) -> float:
    """Share of the pairs whose chosen answer is rewarded more than the rejected one.

    Args:
        before: an adapter that is merged into the base first, and so is part of the reference.
    """
    tokenizer = load_tokenizer("embedded")
    rows = pairs(Renderer(tokenizer, stop_tokens("embedded")), examples, 2048).rows
    name = "embedded" if before is None else merged(before)
    model = PeftModel.from_pretrained(
        load_base(name, compute_dtype("auto"), bits=None, double=False), str(adapter)
    )
    model.eval()
    collate = PairCollator(tokenizer.pad_token_id)
    right = 0
    for start in range(0, len(rows), batch):
        tensors = {key: value.to(model.device) for key, value in collate(rows[start : start + batch]).items()}
        tuned = _log_probabilities(model, tensors)
        with model.disable_adapter():
            reference = _log_probabilities(model, tensors)
        chosen, rejected = (tuned - reference).chunk(2)
        right += int((chosen > rejected).sum())
    return right / len(rows)


def _log_probabilities(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Of the learned tokens of each answer, summed: (B)."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    tokens = batch["input_ids"][:, 1:, None]
    each = logits.float().log_softmax(-1).gather(-1, tokens).squeeze(-1)
    summed: torch.Tensor = (each * batch["completion_mask"][:, 1:]).sum(1)
    return summed
