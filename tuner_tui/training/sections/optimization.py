"""How it is learned, and what is noted and kept on the way."""

from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from tuner_tui.training.sections.base import Section, explained


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
