"""Memory and time before the run, from the model's `config.json` and the configuration alone.

The formulas count what PyTorch keeps: each is derived from the tensors that transformers, peft and TRL save,
and was checked with `torch.autograd.graph.saved_tensors_hooks` on small models, and against an 8B Llama shape
on an H200 (benchmarks/train.py). They are for the longest rows; a real run stays somewhat below.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tuner_tui.errors import UserError
from tuner_tui.runs.reader import read_metrics
from tuner_tui.runs.store import list_runs
from tuner_tui.training.config import TrainConfig, parse_config
from tuner_tui.training.preflight import template_refusal
from tuner_tui.training.shapes import Shape, model_shape

_LARGE = 10**9
"""Weights. A model beyond this is trained on a GPU, in bfloat16; one below may be trained anywhere."""

_GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Estimate:
    """`parts` and `total` in bytes; `seconds` as (low, high), None when nothing is known of the speed."""

    parts: dict[str, int]
    total: int
    seconds: tuple[float, float] | None
    notes: list[str] = field(default_factory=list)


def estimate(config: TrainConfig) -> Estimate:
    """What the run will need.

    Raises:
        UserError: the model's config.json is not on this machine, or not understood.
    """
    shape = model_shape(config.model.name)
    on_gpu = Path("/proc/driver/nvidia").exists() or shape.weights > _LARGE
    half = config.model.dtype == "bfloat16" or (config.model.dtype == "auto" and on_gpu)
    width = 2 if half else 4
    parts = {
        "base model": base_bytes(shape, config, width),
        "adapter and optimizer": adapter_bytes(shape, config),
        "activations": activation_bytes(shape, config, width),
        "peak of a step": peak_bytes(shape, config, width),
    }
    # The allocator's gaps (5 %), and the CUDA context or the libraries (each about 0.6 GB).
    parts["overhead"] = round(0.05 * sum(parts.values()) + 0.6 * _GIGABYTE)
    notes = [f"for {_tokens(config):,} tokens at once: the micro-batch, each row of the longest length"]
    notes.append(f"computing in {'bfloat16' if half else 'float32'}")
    if config.data.packing and config.optimization.gradient_checkpointing == "none":
        notes.append("packs of unequal length leave gaps: up to a third more may be reserved")
    if shape.experts > 1:
        notes.append("of a mixture of experts, the adapter takes the attention layers alone")
    if refusal := template_refusal(config):
        notes.insert(0, f"this run would be refused: {refusal}; take another model")
    seconds = _seconds(config)
    if seconds is None:
        notes.append("no earlier run of this model on this machine to judge the time by")
    else:
        notes.append("time: from the speed of earlier runs of this model")
    return Estimate(parts, sum(parts.values()), seconds, notes)


def base_bytes(shape: Shape, config: TrainConfig, width: int) -> int:
    """The frozen weights.

    NF4 takes 4 bits, and for each block of 64 weights a constant: 32 bits, or, quantised themselves, 8 bits
    and 32 for 256 of them (QLoRA, arXiv:2305.14314, section 3): 4.5 or 4.127 bits a weight. The rest keeps
    `width` bytes.
    """
    if config.quantization.bits is None:
        return shape.weights * width
    bits = 4 + 8 / 64 + 32 / (64 * 256) if config.quantization.double else 4 + 32 / 64
    return round(shape.linear_weights * bits / 8) + shape.other_weights * width


def adapter_bytes(shape: Shape, config: TrainConfig) -> int:
    """float32 weight and gradient, and Adam's two moments (float32; one byte each in the 8-bit optimizer)."""
    moments = 2 if config.optimization.optimizer == "paged_adamw_8bit" else 8
    return shape.adapter_weights(config.lora.r, config.lora.targets) * (4 + 4 + moments)


def activation_bytes(shape: Shape, config: TrainConfig, width: int) -> int:
    """What the whole forward pass keeps for the backward pass.

    Without checkpointing every layer keeps `_saved` for each token; with it, its input alone
    (arXiv:1604.06174). Packed rows under sdpa add a mask of tokens x tokens.
    """
    kept = width * shape.hidden
    if config.optimization.gradient_checkpointing == "none":
        kept = _saved(shape, config, width)
    mask = width * config.data.max_length**2 if config.data.packing else 0
    return _tokens(config) * shape.layers * kept + mask


def peak_bytes(shape: Shape, config: TrainConfig, width: int) -> int:
    """What comes on top at the busiest moment: the loss, or one layer in the backward pass.

    The layer: gradients inside it, one weight matrix unpacked from its 4 bits, and, with checkpointing, its
    activations computed anew. The loss: TRL computes head and loss together, in pieces of 4096 tokens and
    32768 words, never the logits of all tokens at once.
    """
    tokens = _tokens(config)
    layer = tokens * (4 * shape.feed_forward * shape.active_experts + 4 * shape.hidden) * width // 2
    if config.quantization.bits:
        layer += width * shape.hidden * shape.feed_forward
    if config.optimization.gradient_checkpointing != "none":
        layer += tokens * _saved(shape, config, width)
    piece = min(tokens, 4096) * min(shape.vocabulary, 32768) * 6
    return max(layer, 3 * width * shape.hidden * tokens + piece)


def _saved(shape: Shape, config: TrainConfig, width: int) -> int:
    """Bytes that one layer keeps for one token; measured by saved_tensors_hooks on 16-bit models.

    The adapter is float32: when the rest computes in 16 bits, each adapted layer keeps a copy of its input of
    its own, where otherwise query, key and value share one, and so do gate and up, and output and attention.
    """
    h, i = shape.hidden, shape.feed_forward * shape.active_experts
    q, heads = shape.query, shape.query + shape.key_value
    saved = 12 * h + 8 * i + (8 if shape.normalized_heads else 4) * heads + 14 * config.lora.r
    if config.lora.dropout:
        saved += 16 * h + 2 * i + 4 * q
    return saved + 6 * h + 2 * q if width == 2 else 2 * saved


def _tokens(config: TrainConfig) -> int:
    return config.optimization.micro_batch * config.data.max_length


def _seconds(config: TrainConfig) -> tuple[float, float] | None:
    """From the seconds per step of earlier runs that computed the same, and the steps of this one."""
    rates: list[float] = []
    steps: int | None = config.optimization.max_steps
    for run in list_runs():
        try:
            earlier = parse_config((run.path / "config.yaml").read_text("utf-8"), run.id)
        except (OSError, UserError):
            continue
        if not _alike(config, earlier):
            continue
        times = [(r["step"], r["time"]) for r in read_metrics(run.path) if "loss" in r]
        rates += [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(times) if b[0] > a[0]]
        if steps is None and earlier.data == config.data and run.status.total:
            steps = math.ceil(run.status.total * config.optimization.epochs / earlier.optimization.epochs)
    if not rates or steps is None:
        return None
    rates.sort()
    return steps * rates[len(rates) // 4], steps * rates[len(rates) - 1 - len(rates) // 4]


def _alike(one: TrainConfig, other: TrainConfig) -> bool:
    """Whether a step of both costs the same."""
    return all(
        (
            one.model == other.model,
            one.quantization == other.quantization,
            one.lora == other.lora,
            one.data.train == other.data.train,
            one.data.max_length == other.data.max_length,
            one.data.packing == other.data.packing,
            one.optimization.micro_batch == other.optimization.micro_batch,
            one.optimization.effective_batch == other.optimization.effective_batch,
            one.optimization.gradient_checkpointing == other.optimization.gradient_checkpointing,
        )
    )
