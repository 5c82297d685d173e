"""What a suite is to the engine: items to answer, and a judge of answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.answers.scoring import Verdict
from tuner_tui.data.examples import Call


@dataclass(frozen=True, slots=True)
class Item:
    """One request. `messages` ends where the model has to answer; `row` is 1-based in the file."""

    id: str
    row: int
    request: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    gold: list[Call]


class Task(Protocol):
    """A suite that is ready to run."""

    @property
    def name(self) -> str:
        """The suite's name, which is the name of its folder."""

    @property
    def items(self) -> Sequence[Item]:
        """All items, in the order of the file."""

    @property
    def rejected(self) -> int:
        """Rows of the file that could not be used."""

    def judge(self, item: Item, answer: ParsedAnswer) -> Verdict:
        """The verdict on one answer."""
