"""The methods, and which settings mean anything to which of them."""

from typing import Literal

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
