"""Trying answers out, several for each prompt, judged by rules: GRPO and RLOO."""

from pydantic import field_validator

from tuner_tui.data.answers.rewards import read_weights
from tuner_tui.training.sections.base import Section, explained


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
