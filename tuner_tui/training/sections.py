"""The sections of a TrainConfig.

Each field carries a title, a description (what it does) and, in `json_schema_extra`, what happens
when it is too `low` or too `high`, and its `unit`.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


def explained(
    default: Any = ...,
    *,
    title: str,
    description: str,
    low: str = "",
    high: str = "",
    unit: str = "",
    **limits: Any,
) -> Any:
    """A pydantic field whose explanation the form and the YAML show."""
    extra: dict[str, Any] = {
        key: text for key, text in (("low", low), ("high", high), ("unit", unit)) if text
    }
    return Field(default, title=title, description=description, json_schema_extra=extra or None, **limits)


class Section(BaseModel):
    """Strict: an unknown field is a mistake to be told, a number must be finite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_assignment=True)


class ModelConfig(Section):
    """The base model that is taught."""

    name: str = explained(
        "embedded",
        title="Base model",
        description='"embedded" (ships with tuner), a folder, or an id of the Hugging Face hub.',
        min_length=1,
    )
    adapter: str | None = explained(
        None,
        title="Start from adapter",
        description="A run (its id or folder) or an adapter's folder, merged into the base model before "
        "anything else: what it learned is kept, and is what the new run begins with. Empty: the base alone.",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = explained(
        "auto",
        title="Compute type",
        description="Number type of the computation; auto takes bfloat16 where the hardware has "
        "units for it, else float32. Adapter weights are float32 in any case.",
    )
    attention: Literal["auto", "varlen", "sdpa", "eager"] = explained(
        "auto",
        title="Attention",
        description="Attention kernel. varlen: for packed rows, no mask and no padding, on a GPU; sdpa: "
        "PyTorch's own choice; eager: slow, for models that have no other. auto: the fastest that works.",
    )
    kernels: Literal["auto", "off"] = explained(
        "auto",
        title="Fast kernels",
        description="auto replaces layers by faster ones that compute the same, on a GPU, where they are "
        "known to work; the log says which. off leaves the model as it is.",
    )


class QuantizationConfig(Section):
    """How the frozen base weights are stored."""

    bits: Literal[4] | None = explained(
        4,
        title="Bits",
        description="4 stores the base in NF4 (QLoRA): an 8B model in 6 GB. Empty keeps 16 or 32 "
        "bits (plain LoRA): faster where memory allows.",
        low="4 costs a little accuracy, and time for unpacking the weights in every step.",
        unit="bits",
    )
    double: bool = explained(
        True,
        title="Double quantization",
        description="Quantise the quantisation constants as well: 0.37 bits less for each weight, "
        "at no measurable loss (QLoRA, arXiv:2305.14314).",
    )


class LoraConfig(Section):
    """The adapter: the small matrices that are trained."""

    enabled: bool = explained(
        True,
        title="Adapter",
        description="off trains every weight of the base model instead (full fine-tuning), in float32: "
        "sixteen bytes a weight, and a tenth of the learning rate.",
    )
    r: int = explained(
        16,
        title="Rank",
        description="Inner size of the adapter matrices: how much the adapter can learn.",
        low="too little room for a new behaviour; the loss stays high.",
        high="more memory, and small datasets are learned by heart.",
        ge=1,
        le=512,
    )
    alpha: float = explained(
        32,
        title="Alpha",
        description="The adapter's output is scaled by alpha / rank; twice the rank is usual.",
        low="the adapter hardly speaks; training looks too slow.",
        high="as if the learning rate were too high; the loss jumps.",
        gt=0,
    )
    dropout: float = explained(
        0.0,
        title="Dropout",
        description="Share of the adapter's inputs that is dropped at random in training.",
        low="0 is the fastest and right for most runs.",
        high="slower, more memory; above 0.1 learning suffers.",
        ge=0,
        lt=1,
    )
    targets: str = explained(
        "all-linear",
        title="Target layers",
        description='"all-linear" (every linear layer but the head), or layer names with commas, '
        'such as "q_proj,v_proj".',
        low="attention layers alone learn less than all layers at the same rank.",
        min_length=1,
    )
    rslora: bool = explained(
        False,
        title="Rank-stabilized",
        description="Scale by alpha / √rank instead (arXiv:2312.03732): for ranks of 64 and more.",
    )
    dora: bool = explained(
        False,
        title="DoRA",
        description="Learn the length of each weight's column apart from its direction (arXiv:2402.09353): "
        "a little better at small ranks, a third slower.",
    )


class DataConfig(Section):
    """What is learned from."""

    train: list[Path] = explained(
        title="Training files",
        description="Files of conversations or calls, in any layout that `tuner inspect` knows.",
        min_length=1,
    )
    eval: Path | None = explained(
        None,
        title="Evaluation file",
        description="Rows that are never trained on, for the evaluation loss. Empty: a part of the "
        "training rows is set aside.",
    )
    eval_fraction: float = explained(
        0.1,
        title="Share set aside",
        description="Share of the training rows kept for the evaluation loss when there is no "
        "evaluation file; 0 does without.",
        low="a noisy evaluation loss, or none: over-training is not seen.",
        high="fewer rows to learn from, longer pauses.",
        ge=0,
        le=0.5,
    )
    split_by: Literal["row", "tool", "template"] = explained(
        "row",
        title="Set aside by",
        description="What is kept together when rows are set aside. row: rows that ask the same. template: "
        "rows made from one template, too, or a model that knows the template by heart looks better than it "
        "is. tool: some tools with all rows that call them, for the loss on tools that were never trained. "
        "Counts only without an evaluation file.",
    )
    max_length: int = explained(
        1024,
        title="Longest row",
        description="Tokens of one row; a longer one is cut at its end, and reported.",
        low="answers at the end of long rows are cut off and not learned.",
        high="memory grows with it.",
        unit="tokens",
        ge=16,
        le=1_048_576,
    )
    packing: bool = explained(
        False,
        title="Packing",
        description="Lay short rows end to end up to the longest length, each attending to itself "
        "alone. Much faster on a GPU when rows are short.",
    )


class OptimizationConfig(Section):
    """How it is learned."""

    learning_rate: float = explained(
        2e-4,
        title="Learning rate",
        description="Size of each step. For LoRA about ten times that of full fine-tuning.",
        low="the loss hardly falls.",
        high="the loss jumps or becomes NaN; old abilities are lost.",
        gt=0,
        le=1,
    )
    schedule: Literal["constant", "linear", "cosine"] = explained(
        "cosine",
        title="Schedule",
        description="How the learning rate goes after the warm-up: level, or down to zero.",
    )
    warmup_ratio: float = explained(
        0.03,
        title="Warm-up",
        description="Share of all steps in which the learning rate rises from zero.",
        low="a jump of the loss at the start.",
        high="steps spent at a rate too low to learn.",
        ge=0,
        le=0.5,
    )
    weight_decay: float = explained(
        0.0,
        title="Weight decay",
        description="Pull of the adapter weights towards zero.",
        high="the adapter forgets as it learns.",
        ge=0,
        le=1,
    )
    max_grad_norm: float = explained(
        1.0,
        title="Gradient clipping",
        description="Gradients longer than this are shortened to it; 0 turns clipping off.",
        low="every step is cut short; learning slows.",
        high="one bad row can throw the model off.",
        ge=0,
    )
    micro_batch: int = explained(
        1,
        title="Micro-batch",
        description="Rows computed at once. Results do not depend on it; memory and speed do.",
        low="the hardware idles.",
        high="memory runs out.",
        unit="rows",
        ge=1,
        le=4096,
    )
    effective_batch: int = explained(
        16,
        title="Effective batch",
        description="Rows (packs, with packing) per optimizer step; reached by accumulating "
        "micro-batches, so it must be a multiple of the micro-batch.",
        low="noisy steps.",
        high="fewer steps for the same data.",
        unit="rows",
        ge=1,
        le=65_536,
    )
    epochs: float = explained(
        1.0,
        title="Epochs",
        description="How often every row is seen. Counts only when the number of steps is empty.",
        low="under-trained.",
        high="rows are learned by heart: the evaluation loss rises while the training loss falls.",
        gt=0,
        le=1000,
    )
    max_steps: int | None = explained(
        None,
        title="Steps",
        description="Optimizer steps of the whole run; empty: as many as the epochs take.",
        low="under-trained.",
        high="rows are learned by heart.",
        unit="steps",
        ge=1,
    )
    optimizer: Literal["adamw_torch", "adamw_torch_fused", "paged_adamw_8bit"] = explained(
        "adamw_torch_fused",
        title="Optimizer",
        description="AdamW. The paged 8-bit one saves memory only where the adapter is huge.",
    )
    gradient_checkpointing: Literal["none", "selective", "full"] = explained(
        "none",
        title="Gradient checkpointing",
        description="Recompute activations in the backward pass. full: a fraction of the memory for "
        "about a third more time. selective: keeps what attention computed, for a little less time.",
    )

    @field_validator("gradient_checkpointing", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        """It was a switch once: yes and no are still understood."""
        return {True: "full", False: "none"}.get(value, value) if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _accumulates(self) -> Self:
        if self.effective_batch % self.micro_batch:
            raise ValueError(
                f"effective_batch ({self.effective_batch}) must be a multiple of micro_batch "
                f"({self.micro_batch})"
            )
        return self


class LoggingConfig(Section):
    """What is noted on the way, and kept."""

    log_every: int = explained(
        1,
        title="Log every",
        description="Optimizer steps between two points of the loss curve.",
        unit="steps",
        ge=1,
    )
    eval_every: int = explained(
        10,
        title="Evaluation loss every",
        description="Optimizer steps between two measurements of the evaluation loss; also "
        "measured at the end. 0: at the end only.",
        low="training pauses often.",
        high="over-training is seen late.",
        unit="steps",
        ge=0,
    )
    save_every: int = explained(
        50,
        title="Checkpoint every",
        description="Optimizer steps between two checkpoints; also written when a run is stopped.",
        low="time and disk.",
        high="more work lost in a crash.",
        unit="steps",
        ge=1,
    )
    keep_checkpoints: int = explained(
        2,
        title="Checkpoints kept",
        description="The newest ones; older ones are deleted.",
        ge=1,
    )


class EvaluationConfig(Section):
    """How base and tuned model are compared after the run."""

    heldout: Path | None = explained(
        None,
        title="Held-out items",
        description="Rows with known answers, never trained on. Empty: the evaluation file.",
    )
    batch: int = explained(
        8,
        title="Batch",
        description="Answers generated at once.",
        high="memory runs out.",
        unit="items",
        ge=1,
        le=1024,
    )
    max_new_tokens: int = explained(
        256,
        title="Longest answer",
        description="Tokens after which an answer is cut off.",
        low="right answers are cut, and count as wrong.",
        high="answers that never end cost time.",
        unit="tokens",
        ge=1,
        le=32_768,
    )
