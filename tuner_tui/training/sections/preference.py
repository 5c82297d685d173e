"""Learning from better and worse answers: in pairs, from labels, and as a model that scores."""

from typing import Literal

from tuner_tui.training.sections.base import Section, explained


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
