"""The three parts of a PPO step: sample answers, judge them, learn from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from tuner_tui.recipes import ppo_math as mathematics
from tuner_tui.recipes.faults import Stopped, TrainingAborted
from tuner_tui.recipes.ppo_batches import Batch, Experience, Tokens, by_length, collate
from tuner_tui.recipes.ppo_models import Models
from tuner_tui.training.config import PPOConfig

_WITHOUT_GRADIENTS = 4
"""So many more rows than a micro-batch fit into a pass that keeps nothing for a backward pass."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How an assistant's turn ends in this model's conversations.

    Args:
        ends: the tokens at which the model stops.
        after: what the chat template writes behind such a token. A reward model has learned from whole turns,
            and reads its score behind this.
        pad: the token that fills rows up.
    """

    ends: Sequence[int]
    after: Sequence[int]
    pad: int

    def ended(self, answer: Tokens) -> bool:
        """Whether the answer came to its end."""
        return answer[-1] in self.ends


def sample(
    models: Models, prompts: Sequence[Tokens], turns: Turns, ppo: PPOConfig, stop: Callable[[], bool]
) -> list[Tokens]:
    """An answer of the policy to each prompt.

    Raises:
        Stopped: a stop was asked for.
    """
    answers: list[Tokens] = [[] for _ in prompts]
    for indices in by_length([len(prompt) for prompt in prompts], ppo.sample_batch):
        made = models.sample(
            [prompts[index] for index in indices],
            ends=turns.ends,
            pad=turns.pad,
            max_new_tokens=ppo.max_new_tokens,
            cancelled=stop,
        )
        if stop():
            raise Stopped
        for index, answer in zip(indices, made, strict=True):
            answers[index] = answer
    return answers


def score(
    models: Models, prompts: Sequence[Tokens], answers: Sequence[Tokens], turns: Turns, rows: int
) -> Tensor:
    """The reward model's scores, (n), `rows` at once.

    Raises:
        TrainingAborted: one of them is no number.
    """
    whole = [[*answer, *turns.after] if turns.ended(answer) else answer for answer in answers]
    lengths = [len(prompt) + len(answer) for prompt, answer in zip(prompts, whole, strict=True)]
    scores = torch.zeros(len(answers), device=models.device)
    with torch.no_grad():
        for indices in by_length(lengths, rows):
            batch = collate(
                [prompts[i] for i in indices], [whole[i] for i in indices], turns.pad, models.device
            )
            scores[indices] = models.scores(batch)
    if not scores.isfinite().all():
        raise TrainingAborted(
            "the reward model gave a score that is not a number, so nothing was learned from it; look at the "
            "metrics of its run."
        )
    return scores


def judge(
    models: Models,
    prompts: list[Tokens],
    answers: list[Tokens],
    turns: Turns,
    ppo: PPOConfig,
    *,
    kl_weight: float,
    micro_batch: int,
) -> tuple[Experience, dict[str, float]]:
    """Scores, log-probabilities, values and advantages of the rollouts, and their metrics."""
    rows = micro_batch * _WITHOUT_GRADIENTS
    scores = score(models, prompts, answers, turns, rows)
    width = max(map(len, answers))
    mask = torch.zeros(len(answers), width, dtype=torch.bool, device=models.device)
    logprobs, reference, values = (torch.zeros(len(answers), width, device=models.device) for _ in range(3))
    lengths = [len(prompt) + len(answer) for prompt, answer in zip(prompts, answers, strict=True)]
    with torch.no_grad():
        for indices in by_length(lengths, rows):
            batch = collate(
                [prompts[i] for i in indices], [answers[i] for i in indices], turns.pad, models.device
            )
            place = (torch.tensor(indices, device=mask.device), slice(batch.mask.shape[1]))
            mask[place] = batch.mask
            logprobs[place] = models.policy(batch)[0]
            reference[place] = models.reference(batch)
            values[place] = models.values(batch)

    ended = torch.tensor([turns.ended(answer) for answer in answers], device=mask.device)
    punished = mathematics.penalize_missing_end(scores, ended, ppo.missing_eos_penalty)
    rewards = mathematics.token_rewards(punished, logprobs, reference, mask, kl_weight)
    if ppo.whiten_rewards:
        rewards = mathematics.whiten(rewards, mask, shift=False)
    advantages, returns = mathematics.advantages_and_returns(rewards, values, mask, ppo.gamma, ppo.lam)
    experience = Experience(
        prompts, answers, mask, logprobs, values, mathematics.whiten(advantages, mask), returns
    )
    metrics = {
        "reward": scores.mean(),
        "reward_std": scores.std(correction=0),
        # Of whole answers, in nats: the sum over an answer's tokens of log π/π_ref, on average.
        "kl": (logprobs - reference).sum(1).mean(),
        "explained_variance": mathematics.explained_variance(values, returns, mask),
        "response_length": mask.sum(1).float().mean(),
        "eos_rate": ended.float().mean(),
    }
    return experience, {name: float(value) for name, value in metrics.items()}


def learn(
    models: Models,
    optimizer: torch.optim.Optimizer,
    experience: Experience,
    ppo: PPOConfig,
    *,
    pad: int,
    minibatch: int,
    micro_batch: int,
    max_grad_norm: float,
    orders: Sequence[Sequence[int]],
) -> dict[str, float]:
    """Several passes over the rollouts, an optimizer step for each minibatch; the metrics are means of all.

    Losses are means over the tokens of a minibatch; how it is cut into micro-batches makes no difference.

    Args:
        orders: for each pass a permutation of the rollouts.
        max_grad_norm: of policy and value, each for itself; 0 for no limit.

    Raises:
        TrainingAborted: gradients are not finite; the weights are still clean.
    """
    sums: dict[str, float] = {}
    for order in orders:
        for start in range(0, len(order), minibatch):
            chosen = experience.part(order[start : start + minibatch])
            optimizer.zero_grad(set_to_none=True)
            found = _accumulate(models, chosen, ppo, pad, micro_batch)
            limit = max_grad_norm or float("inf")
            norm = clip_grad_norm_(models.policy_weights, limit)
            value_norm = clip_grad_norm_(models.value_weights, limit)
            if not (norm + value_norm).isfinite():
                raise TrainingAborted(
                    "the gradients became infinite or not a number, and the run was ended before they could "
                    "spoil the adapter; lower the learning rate, or lengthen the warm-up, and resume or "
                    "start anew."
                )
            optimizer.step()
            for name, value in {**found, "grad_norm": float(norm)}.items():
                sums[name] = sums.get(name, 0.0) + value
    optimizer.zero_grad(set_to_none=True)
    steps = len(orders) * -(-len(experience) // minibatch)
    return {name: value / steps for name, value in sums.items()}


def _accumulate(
    models: Models, chosen: Experience, ppo: PPOConfig, pad: int, micro_batch: int
) -> dict[str, float]:
    """The gradients of a minibatch, and what it says of itself."""
    tokens = chosen.mask.sum()
    sums = {
        name: torch.zeros((), device=models.device)
        for name in (
            "policy_loss",
            "value_loss",
            "entropy",
            "clip_fraction",
            "value_clip_fraction",
            "approx_kl",
        )
    }

    def mean(entries: Tensor, mask: Tensor) -> Tensor:
        return entries.masked_fill(~mask, 0.0).sum() / tokens

    for indices in by_length(chosen.lengths(), micro_batch):
        part = chosen.part(indices)
        batch: Batch = collate(part.prompts, part.answers, pad, models.device)

        logprobs, entropy = models.policy(batch)
        losses, clipped = mathematics.policy_losses(logprobs, part.logprobs, part.advantages, ppo.clip)
        policy_loss = mean(losses, part.mask)
        policy_loss.backward()  # type: ignore[no-untyped-call]

        values = models.values(batch)
        losses, value_clipped = mathematics.value_losses(values, part.values, part.returns, ppo.value_clip)
        value_loss = mean(losses, part.mask)
        value_loss.backward()  # type: ignore[no-untyped-call]

        with torch.no_grad():
            sums["policy_loss"] += policy_loss
            sums["value_loss"] += value_loss
            sums["entropy"] += mean(entropy, part.mask)
            sums["clip_fraction"] += mean(clipped.float(), part.mask)
            sums["value_clip_fraction"] += mean(value_clipped.float(), part.mask)
            # Of the policy that sampled, from the policy now.
            sums["approx_kl"] += mean(
                mathematics.kl_k3(mathematics.bounded(part.logprobs - logprobs)), part.mask
            )
    return {name: float(value) for name, value in sums.items()}
