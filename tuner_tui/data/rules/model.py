"""The shape of a rule and of a finding."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is. Compare with `rank`: an error outranks a warning."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """2 for an error, 1 for a warning, 0 for information."""
        return {"error": 2, "warning": 1, "info": 0}[self.value]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of fault: what it is in a few words, why it matters, what it looks like, what to do about it.

    `example` is short: what is wrong, or "wrong → right". `safe`: in the cases that have one right answer
    `tuner inspect --fix` mends it by itself.
    """

    id: str
    severity: Severity
    title: str
    explanation: str
    example: str
    mend: str
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place.

    `row` is 1-based, and None for the file as a whole; `field` is a path such as
    `messages[2].tool_calls[0].function.arguments.city`.
    """

    rule: str
    severity: Severity
    row: int | None
    field: str | None
    message: str
    fix: str
