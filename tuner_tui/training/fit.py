"""The fastest way to compute the same run on a given card.

Only what does not change the result is chosen: how many rows at once, checkpointing, and whether the frozen
weights are held in 4 bits or 16. The effective batch, the learning rate and the longest row are never
touched.
"""

from dataclasses import dataclass
from itertools import product

from tuner_tui.errors import UserError
from tuner_tui.training import duration
from tuner_tui.training.cards import Card, detect, speed_of
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.estimate import Estimate, estimate, work_on
from tuner_tui.training.shapes import model_shape

MARGIN = 0.10
"""Share of the card that is left free: the estimate's own error."""

_DEQUANTISED = 3e12
"""Bytes a second that unpacking 4-bit weights writes (measured on an H200; memory-bound, as the card)."""

_ROW_TOKENS = 2048
"""Tokens at once from which matrix products are as fast as they become."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The configuration that was chosen.

    `changes` are the changed fields and their values, as `--set` takes them; `reasons` are sentences;
    `speed` is in tokens a second, relative to others of the same search where the card's own speed is not
    known.
    """

    config: TrainConfig
    estimate: Estimate
    changes: dict[str, object]
    reasons: list[str]
    speed: float


def card_named(text: str) -> Card:
    """The card that a person means: "here", its memory in GB ("24"), or its name and memory ("H100:80").

    Raises:
        UserError: it is none of these, or there is no GPU here.
    """
    if text == "here":
        found = detect()
        if found is None:
            raise UserError(
                "there is no NVIDIA GPU on this machine; name one, such as --fit 24 or --fit H100:80."
            )
        return found
    name, _, size = text.rpartition(":")
    try:
        memory = float(size)
    except ValueError:
        memory = 0.0
    if not 1 <= memory <= 10_000:
        raise UserError(
            f"--fit takes GB of memory, such as 24, or a name and GB, such as H100:80, not {text!r}."
        )
    return Card(name or f"a GPU with {size} GB", round(memory * 1e9), speed_of(name) if name else None)


def fit(config: TrainConfig, card: Card) -> Fit:
    """Choose micro-batch, checkpointing and quantization for the highest speed that fits.

    Packing is left as it is: it changes how many rows a step holds, and so what is learned.

    Raises:
        UserError: nothing fits, and what would help; or the model's shape is not known.
    """
    budget = card.memory * (1 - MARGIN)
    candidates: list[tuple[float, float, TrainConfig, Estimate]] = []
    smallest: Estimate | None = None
    for candidate in _candidates(config):
        guess = estimate(candidate, card)
        smallest = guess if smallest is None or guess.total < smallest.total else smallest
        if guess.total <= budget:
            candidates.append((_speed(candidate, card), -guess.total, candidate, guess))
    if not candidates:
        assert smallest is not None
        raise UserError(
            f"nothing fits into {card.memory / 1e9:.0f} GB: the least that this run takes is "
            f"{smallest.total / 1e9:.1f} GB; lower data.max_length, take a smaller model, or divide it among "
            "several GPUs (launch.engine: fsdp)."
        )
    speed, _, chosen, guess = max(candidates, key=lambda item: item[:2])
    changes = _changes(config, chosen)
    return Fit(chosen, guess, changes, _reasons(config, chosen, guess, card), speed)


def _candidates(config: TrainConfig) -> list[TrainConfig]:
    batch = config.optimization.effective_batch // max(1, config.launch.gpus * config.launch.nodes)
    rows = [count for count in range(1, batch + 1) if batch % count == 0]
    bits: list[int | None] = [None, 4] if config.lora.enabled else [None]
    made = []
    for count, checkpointing, width in product(rows, ("none", "selective", "full"), bits):
        candidate = config.model_copy(deep=True)
        candidate.optimization.micro_batch = count
        candidate.optimization.gradient_checkpointing = checkpointing  # type: ignore[assignment]
        candidate.quantization.bits = width  # type: ignore[assignment]
        made.append(candidate)
    return made


def _speed(config: TrainConfig, card: Card) -> float:
    """Tokens a second, or for an unknown card a number that orders the candidates."""
    shape = model_shape(config.model.name)
    work = work_on(shape, config, card)
    known = card if card.speed else Card(card.name, card.memory, 300e12, card.count)
    plain = duration.tokens_per_second(shape, work, known)
    assert plain is not None
    seconds = work.tokens / plain
    # Small products do not fill the card.
    seconds *= max(1.0, (_ROW_TOKENS / work.tokens) ** 0.5)
    if config.quantization.bits:
        passes = 2 + {"none": 0.0, "selective": 0.5, "full": 1.0}[work.checkpointing]
        seconds += passes * shape.quantised_weights * 2 / _DEQUANTISED
    return float(work.tokens / seconds)


def _changes(before: TrainConfig, after: TrainConfig) -> dict[str, object]:
    changes: dict[str, object] = {}
    for section, name in (
        ("optimization", "micro_batch"),
        ("optimization", "gradient_checkpointing"),
        ("quantization", "bits"),
    ):
        old, new = (getattr(getattr(config, section), name) for config in (before, after))
        if old != new:
            changes[f"{section}.{name}"] = new
    return changes


def _reasons(before: TrainConfig, after: TrainConfig, guess: Estimate, card: Card) -> list[str]:
    wanted = after.optimization
    reasons = [
        f"{guess.total / 1e9:.1f} of {card.memory / 1e9:.0f} GB: a tenth of the card stays free for what the "
        "estimate may be off by",
        {
            "none": "no checkpointing: the activations fit, so nothing has to be computed twice",
            "selective": "selective checkpointing: without any, the activations would not fit; every second "
            "layer is computed again",
            "full": "full checkpointing: the activations would not fit otherwise; about a third more time",
        }[wanted.gradient_checkpointing],
        "16-bit weights: they fit, and need no unpacking in every step"
        if after.quantization.bits is None
        else "4-bit weights: in 16 bits the model would not fit, or only with more checkpointing",
        f"{wanted.micro_batch} rows at once, {wanted.effective_batch // wanted.micro_batch} times a step: "
        f"the effective batch stays {wanted.effective_batch}, and so does the learning rate",
    ]
    if before.data.packing is False and before.method == "sft":
        reasons.append(
            "packing is off and stays off, since it changes how many rows a step holds; with short rows, "
            "turn it on and look at the effective batch"
        )
    return reasons
