"""What is to be done with each chunk: plain values, so that a worker can be sent them."""

from dataclasses import dataclass
from pathlib import Path

from tuner_tui.data.formats import Format


@dataclass(frozen=True, slots=True)
class Task:
    """How the rows of one source are inspected.

    `token_share` is the share of the sound rows that are tokenised (0 to 1), when there is a `model`; which
    they are depends on their content alone. `max_length` is in tokens.
    """

    format: Format
    model: Path | None = None
    max_length: int | None = None
    token_share: float = 1.0
