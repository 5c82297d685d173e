"""The sections of a TrainConfig that only some methods have, and the one that says where a run computes."""

from typing import Literal, Self

from pydantic import field_validator, model_validator

from tuner_tui.data.answers.rewards import read_weights
from tuner_tui.training.sections import Section, explained

Method = Literal["sft", "dpo", "kto", "reward", "ppo", "grpo", "rloo"]
METHODS: tuple[Method, ...] = ("sft", "dpo", "kto", "reward", "ppo", "grpo", "rloo")

_MEANT_FOR: dict[str, tuple[Method, ...]] = {
    "preference": ("dpo", "kto"),
    "preference.loss": ("dpo",),
    "preference.desirable_weight": ("kto",),
    "preference.undesirable_weight": ("kto",),
    "reward": ("reward",),
    "ppo": ("ppo",),
    "grpo": ("grpo", "rloo"),
    "lora.enabled": ("sft",),
    # A reward model scores answers and gives none.
    "evaluation": ("sft", "dpo", "kto", "ppo", "grpo", "rloo"),
}


def applies(place: str, method: str) -> bool:
    """Whether a section of the configuration, or one field of it ("preference.loss"), means anything to a
    method; most mean something to all."""
    section = place.partition(".")[0]
    return all(method in _MEANT_FOR.get(each, METHODS) for each in (section, place))


class PreferenceConfig(Section):
    """Learning from better and worse answers (DPO, arXiv:2305.18290; KTO, arXiv:2402.01306)."""

    loss: Literal["sigmoid", "ipo"] = explained(
        "sigmoid",
        title="Loss",
        description="sigmoid: DPO as published. ipo: a fixed margin between the two answers "
        "(arXiv:2310.12036), for few or noisy pairs. KTO has a loss of its own.",
    )
    beta: float = explained(
        0.1,
        title="Beta",
        description="How strongly the model is held to the base model it began as.",
        low="the model drifts far from the base to please the pairs; other abilities suffer.",
        high="the pairs hardly change anything.",
        gt=0,
        le=100,
    )
    desirable_weight: float = explained(
        1.0,
        title="Weight of good answers",
        description="KTO only: weight of the answers labelled good. Good and bad answers should weigh about "
        "the same in sum, so raise this where the good ones are fewer.",
        gt=0,
    )
    undesirable_weight: float = explained(
        1.0,
        title="Weight of bad answers",
        description="KTO only: weight of the answers labelled bad.",
        gt=0,
    )


class RewardConfig(Section):
    """A model that scores answers, learned from comparisons: the second step of RLHF."""

    center: float | None = explained(
        0.01,
        title="Centering",
        description="Weight of the pull of the two scores of a pair towards a sum of zero "
        "(arXiv:2312.09244), so that scores are comparable from prompt to prompt. Empty: none.",
        high="the model learns to score nothing.",
        ge=0,
    )


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


class GroupConfig(Section):
    """Learning from rewards that a program computes (GRPO, arXiv:2402.03300; RLOO, arXiv:2402.14740)."""

    generations: int = explained(
        8,
        title="Answers a prompt",
        description="Answers tried out for each prompt, and judged against each other. The effective batch "
        "counts answers, and must be a multiple of this.",
        low="a noisy comparison; where all answers get the same reward, nothing is learned.",
        high="time.",
        unit="answers",
        ge=2,
        le=1024,
    )
    beta: float = explained(
        0.02,
        title="KL weight",
        description="Pull towards the base model. grpo: weight of the divergence of each token in the loss; "
        "rloo: price of a nat of distance, taken off the reward of an answer. 0 needs no pass through the "
        "base model, and is faster.",
        low="the model may drift into answers that please the rewards alone.",
        high="the model stays what it was.",
        ge=0,
    )
    temperature: float = explained(
        1.0,
        title="Temperature",
        description="Of the answers that are tried out.",
        low="all answers of a prompt are alike, and nothing is learned.",
        high="nonsense is tried out.",
        gt=0,
        le=10,
    )
    max_new_tokens: int = explained(
        128,
        title="Longest answer",
        description="Tokens after which an answer is cut off. With executable tools: of all turns of an "
        "answer and the results between them.",
        low="answers cannot end, and earn little.",
        high="time: the longest answer of a batch keeps the others waiting.",
        unit="tokens",
        ge=1,
        le=32_768,
    )
    rewards: str = explained(
        "parses,declared,tool,arguments,no_call:4",
        title="Rewards",
        description="What is rewarded, with commas; each is worth up to 1, name:2 up to 2. Where a call is "
        "due: parses (it can be read, in the model's own format), declared (it calls tools that there are), "
        "tool (the right ones), arguments (the right share of them). Where none is due: no_call (an answer "
        "in words).",
        low="what is not rewarded is not learned.",
        min_length=1,
    )
    tools: str | None = explained(
        None,
        title="Executable tools",
        description="grpo only: a Python file whose public functions the model may call while it answers. "
        "They are the tools that it is shown, from their types and docstrings, and their results are put "
        "into the conversation. It is run: give only a file that you trust.",
    )
    tool_seconds: float = explained(
        10.0,
        title="Time for a tool",
        description="A call of an executable tool that takes longer is ended, and fails.",
        unit="seconds",
        gt=0,
        le=3600,
    )

    @field_validator("rewards")
    @classmethod
    def _known(cls, rewards: str) -> str:
        read_weights(rewards)
        return rewards


class LaunchConfig(Section):
    """Where the run computes."""

    gpus: int = explained(
        1,
        title="GPUs",
        description="Processes on each machine, one for each GPU.",
        unit="GPUs",
        ge=1,
        le=1024,
    )
    nodes: int = explained(
        1,
        title="Machines",
        description="Machines of a Slurm job; more than one needs Slurm.",
        unit="machines",
        ge=1,
        le=4096,
    )
    engine: Literal["auto", "ddp", "fsdp", "deepspeed"] = explained(
        "auto",
        title="Engine",
        description="ddp: a whole model on each GPU, the fastest where it fits. fsdp: the model is divided "
        "among the GPUs. deepspeed: ZeRO-3, where deepspeed is installed. auto: ddp.",
    )
    slurm: str | None = explained(
        None,
        title="Slurm",
        description="Options of sbatch, with commas, such as partition=gpu,time=04:00:00. Empty: the run "
        "starts on this machine at once.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.nodes > 1 and self.slurm is None:
            raise ValueError("nodes: more than one machine needs slurm; give slurm its options")
        return self
