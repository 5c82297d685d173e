"""The time of a run before it starts."""

import math
from itertools import pairwise
from pathlib import Path

from tuner_tui.errors import UserError
from tuner_tui.runs.process import usable_cores
from tuner_tui.runs.reader import read_metrics
from tuner_tui.runs.store import list_runs
from tuner_tui.training.cards import Card
from tuner_tui.training.config import TrainConfig, parse_config
from tuner_tui.training.memory import Work
from tuner_tui.training.shapes import Shape

_REACHED = {"fast": 0.50, "liger": 0.44, "plain": 0.26}
"""Share of the data sheet's matrix speed that training reaches by these layers (measured on an H200:
benchmarks/train.py)."""

_CORE = 20e9
"""Operations a second of one CPU core in float32 training (measured with the embedded model)."""

_BYTES_A_TOKEN = 3.6
"""Of JSON text with calls and schemas, for a vocabulary of 100,000 and more."""

_SAMPLE = 4 << 20
_FLAT = 0.75, 1.5
"""Times the computed time: what a first estimate may be off by."""


def seconds(shape: Shape, work: Work, card: Card | None) -> tuple[tuple[float, float] | None, str]:
    """(low, high) seconds of training, and what they rest on, as a note."""
    config = work.config
    if measured := from_earlier_runs(config):
        return measured, "time: from the speed of earlier runs of this model"
    if config.method in ("ppo", "grpo", "rloo"):
        return None, "time: no earlier run of this method and model to judge by; --probe measures it"
    tokens = tokens_of_run(config)
    speed = tokens_per_second(shape, work, card)
    if tokens is None or speed is None:
        return None, "no earlier run of this model on this machine to judge the time by; --probe measures it"
    low, high = (tokens / speed * factor for factor in _FLAT)
    name = card.name if card and work.width == 2 else "this CPU"
    return (
        low,
        high,
    ), f"time: {tokens:,.0f} tokens at about {speed:,.0f} a second on {name}; --probe measures it"


def tokens_per_second(shape: Shape, work: Work, card: Card | None) -> float | None:
    """How many tokens are trained a second, from the operations that each costs; None for an unknown card.

    A frozen weight costs two operations forward and two backward (for the activations' gradient alone); one
    that is trained two more. Checkpointing repeats the forward pass. Attention adds 2·(q + q)·t a layer and
    pass for a row of t tokens, half of it masked. (Kaplan et al., arXiv:2001.08361, section 2.1.)
    """
    config = work.config
    on_card = work.width == 2  # nobody computes in 16 bits without one
    peak = (card.speed if card else None) if on_card else _CORE * usable_cores()
    if peak is None:
        return None
    passes = 2.0 + {"none": 0.0, "selective": 0.5, "full": 1.0}[work.checkpointing]
    if not work.lora:
        passes += 1.0
    if config.method in ("dpo", "kto"):
        passes += 1.0  # the reference
    attention = shape.layers * 2 * shape.query * config.data.max_length
    active = shape.linear_weights * shape.active_experts / shape.experts + shape.vocabulary * shape.hidden
    reached = _REACHED[work.path] if on_card else 1.0
    processes = config.launch.gpus * config.launch.nodes
    return reached * peak * processes / (passes * (2 * active + attention))


def tokens_of_run(config: TrainConfig) -> float | None:
    """Tokens that all steps of the run compute, by the size of its files; None where that cannot be told."""
    sizes = [_rows_and_length(path) for path in config.data.train]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    each = [min(length, config.data.max_length) for _, length in known]
    total = sum(rows * length for (rows, _), length in zip(known, each, strict=True))
    rows = sum(rows for rows, _ in known)
    if not rows:
        return None
    if config.optimization.max_steps is None:
        share = 1.0 if config.data.eval else 1.0 - config.data.eval_fraction
        return total * share * config.optimization.epochs
    row = config.data.max_length if config.data.packing else total / rows
    return config.optimization.max_steps * config.optimization.effective_batch * row


def _rows_and_length(path: Path) -> tuple[float, float] | None:
    """About how many rows a text file has, and tokens each; from its first megabytes."""
    if path.suffix not in (".jsonl", ".ndjson"):
        return None
    try:
        with path.open("rb") as file:
            head = file.read(_SAMPLE)
        size = path.stat().st_size
    except OSError:
        return None
    lines = head.count(b"\n") or 1
    width = len(head) / lines
    return size / width, width / _BYTES_A_TOKEN


def from_earlier_runs(config: TrainConfig) -> tuple[float, float] | None:
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
            one.method == other.method,
            one.model == other.model,
            one.quantization == other.quantization,
            one.lora == other.lora,
            one.launch == other.launch,
            one.data.train == other.data.train,
            one.data.max_length == other.data.max_length,
            one.data.packing == other.data.packing,
            one.optimization.micro_batch == other.optimization.micro_batch,
            one.optimization.effective_batch == other.optimization.effective_batch,
            one.optimization.gradient_checkpointing == other.optimization.gradient_checkpointing,
        )
    )
