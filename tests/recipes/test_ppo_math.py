"""PPO's formulas on numbers that a person can check."""

import math

import pytest
import torch
from torch import tensor

from tuner_tui.recipes import ppo_math as mathematics
from tuner_tui.recipes.ppo_math import KLController

MASK = tensor([[True, True, True], [True, True, False]])


def test_masked_statistics_see_only_what_is_masked_in() -> None:
    values = tensor([[1.0, 2.0, 6.0], [3.0, 8.0, math.inf]])
    assert mathematics.masked_mean(values, MASK) == 4.0
    # (9 + 4 + 4 + 1 + 16) / (5 - 1)
    assert mathematics.masked_variance(values, MASK) == 8.5
    assert mathematics.masked_mean(values, torch.zeros_like(MASK)) == 0.0


def test_whitening() -> None:
    values = tensor([[1.0, 2.0, 6.0], [3.0, 8.0, 99.0]])
    white = mathematics.whiten(values, MASK)
    assert mathematics.masked_mean(white, MASK) == pytest.approx(0, abs=1e-6)
    assert mathematics.masked_variance(white, MASK) == pytest.approx(1, abs=1e-6)
    assert white[1, 2] == 0
    assert white[0, 0] == pytest.approx(-3 / math.sqrt(8.5))
    kept = mathematics.whiten(values, MASK, shift=False)
    assert mathematics.masked_mean(kept, MASK) == pytest.approx(4)
    # The same everywhere: nothing to tell apart, and no division by zero.
    assert mathematics.whiten(torch.ones(1, 3), MASK[:1]).tolist() == [[0, 0, 0]]


def test_kl_estimators_are_unbiased_and_k3_is_never_negative() -> None:
    p, q = tensor([0.5, 0.3, 0.2]), tensor([0.2, 0.2, 0.6])
    true = (p * (p / q).log()).sum()
    log_ratio = (p / q).log()
    for estimate in (mathematics.kl_k1, mathematics.kl_k3):
        assert (p * estimate(log_ratio)).sum() == pytest.approx(true)
    assert (mathematics.kl_k3(torch.linspace(-3, 3, 61)) >= 0).all()
    # log 2: 1/2 - 1 + log 2
    assert mathematics.kl_k3(tensor(math.log(2))) == pytest.approx(math.log(2) - 0.5)


def test_token_rewards_price_each_token_and_score_the_last() -> None:
    logprobs = tensor([[-1.0, -2.0, -3.0], [-1.0, -1.0, 7.0]])
    reference = tensor([[-2.0, -2.0, -1.0], [-1.5, -1.0, 9.0]])
    rewards = mathematics.token_rewards(tensor([5.0, -4.0]), logprobs, reference, MASK, 0.1)
    torch.testing.assert_close(rewards, tensor([[-0.1, 0.0, 0.2 + 5.0], [-0.05, -4.0, 0.0]]))


def test_an_answer_without_an_end_is_punished() -> None:
    scores, ended = tensor([1.0, 1.0]), tensor([True, False])
    assert mathematics.penalize_missing_end(scores, ended, 1.5).tolist() == [1.0, -0.5]
    assert mathematics.penalize_missing_end(scores, ended, None).tolist() == [1.0, 1.0]


def test_gae_by_hand() -> None:
    rewards = tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]])
    values = tensor([[0.5, 1.0, -1.0], [0.2, 0.4, 9.0]])
    advantages, returns = mathematics.advantages_and_returns(rewards, values, MASK, gamma=0.9, lam=0.5)
    # First: δ = 1 + .9 - .5 = 1.4; -.9 - 1 = -1.9; 2 + 1 = 3. A = 3; -1.9 + .45·3; 1.4 + .45·(-.55).
    # Second: δ = .36 - .2 = .16; 1 - .4 = .6; the masked value counts for nothing.
    torch.testing.assert_close(advantages, tensor([[1.1525, -0.55, 3.0], [0.43, 0.6, 0.0]]))
    torch.testing.assert_close(returns, tensor([[1.6525, 0.45, 2.0], [0.63, 1.0, 0.0]]))


@pytest.mark.parametrize(("lam", "expected"), [(1.0, [3.0, 2.0, 2.0]), (0.0, [2.0, -1.0, 2.0])])
def test_gae_between_whole_returns_and_one_step(lam: float, expected: list[float]) -> None:
    rewards, values = tensor([[1.0, 0.0, 2.0]]), tensor([[4.0, 1.0, 0.0]])
    _, returns = mathematics.advantages_and_returns(rewards, values, MASK[:1], gamma=1.0, lam=lam)
    # λ = 1: all that is still to come. λ = 0: this reward and the next value.
    assert returns.tolist() == [expected if lam else [2.0, 0.0, 2.0]]


def test_the_clipped_objective_by_hand() -> None:
    advantages = tensor([2.0, -2.0, 2.0, -2.0])
    ratios = tensor([1.5, 1.5, 0.5, 0.5])
    losses, clipped = mathematics.policy_losses(ratios.log(), torch.zeros(4), advantages, 0.2)
    torch.testing.assert_close(losses, tensor([-2.4, 3.0, -1.0, 1.6]))
    assert clipped.tolist() == [True, False, False, True]


def test_the_gradient_stops_where_the_objective_is_clipped() -> None:
    logprobs = tensor([1.5, 1.1]).log().requires_grad_()
    losses, _ = mathematics.policy_losses(logprobs, torch.zeros(2), tensor([1.0, 1.0]), 0.2)
    (gradient,) = torch.autograd.grad(losses.sum(), logprobs)
    torch.testing.assert_close(gradient, tensor([0.0, -1.1]))


def test_a_ratio_beyond_all_bounds_does_not_overflow() -> None:
    logprobs = tensor([60.0, -60.0, 200.0]).requires_grad_()
    losses, _ = mathematics.policy_losses(logprobs, torch.zeros(3), tensor([-1.0, -1.0, 1.0]), 0.2)
    (gradient,) = torch.autograd.grad(losses.sum(), logprobs)
    assert losses.isfinite().all()
    assert gradient.tolist() == [0, 0, 0]


def test_the_clipped_value_loss_by_hand() -> None:
    losses, clipped = mathematics.value_losses(
        tensor([2.0, 2.0, 1.1]), tensor([1.0, 1.0, 1.0]), tensor([1.5, 3.0, 1.0]), 0.2
    )
    # ½·max(.5², (1.2-1.5)²); ½·max(1², (1.2-3)²); within the range both are the same.
    torch.testing.assert_close(losses, tensor([0.125, 1.62, 0.005]))
    assert clipped.tolist() == [False, True, False]


def test_entropy() -> None:
    assert mathematics.entropy(torch.zeros(3, 8)).tolist() == pytest.approx([math.log(8)] * 3)
    assert mathematics.entropy(tensor([100.0, 0.0])) == pytest.approx(0, abs=1e-6)
    half = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert mathematics.entropy(tensor([0.25, 0.75]).log()) == pytest.approx(half)


def test_explained_variance() -> None:
    returns = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 99.0]])
    assert mathematics.explained_variance(returns, returns, MASK) == 1
    assert mathematics.explained_variance(torch.ones(2, 3), returns, MASK) == 0
    assert mathematics.explained_variance(returns / 2, returns, MASK) == pytest.approx(0.75)
    assert mathematics.explained_variance(returns, torch.ones(2, 3), MASK) == 0  # nothing to explain


@pytest.mark.parametrize(
    ("kl", "factor"), [(12.0, 1 + 0.2 * 0.064), (6.6, 1 + 0.1 * 0.064), (6.0, 1.0), (0.0, 1 - 0.2 * 0.064)]
)
def test_the_adaptive_price_goes_towards_the_target(kl: float, factor: float) -> None:
    controller = KLController(0.1, adaptive=True, target=6.0, horizon=1000)
    controller.update(kl, answers=64)
    assert controller.weight == pytest.approx(0.1 * factor)


def test_the_fixed_price_stays() -> None:
    controller = KLController(0.1, adaptive=False, target=6.0, horizon=1000)
    controller.update(100.0, answers=64)
    assert controller.weight == 0.1


def test_the_rate_rises_from_the_first_step_and_falls_as_the_schedule_says() -> None:
    def rates(schedule: str) -> list[float]:
        return [round(mathematics.rate_factor(step, 6, 2, schedule), 4) for step in range(6)]

    assert rates("constant") == [0.5, 1, 1, 1, 1, 1]
    assert rates("linear") == [0.5, 1, 1, 0.75, 0.5, 0.25]
    assert rates("cosine") == [0.5, 1, 1, 0.8536, 0.5, 0.1464]
    assert mathematics.rate_factor(0, 1, 0, "linear") == 1
