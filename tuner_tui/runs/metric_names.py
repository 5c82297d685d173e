"""The names in `metrics.jsonl`: what each means in a sentence, how its values are written, which tell most.

A name that is not known here is shown all the same, by itself. The names are those of the Trainer, of TRL's
trainers and of our own PPO; `eval_x` is `x` on held-out rows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

EVAL = "eval_"

Form = Literal["number", "share", "count", "bytes"]


@dataclass(frozen=True, slots=True)
class MetricNote:
    """`title` is a name in words, `text` says in a sentence what it is and how to read it."""

    title: str
    text: str = ""
    form: Form = "number"


_PREFERENCE_REWARD = "beta times how much likelier the answer has become than it was to the base model"

_NOTES: Mapping[str, MetricNote] = {
    "loss": MetricNote(
        "loss", "How far the model is from what it is taught; it should fall fast, then slowly."
    ),
    "learning_rate": MetricNote("learning rate", "Size of a step now."),
    "grad_norm": MetricNote("gradient norm", "Length of the gradient before clipping; jumps are a warning."),
    "mean_token_accuracy": MetricNote(
        "token accuracy", "Share of the learned tokens that the model would have written itself.", "share"
    ),
    "tokens_per_second": MetricNote(
        "tokens per second", "Speed, without evaluations and checkpoints.", "count"
    ),
    "memory_allocated": MetricNote("memory", "Most memory that was in use so far.", "bytes"),
    "memory_reserved": MetricNote(
        "memory reserved", "Most memory that PyTorch held, gaps included.", "bytes"
    ),
    "num_tokens": MetricNote("tokens seen", "Tokens trained on so far.", "count"),
    "epoch": MetricNote("epoch", "How often the rows have been seen."),
    "entropy": MetricNote(
        "entropy", "How undecided the model is, in nats a token; near 0 it always says the same."
    ),
    # Preference methods
    "rewards/accuracies": MetricNote(
        "accuracy", "Share of the pairs whose better answer gained more than the worse one.", "share"
    ),
    "rewards/margins": MetricNote(
        "margin", "How much more the better answers gained than the worse ones; it should grow."
    ),
    "rewards/chosen": MetricNote("reward of better", f"Of the better answers: {_PREFERENCE_REWARD}."),
    "rewards/rejected": MetricNote("reward of worse", f"Of the worse answers: {_PREFERENCE_REWARD}."),
    "logps/chosen": MetricNote(
        "log-prob. of better", "Log-probability of the better answers; a steep fall means that they get lost."
    ),
    "logps/rejected": MetricNote("log-prob. of worse", "Log-probability of the worse answers."),
    "logits/chosen": MetricNote("logits of better", "Mean logit of the better answers."),
    "logits/rejected": MetricNote("logits of worse", "Mean logit of the worse answers."),
    # Reward model
    "accuracy": MetricNote(
        "accuracy", "Share of the pairs whose better answer has the higher score.", "share"
    ),
    "margin": MetricNote("margin", "Score of the better answer less that of the worse one; it should grow."),
    "mean_reward": MetricNote("mean score", "Of all answers of the batch; near 0 with centering."),
    "min_reward": MetricNote("lowest score", "Of the batch."),
    "max_reward": MetricNote("highest score", "Of the batch."),
    # Methods that try answers out
    "reward": MetricNote("reward", "Mean reward of the answers that were tried out; it should rise."),
    "reward_std": MetricNote("spread of rewards", "Standard deviation; at 0 there is nothing to learn from."),
    "kl": MetricNote(
        "KL", "Distance from the base model, in nats; when it runs away, answers please the reward alone."
    ),
    "approx_kl": MetricNote("KL of an update", "Distance of the new policy from the one that sampled."),
    "kl_weight": MetricNote("KL weight", "Price of a nat of distance; moves under adaptive control."),
    "policy_loss": MetricNote("policy loss", "Of the clipped objective; its size says little."),
    "value_loss": MetricNote("value loss", "How wrong the value head is about the rewards to come."),
    "explained_variance": MetricNote(
        "explained variance", "How much of the returns the value head foresees; 1 is all, below 0 useless."
    ),
    "clip_fraction": MetricNote(
        "clip fraction",
        "Share of the tokens whose ratio was clipped; above 0.3 the updates are too large.",
        "share",
    ),
    "value_clip_fraction": MetricNote(
        "value clip fraction", "Share of the values that were clipped.", "share"
    ),
    "response_length": MetricNote("answer length", "Tokens of an answer, on average."),
    "eos_rate": MetricNote("ended", "Share of the answers that ended by themselves.", "share"),
    "completions/mean_length": MetricNote("answer length", "Tokens of an answer, on average."),
    "completions/clipped_ratio": MetricNote(
        "cut off", "Share of the answers that did not end in time.", "share"
    ),
    "frac_reward_zero_std": MetricNote(
        "groups alike",
        "Share of the prompts whose answers all got the same reward: nothing is learned there.",
        "share",
    ),
    "clip_ratio/region_mean": MetricNote(
        "clip fraction", "Share of the tokens whose ratio was clipped.", "share"
    ),
    "tools/call_frequency": MetricNote("tools called", "Calls of executable tools an answer."),
    "tools/failure_frequency": MetricNote(
        "calls failed", "Share of the calls of tools that failed.", "share"
    ),
}

_CHARTS: Mapping[str, tuple[str, ...]] = {
    "sft": ("loss", "mean_token_accuracy"),
    "dpo": ("loss", "rewards/accuracies", "rewards/margins", "logps/chosen"),
    "kto": ("loss", "rewards/margins", "kl", "rewards/chosen", "rewards/rejected"),
    "reward": ("accuracy", "margin", "loss"),
    "ppo": ("reward", "kl", "entropy", "clip_fraction", "value_loss"),
    "grpo": ("reward", "rewards/", "kl", "completions/mean_length", "frac_reward_zero_std"),
    "rloo": ("reward", "rewards/", "kl", "completions/mean_length", "frac_reward_zero_std"),
}
_SMALL: Mapping[str, tuple[str, ...]] = {
    "sft": ("learning_rate", "grad_norm", "mean_token_accuracy"),
    "dpo": ("rewards/accuracies", "rewards/margins", "grad_norm"),
    "kto": ("rewards/margins", "kl", "grad_norm"),
    "reward": ("margin", "loss", "grad_norm"),
    "ppo": ("kl", "entropy", "clip_fraction", "value_loss"),
    "grpo": ("kl", "entropy", "frac_reward_zero_std", "completions/mean_length"),
    "rloo": ("kl", "entropy", "frac_reward_zero_std", "completions/mean_length"),
}
_SPEED = ("tokens_per_second", "memory_allocated")
_BOOKKEEPING = frozenset({"step", "time", "num_tokens", "epoch", "runtime", "nonfinite"})


def note(name: str) -> MetricNote:
    """What is known of a metric; of an unknown one its name."""
    plain = name.removeprefix(EVAL)
    if plain in _NOTES:
        return _NOTES[plain]
    if plain.startswith("rewards/") and plain.endswith("/mean"):
        part = plain.removeprefix("rewards/").removesuffix("/mean")
        return MetricNote(f"reward {part}", f"Mean of the reward “{part}”.")
    if plain.startswith("rewards/") and plain.endswith("/std"):
        part = plain.removeprefix("rewards/").removesuffix("/std")
        return MetricNote(f"spread {part}", f"Standard deviation of the reward “{part}”.")
    return MetricNote(plain)


def charts(method: str, present: Collection[str]) -> list[str]:
    """The metrics that can be charted, those that tell most about the method first.

    The first is the method's main one, whether it is there by now or not; an `eval_` twin is part of its
    metric's chart.
    """
    plain = {name.removeprefix(EVAL) for name in present} - _BOOKKEEPING
    wanted = _CHARTS.get(method, _CHARTS["sft"])
    found = [wanted[0]]
    for name in wanted[1:]:
        if name.endswith("/"):
            found += sorted(each for each in plain if each.startswith(name) and each.endswith("/mean"))
        elif name in plain:
            found.append(name)
    return [*found, *sorted(plain - set(found), key=_order)]


def small_charts(method: str) -> tuple[str, ...]:
    """The metrics that stand beside the chart."""
    return (*_SMALL.get(method, _SMALL["sft"]), *_SPEED)


def _order(name: str) -> tuple[int, str]:
    """Known names first, in the order in which they are explained."""
    names = list(_NOTES)
    return (names.index(name), name) if name in _NOTES else (len(names), name)
