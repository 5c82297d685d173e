"""Step by step the same as TRL 1.12's PPO: see `ppo_reference`."""

import json
from typing import Any

import ppo_reference as reference
import pytest
import torch
from peft.utils import get_peft_model_state_dict

from tuner_tui.recipes import ppo_math as mathematics
from tuner_tui.recipes.ppo_models import POLICY, REWARD, VALUE, Models
from tuner_tui.recipes.ppo_steps import Turns, judge, learn
from tuner_tui.training.config import PPOConfig

ANSWERS = json.loads(reference.ANSWERS.read_text())


@pytest.mark.parametrize("whiten", [False, True])
def test_the_formulas_are_those_of_trl(whiten: bool) -> None:
    expected = {name: torch.tensor(value) for name, value in ANSWERS["formulas"][str(whiten)].items()}
    given = reference.ragged()
    place = torch.arange(6)[None]
    mask = place < given["lengths"][:, None]
    # TRL gives the reward to the place behind the end, whose value it counts: the mask of those.
    behind = place <= given["lengths"][:, None]

    kl = mathematics.kl_k1(given["logprobs"] - given["reference"]).masked_fill(~mask, 0)
    torch.testing.assert_close(kl, expected["kl"])
    rewards = mathematics.token_rewards(
        given["scores"], given["logprobs"], given["reference"], mask, reference.KL_WEIGHT
    )
    whole = given["lengths"] == 6  # where there is no place behind the end
    if not whiten:
        torch.testing.assert_close(rewards[whole], expected["rewards"][whole])
    shifted = (-reference.KL_WEIGHT * kl).masked_fill(~mask, 0)
    shifted[torch.arange(4), given["lengths"].clamp(max=5)] += given["scores"]
    if whiten:
        shifted = mathematics.whiten(shifted, behind, shift=False)
    torch.testing.assert_close(shifted, expected["rewards"])

    advantages, returns = mathematics.advantages_and_returns(
        shifted, given["values"], behind, reference.GAMMA, reference.LAM
    )
    torch.testing.assert_close(returns, expected["returns"], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        mathematics.whiten(advantages, mask), expected["advantages"], atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("micro_batch", [4, 1])
def test_three_steps_log_and_move_as_trls_do(micro_batch: int) -> None:
    from transformers import LlamaForCausalLM

    base = LlamaForCausalLM(reference.shape())
    reference.fill(base, 1.0)
    models = Models(
        base, reference.adapter(), reference.adapter(), reference.HEAD, temperature=reference.TEMPERATURE
    )
    reference.fill_adapter(models.model, reference.VALUE_SALT, f".{REWARD}.")
    models.fill_from_reward(get_peft_model_state_dict(models.model, adapter_name=REWARD))
    reference.fill_adapter(models.model, reference.POLICY_SALT, f".{POLICY}.")

    ppo = PPOConfig(
        gamma=reference.GAMMA,
        lam=reference.LAM,
        clip=reference.CLIP,
        value_clip=reference.VALUE_CLIP,
        missing_eos_penalty=reference.PENALTY,
    )
    turns = Turns((reference.END,), (), reference.PAD)
    optimizer = torch.optim.AdamW(
        [*models.policy_weights, *models.value_weights], lr=reference.LEARNING_RATE, weight_decay=0.0
    )
    for step, log in enumerate(ANSWERS["steps"]["logs"]):
        prompts, answers = reference.rollouts(step)
        experience, judged = judge(
            models, prompts, answers, turns, ppo, kl_weight=reference.KL_WEIGHT, micro_batch=micro_batch
        )
        learned = learn(
            models,
            optimizer,
            experience,
            ppo,
            pad=reference.PAD,
            minibatch=reference.MINIBATCH,
            micro_batch=micro_batch,
            max_grad_norm=0.0,
            orders=reference.orders(step),
        )
        punished = judged["reward"] - reference.PENALTY * (1 - judged["eos_rate"])
        ours = {
            "objective/kl": judged["kl"],
            "objective/scores": punished,
            "loss/policy_avg": learned["policy_loss"],
            "loss/value_avg": learned["value_loss"],
            "policy/clipfrac_avg": learned["clip_fraction"],
            "val/clipfrac_avg": learned["value_clip_fraction"],
            "policy/entropy_avg": learned["entropy"],
        }
        assert ours == pytest.approx({name: log[name] for name in ours}, rel=2e-4, abs=2e-5), step

    expected: dict[str, Any] = ANSWERS["steps"]
    for name, salt in ((POLICY, reference.POLICY_SALT), (VALUE, reference.VALUE_SALT)):
        key = "policy" if name == POLICY else "value"
        assert reference.moved(models.model, salt, f".{name}.") == pytest.approx(expected[key], rel=2e-3)
    assert (models.value_head - reference.HEAD).norm().item() == pytest.approx(expected["head"], rel=2e-3)
    # The reward model and the base have not moved at all.
    assert reference.moved(models.model, reference.VALUE_SALT, f".{REWARD}.") == [0.0] * 12
    assert torch.equal(models.reward_head, reference.HEAD)
