"""The mathematics of PPO for language models: pure functions on tensors, each with its source.

Shapes: B answers of at most T tokens. Every tensor is (B, T), one entry for each token of an answer; `mask`
is True on the tokens that were sampled, the end-of-turn token included, and False on the padding behind them.

Sources: PPO: Schulman et al. 2017, arXiv:1707.06347. GAE: Schulman et al. 2015, arXiv:1506.02438. PPO for
language models: Ziegler et al. 2019, arXiv:1909.08593; Ouyang et al. 2022, arXiv:2203.02155. Details that
matter: Huang et al. 2022, "The 37 implementation details of proximal policy optimization", ICLR blog track;
for language models, Huang et al. 2024, arXiv:2403.17031.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_EPSILON = 1e-8
_LARGEST_LOG_RATIO = 20.0


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of the entries where `mask` is True; 0 where there are none. A scalar."""
    return values.masked_fill(~mask, 0.0).sum() / mask.sum().clamp(min=1)


def masked_variance(values: Tensor, mask: Tensor) -> Tensor:
    """The unbiased variance (Bessel's correction) of the entries where `mask` is True. A scalar."""
    squares = (values - masked_mean(values, mask)).square()
    return squares.masked_fill(~mask, 0.0).sum() / (mask.sum() - 1).clamp(min=1)


def whiten(values: Tensor, mask: Tensor, *, shift: bool = True) -> Tensor:
    """Scale the masked entries to variance 1, and with `shift` to mean 0; 0 where `mask` is False.

    Advantages are whitened so (the 37 details, number 7). Without `shift` the mean stays what it was: so are
    rewards, as in the code of arXiv:1909.08593 (openai/lm-human-preferences).
    """
    mean, variance = masked_mean(values, mask), masked_variance(values, mask)
    whitened = (values - mean) * torch.rsqrt(variance + _EPSILON)
    return (whitened if shift else whitened + mean).masked_fill(~mask, 0.0)


def kl_k1(log_ratio: Tensor) -> Tensor:
    """An estimate of KL(p ‖ q) for each sample x of p, from `log_ratio` = log p(x) - log q(x): the log ratio.

    Unbiased, of high variance, and negative for some samples. Source: J. Schulman, "Approximating KL
    divergence", 2020, http://joschu.net/blog/kl-approx.html.
    """
    return log_ratio


def kl_k3(log_ratio: Tensor) -> Tensor:
    """Another: r - 1 - log r with r = q(x)/p(x). Unbiased as well, of lower variance, never negative.

    Source: see `kl_k1`.
    """
    return torch.expm1(-log_ratio) + log_ratio


def token_rewards(
    scores: Tensor, logprobs: Tensor, reference_logprobs: Tensor, mask: Tensor, kl_weight: float
) -> Tensor:
    """The reward of each token: -kl_weight · log(π/π_ref), and at an answer's last token its score as well.

    R(x, y) = r(x, y) - β log(π(y|x)/π_ref(y|x)): arXiv:1909.08593, equation 2; token by token, with the score
    at the end, as in its code and in arXiv:2203.02155, section 3.5.

    Args:
        scores: (B), of the reward model.
        logprobs: (B, T), of the tokens under the policy that sampled them.
        reference_logprobs: (B, T), under the reference.
    """
    rewards = (-kl_weight * kl_k1(logprobs - reference_logprobs)).masked_fill(~mask, 0.0)
    last = mask.sum(1) - 1
    rewards[torch.arange(len(rewards), device=rewards.device), last] += scores
    return rewards


def penalize_missing_end(scores: Tensor, ended: Tensor, penalty: float | None) -> Tensor:
    """Scores (B), less `penalty` where an answer did not end in time (`ended` (B) is False).

    arXiv:2403.17031 sets such scores to a constant (its "EOS trick"); taking something off, as TRL's PPO did,
    keeps their order.
    """
    return scores if penalty is None else scores - penalty * (~ended).to(scores)


def advantages_and_returns(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Generalized advantage estimation, and the returns that the value function is to learn.

    A_t = Σ_l (γλ)^l δ_{t+l} with δ_t = r_t + γ V(s_{t+1}) - V(s_t): arXiv:1506.02438, equation 16. The value
    after the last token is 0: the episode has ended. Returns are A_t + V(s_t), the λ-return.

    Args:
        rewards, values: (B, T); values[:, t] is that of the state before token t is sampled.

    Returns:
        Advantages and returns, (B, T) each, not whitened; 0 where `mask` is False.
    """
    values = values.masked_fill(~mask, 0.0)
    advantages = torch.zeros_like(rewards)
    ahead = torch.zeros_like(rewards[:, 0])
    following = torch.zeros_like(ahead)
    for t in reversed(range(rewards.shape[1])):
        delta = rewards[:, t] + gamma * following - values[:, t]
        # Padding holds no reward and no value, so what comes from it is 0.
        ahead = (delta + gamma * lam * ahead).masked_fill(~mask[:, t], 0.0)
        advantages[:, t] = ahead
        following = values[:, t]
    return advantages, (advantages + values).masked_fill(~mask, 0.0)


def policy_losses(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, clip: float
) -> tuple[Tensor, Tensor]:
    """The clipped objective of each token, to be minimised, and where clipping took effect (bool).

    -min(ρ A, clip(ρ, 1-ε, 1+ε) A) with ρ = π(a|s)/π_old(a|s): arXiv:1707.06347, equation 7. Only log ρ within
    ±20 counts (as in verl, arXiv:2409.19256): a worse token that has become e^50 times as probable would make
    gradients that no float32 holds.
    """
    ratio = bounded(logprobs - old_logprobs).exp()
    plain = -advantages * ratio
    clipped = -advantages * ratio.clamp(1 - clip, 1 + clip)
    return torch.maximum(plain, clipped), clipped > plain


def bounded(log_ratio: Tensor) -> Tensor:
    """Log ratios within what can be computed with; outside there is no gradient."""
    return log_ratio.clamp(-_LARGEST_LOG_RATIO, _LARGEST_LOG_RATIO)


def value_losses(values: Tensor, old_values: Tensor, returns: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Half the squared error of each value, the larger of plain and clipped, and where it was clipped (bool).

    ½ max((V - R)², (clip(V, V_old - ε, V_old + ε) - R)²): the value clipping of OpenAI's baselines (the 37
    details, number 9; Engstrom et al. 2020, arXiv:2005.12729, section 3).
    """
    clipped_values = torch.clamp(values, old_values - clip, old_values + clip)
    plain, clipped = (values - returns).square(), (clipped_values - returns).square()
    return 0.5 * torch.maximum(plain, clipped), clipped > plain


def entropy(logits: Tensor) -> Tensor:
    """The entropy of each distribution in nats: (..., V) -> (...). log Σ exp(z) - Σ p z."""
    return logits.logsumexp(-1) - (logits.softmax(-1) * logits).sum(-1)


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor) -> Tensor:
    """1 - Var(returns - values) / Var(returns): 1 for values that are right, 0 for a constant. A scalar.

    The usual diagnosis of a value function, as in OpenAI's baselines; 0 where the returns do not vary.
    """
    spread = masked_variance(returns, mask)
    share = 1 - masked_variance(returns - values, mask) / spread.clamp(min=_EPSILON)
    return torch.where(spread > _EPSILON, share, torch.zeros_like(share))


def rate_factor(step: int, total: int, warmup: int, schedule: str) -> float:
    """The share of the learning rate in a step (from 0): up in `warmup` steps, then as the schedule says.

    Unlike transformers' schedules it does not begin at 0: the first rollouts would be learned from in vain.
    """
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return {"constant": 1.0, "linear": 1 - done, "cosine": 0.5 * (1 + math.cos(math.pi * done))}[schedule]


@dataclass(slots=True)
class KLController:
    """The price of a nat of distance from the reference: fixed, or steered towards a target.

    e = clip((KL - target)/target, -0.2, 0.2); weight ← weight · (1 + K e): arXiv:1909.08593, section 2.2,
    with K = answers/horizon, as in its code (openai/lm-human-preferences).

    Args:
        weight: β, the price now.
        adaptive: whether it changes.
        target: KL of whole answers to aim at, nats.
        horizon: answers over which a deviation is corrected.
    """

    weight: float
    adaptive: bool
    target: float
    horizon: int

    def update(self, kl: float, answers: int) -> None:
        """After `answers` rollouts whose mean KL was `kl` nats an answer."""
        if self.adaptive:
            error = min(max(kl / self.target - 1, -0.2), 0.2)
            self.weight *= 1 + error * answers / self.horizon
