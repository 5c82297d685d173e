"""The rows that are learned from, and those on which base and tuned model are compared."""

from pathlib import Path
from typing import Literal

from tuner_tui.training.sections.base import Section, explained


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
        description="Answers generated at once; on a GPU as many as fit, but no fewer.",
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
