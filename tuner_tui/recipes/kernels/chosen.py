"""What was chosen for a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FastPath:
    """What was chosen for a model.

    Attributes:
        layers: "fast", "liger" or "plain".
        attention: "varlen" or transformers' own name of it.
        checkpointing: "none", "selective" or "full", as it is in force.
        sentence: what was chosen and why, for a person.
    """

    layers: str
    attention: str
    checkpointing: str
    sentence: str
    parts: list[Any] = field(default_factory=list, repr=False)

    def remove(self) -> None:
        """Give the model back to transformers; Liger's layers stay."""
        for part in self.parts:
            part.remove()
        self.parts.clear()
