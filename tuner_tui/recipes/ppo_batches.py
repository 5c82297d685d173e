"""Prompts and answers as the tensors that PPO computes with.

An answer's tokens stand in (B, T) tensors, T the longest answer. Whole rows are padded on both sides, prompts
on the left and answers on the right, so that all answers begin in the same column.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

Tokens = list[int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows for one forward pass.

    Args:
        ids, attention, positions: (B, P + T), of prompts and answers.
        answers, mask: (B, T), the answers' tokens, and True where there is one.
    """

    ids: Tensor
    attention: Tensor
    positions: Tensor
    answers: Tensor
    mask: Tensor


def collate(
    prompts: Sequence[Tokens], answers: Sequence[Tokens], pad: int, device: torch.device | str
) -> Batch:
    """Pad prompts on the left and answers on the right."""
    before, after = max(map(len, prompts)), max(map(len, answers))
    rows = [
        [pad] * (before - len(prompt)) + prompt + answer + [pad] * (after - len(answer))
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    attention = [
        [0] * (before - len(prompt)) + [1] * (len(prompt) + len(answer)) + [0] * (after - len(answer))
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    ids = torch.tensor(rows, device=device)
    seen = torch.tensor(attention, device=device)
    positions = (seen.cumsum(1) - 1).clamp(min=0)
    return Batch(ids, seen, positions, ids[:, before:], seen[:, before:].bool())


def by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Indices of rows in batches of at most `size`, the longest first: rows of a batch are of like length."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    for start in range(0, len(order), size):
        yield order[start : start + size]


@dataclass(slots=True)
class Experience:
    """One batch of rollouts, and all that is known of it before anything is learned.

    Args:
        prompts, answers: token ids, n of each.
        mask, logprobs, values, advantages, returns: (n, T), 0 where `mask` is False; see `ppo_math`.
    """

    prompts: list[Tokens]
    answers: list[Tokens]
    mask: Tensor
    logprobs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor

    def __len__(self) -> int:
        return len(self.prompts)

    def part(self, indices: Sequence[int]) -> "Experience":
        """The rollouts of these indices, cut to their own longest answer."""
        width = max(len(self.answers[index]) for index in indices)
        rows = torch.tensor(list(indices), device=self.mask.device)
        tensors = {field.name: getattr(self, field.name) for field in fields(self)[2:]}
        return Experience(
            [self.prompts[index] for index in indices],
            [self.answers[index] for index in indices],
            **{name: tensor[rows, :width] for name, tensor in tensors.items()},
        )

    def lengths(self) -> list[int]:
        """Tokens of each prompt with its answer."""
        return [len(prompt) + len(answer) for prompt, answer in zip(self.prompts, self.answers, strict=True)]


class PromptStream:
    """The prompts in an endless shuffled row, each once before any comes again: an epoch, then the next.

    Which prompts a step gets depends on the seed and the step alone, so a resumed run goes on alike.
    """

    def __init__(self, prompts: Sequence[Tokens], seed: int) -> None:
        self._prompts = prompts
        self._seed = seed
        self._epoch = -1
        self._order: list[int] = []

    def batch(self, step: int, size: int) -> list[Tokens]:
        """The `size` prompts of a step (counted from 0)."""
        return [self._prompt(place) for place in range(step * size, (step + 1) * size)]

    def _prompt(self, place: int) -> Tokens:
        epoch, within = divmod(place, len(self._prompts))
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)
            self._order = torch.randperm(len(self._prompts), generator=generator).tolist()
            self._epoch = epoch
        return self._prompts[self._order[within]]
