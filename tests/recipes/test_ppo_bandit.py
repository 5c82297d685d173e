"""A problem whose solution is known: with a price on the distance from the reference, the best policy is
π*(a) ∝ π_ref(a) · exp(r(a)/β) (arXiv:1909.08593, section 2; arXiv:2305.18290, equation 4)."""

import ppo_reference as reference
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor

from tuner_tui.recipes.ppo_batches import Batch
from tuner_tui.recipes.ppo_models import REWARD, Models
from tuner_tui.recipes.ppo_steps import Turns, judge, learn, sample
from tuner_tui.training.config import PPOConfig

ARMS = 32
PRICE = 0.5


class Bandit(Models):
    """A tiny language model that says one token, which is paid by a table."""

    table = reference.sines((ARMS,), 0.7)

    def scores(self, batch: Batch) -> Tensor:
        return self.table[batch.answers[:, 0]]


def make() -> Bandit:
    from transformers import LlamaForCausalLM

    torch.manual_seed(0)
    base = LlamaForCausalLM(reference.shape())
    reference.fill(base, 1.0)
    # On the head, so that any distribution over the arms can be reached.
    policy = LoraConfig(task_type="CAUSAL_LM", r=2, lora_alpha=4, target_modules=["lm_head"])
    models = Bandit(base, policy, reference.adapter(), torch.zeros(1, 16))
    models.fill_from_reward(get_peft_model_state_dict(models.model, adapter_name=REWARD))
    return models


def distribution(models: Bandit, *, policy: bool) -> Tensor:
    """Of the first token of the answer."""
    from tuner_tui.recipes.ppo_batches import collate

    batch = collate([[5, 6]] * ARMS, [[arm] for arm in range(ARMS)], 0, "cpu")
    with torch.no_grad():
        logprobs = models.policy(batch)[0] if policy else models.reference(batch)
    return logprobs.squeeze(1).exp()


def test_the_known_optimum_is_reached() -> None:
    models = make()
    before = distribution(models, policy=False)
    best = before * (Bandit.table / PRICE).exp()
    best /= best.sum()
    torch.testing.assert_close(distribution(models, policy=True), before)  # it begins as the reference

    ppo = PPOConfig(
        rollouts=192,
        epochs=3,
        kl_weight=PRICE,
        missing_eos_penalty=None,
        max_new_tokens=1,
        sample_batch=192,
        value_clip=10.0,
    )
    turns = Turns((reference.END,), (), reference.PAD)
    weights = [{"params": models.policy_weights}, {"params": models.value_weights}]
    optimizer = torch.optim.AdamW(weights, lr=0.05, weight_decay=0.0)
    steps = 30
    metrics = {}
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / steps)
        prompts = [[5, 6]] * ppo.rollouts
        answers = sample(models, prompts, turns, ppo, lambda: False)
        experience, judged = judge(
            models, prompts, answers, turns, ppo, kl_weight=PRICE, micro_batch=ppo.rollouts
        )
        metrics = judged | learn(
            models,
            optimizer,
            experience,
            ppo,
            pad=reference.PAD,
            minibatch=192,
            micro_batch=192,
            max_grad_norm=1.0,
            orders=[torch.randperm(ppo.rollouts).tolist() for _ in range(ppo.epochs)],
        )

    learned = distribution(models, policy=True)
    distance = 0.5 * (learned - best).abs().sum()
    assert distance < 0.08, (distance, learned, best)
    assert 0.5 * (before - best).abs().sum() > 0.3  # it had a way to go

    # The objective, E[r] - β·KL, has the value β·log Σ π_ref exp(r/β) at the optimum, and less elsewhere.
    optimum = PRICE * (before * (Bandit.table / PRICE).exp()).sum().log()
    reached = (learned * Bandit.table).sum() - PRICE * (learned * (learned / before).log()).sum()
    assert optimum - 0.02 < reached <= optimum
    start = (before * Bandit.table).sum()
    assert optimum - start > 0.3
    # What the metrics say of it is right, too, up to the noise of 192 samples.
    assert abs(metrics["reward"] - (learned * Bandit.table).sum()) < 0.15
    assert abs(metrics["kl"] - (learned * (learned / before).log()).sum()) < 0.2
