"""Trying answers out, judged by a reward model."""

from typing import Literal

from tuner_tui.training.sections.base import Section, explained


class PPOConfig(Section):
    """Learning from a reward model, by trying answers out (arXiv:1707.06347, arXiv:2203.02155)."""

    reward_model: str | None = explained(
        None,
        title="Reward model",
        description="A run of the method reward (its id or folder), or its adapter's folder; it must have "
        "been trained on the same base model.",
    )
    rollouts: int = explained(
        64,
        title="Rollouts",
        description="Answers tried out for each update; a multiple of the effective batch.",
        low="noisy updates.",
        high="longer between updates.",
        unit="answers",
        ge=2,
        le=65_536,
    )
    epochs: int = explained(
        4,
        title="Passes over the rollouts",
        description="How often each batch of rollouts is learned from before new ones are made.",
        low="the rollouts are wasted.",
        high="the policy leaves the rollouts behind; clipping stops it.",
        ge=1,
        le=100,
    )
    gamma: float = explained(
        1.0,
        title="Discount",
        description="Weight of a reward one token later; 1 for answers that end.",
        gt=0,
        le=1,
    )
    lam: float = explained(
        0.95,
        title="GAE lambda",
        description="Between one-step values (0) and whole returns (1) in the estimate of the advantage "
        "(arXiv:1506.02438).",
        low="trusts the value head too early.",
        high="noisy advantages.",
        ge=0,
        le=1,
    )
    clip: float = explained(
        0.2,
        title="Clip range",
        description="The probability ratio of new to old policy counts only within 1 ± this.",
        low="tiny updates.",
        high="updates that break the policy.",
        gt=0,
        lt=1,
    )
    value_clip: float = explained(
        0.2,
        title="Value clip range",
        description="New values count only within this distance of the old ones.",
        gt=0,
    )
    value_learning_rate: float | None = explained(
        None,
        title="Learning rate of values",
        description="The value function has weights of its own, and may learn faster than the policy. Empty: "
        "the policy's.",
        gt=0,
        le=1,
    )
    kl_weight: float = explained(
        0.05,
        title="KL weight",
        description="Price of each nat of distance from the base model, taken off the reward; where the "
        "control is adaptive, the first one.",
        low="the policy finds answers that fool the reward model.",
        high="the policy stays what it was.",
        ge=0,
    )
    kl_control: Literal["fixed", "adaptive"] = explained(
        "fixed",
        title="KL control",
        description="adaptive changes the price until the distance is the target (arXiv:1909.08593).",
    )
    kl_target: float = explained(
        6.0,
        title="KL target",
        description="Distance from the base model that adaptive control aims at, in nats an answer.",
        gt=0,
    )
    kl_horizon: int = explained(
        10_000,
        title="KL horizon",
        description="Answers over which adaptive control corrects the price; larger is slower.",
        unit="answers",
        ge=1,
    )
    whiten_rewards: bool = explained(
        False,
        title="Whiten rewards",
        description="Scale the rewards of a batch to variance 1: for reward models of unknown scale.",
    )
    missing_eos_penalty: float | None = explained(
        1.0,
        title="Penalty for no end",
        description="Taken off the reward of an answer that does not end in time. Empty: none.",
        ge=0,
    )
    max_new_tokens: int = explained(
        128,
        title="Longest answer",
        description="Tokens after which a rollout is cut off.",
        low="answers cannot end, and are punished for it.",
        high="rollouts take longer.",
        unit="tokens",
        ge=1,
        le=32_768,
    )
    temperature: float = explained(
        1.0,
        title="Temperature",
        description="Of the rollouts. 1 samples the policy itself.",
        low="little is tried out, little is learned.",
        high="nonsense is tried out.",
        gt=0,
        le=10,
    )
    sample_batch: int = explained(
        32,
        title="Sampled at once",
        description="Answers sampled at once. Results hardly depend on it; memory and speed do.",
        low="the hardware idles.",
        high="memory runs out.",
        unit="answers",
        ge=1,
        le=4096,
    )
