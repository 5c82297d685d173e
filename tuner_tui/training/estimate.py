"""Memory and time before the run, from the model's `config.json` and the configuration alone.

The memory is counted part by part in `memory.py`; it is for the longest rows, and a real run stays somewhat
below. The time comes from earlier runs that computed the same, else from the operations that a token costs.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tuner_tui.training import cards, duration, memory
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.data_fit import data_refusals
from tuner_tui.training.preflight import template_refusal
from tuner_tui.training.shapes import Shape, model_shape

_LARGE = 10**9
"""Weights. A model beyond this is trained on a GPU, in bfloat16; one below may be trained anywhere."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will need, on each GPU.

    Args:
        parts: bytes by part.
        total: their sum: what the GPU must have free.
        reserved: the sum without what CUDA takes for itself: the peak of PyTorch's allocator.
        seconds: (low, high); None when nothing is known of the speed.
        notes: what it rests on, in sentences.
    """

    parts: dict[str, int]
    total: int
    reserved: int
    seconds: tuple[float, float] | None
    notes: list[str] = field(default_factory=list)


def estimate(config: TrainConfig, card: cards.Card | None = None) -> Estimate:
    """What the run will need.

    Args:
        card: the GPU that it is for; by default the one that is here, if any.

    Raises:
        UserError: the model's config.json is not on this machine, or not understood.
    """
    shape = model_shape(config.model.name)
    work = work_on(shape, config, card)
    parts = memory.parts(shape, work)
    reserved = sum(parts.values())
    parts["context"] = memory.CONTEXT
    seconds, source = duration.seconds(shape, work, card or cards.detect())
    notes = _notes(shape, work)
    notes.append(source)
    notes[:0] = [f"this run would have nothing to learn from: {each}" for each in data_refusals(config)]
    if refusal := template_refusal(config):
        notes.insert(0, f"this run would be refused: {refusal}; take another model")
    return Estimate(parts, reserved + parts["context"], reserved, seconds, notes)


def work_on(shape: Shape, config: TrainConfig, card: cards.Card | None = None) -> memory.Work:
    """How a configuration computes: in how many bits, by which layers, how many tokens at once."""
    here = Path("/proc/driver/nvidia").exists()
    on_gpu = card is not None or here or shape.weights > _LARGE
    half = config.model.dtype == "bfloat16" or (config.model.dtype == "auto" and on_gpu)
    return memory.work_of(shape, config, half=half, on_gpu=on_gpu)


def _notes(shape: Shape, work: memory.Work) -> list[str]:
    config = work.config
    notes = [f"for {work.tokens:,} tokens at once: the micro-batch, each row of the longest length"]
    if config.method in ("dpo", "reward"):
        notes[0] = f"for {work.tokens:,} tokens at once: both rows of each pair, of the longest length"
    layers = {"fast": "tuner's fast layers", "liger": "Liger's layers", "plain": "the model's own layers"}
    notes.append(f"computing in {'bfloat16' if work.width == 2 else 'float32'}, by {layers[work.path]}")
    if config.launch.gpus * config.launch.nodes > 1:
        how = (
            "a part of the weights each (not estimated: this counts them all, and loading may take more)"
            if config.launch.engine in ("fsdp", "deepspeed")
            else "all of it each"
        )
        notes.append(f"for each of {config.launch.gpus * config.launch.nodes} GPUs, which hold {how}")
    if shape.experts > 1:
        notes.append("of a mixture of experts, the adapter takes the attention layers alone")
        if config.quantization.bits:
            notes.append("the experts stay in 16 bits: bitsandbytes quantises linear layers alone")
    if config.method == "ppo":
        notes.append(
            "with the value model's adapter; answers are made in the same memory before they are learned"
        )
    return notes
