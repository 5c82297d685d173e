"""What is to be done with each chunk: plain values, so that a worker can be sent them."""

from dataclasses import dataclass
from pathlib import Path

from tuner_tui.data.layouts.formats import Format


@dataclass(frozen=True, slots=True)
class Task:
    """How the rows of one source are inspected.

    `token_share` is the share of the sound rows that are tokenised (0 to 1), when there is a `model`; which
    they are depends on their content alone. `max_length` is in tokens. `questions`: their keys are noted, to
    find leaks by. `signatures`: these are noted, to find near duplicates by. `extra_keys` are keys of the
    rows that say nothing about the conversation. Without `fast`, every row is converted and checked.
    """

    path: Path
    format: Format
    model: Path | None = None
    max_length: int | None = None
    token_share: float = 1.0
    questions: bool = False
    signatures: bool = False
    extra_keys: tuple[str, ...] = ()
    fast: bool = True
