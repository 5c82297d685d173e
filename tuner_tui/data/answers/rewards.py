"""What one answer earns: rewards that a program computes from the right calls, for GRPO and RLOO.

Each reward is between 0 and 1, or None where its question does not apply, which is the same for all answers
to one prompt. All but `no_call` give part of the credit for an answer that is partly right: a group of
answers that all earn the same teaches nothing.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.answers.scoring import argument_share, tool_names
from tuner_tui.data.examples import Call


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer beside what it should be.

    Args:
        gold: the right calls; empty where none is due.
        answer: what the model said, taken apart.
        tools: those that the model was shown.
        ended: whether the model ended its turn, rather than being cut off.
    """

    gold: Sequence[Call]
    answer: ParsedAnswer
    tools: Sequence[Mapping[str, Any]]
    ended: bool = True


def parses(attempt: Attempt) -> float | None:
    """1: calls, in the model's own format to the letter, and then the end. 0.5: calls that can be read, but
    are not in that format or have no end. 0.25: an attempt that cannot be read. 0: no attempt. None: no call
    is due."""
    if not attempt.gold:
        return None
    if not attempt.answer.attempted:
        return 0.0
    if attempt.answer.error is not None:
        return 0.25
    return 1.0 if attempt.answer.strict and attempt.ended else 0.5


def declared(attempt: Attempt) -> float | None:
    """The share of the calls that name a tool which was declared. None: no call is due."""
    if not attempt.gold:
        return None
    known = tool_names(attempt.tools)
    called = [call.name in known for call in attempt.answer.calls]
    return sum(called) / len(called) if called else 0.0


def tool(attempt: Attempt) -> float | None:
    """How far the tools called are the right ones: F1 of the two multisets of names. None: no call is due."""
    if not attempt.gold:
        return None
    wanted = Counter(call.name for call in attempt.gold)
    given = Counter(call.name for call in attempt.answer.calls)
    return 2 * (wanted & given).total() / (wanted.total() + given.total())


def arguments(attempt: Attempt) -> float | None:
    """The share of right arguments, missing and needless ones counted as wrong; a call that is missing, of
    another tool or one too many has none right. None: no call is due."""
    if not attempt.gold:
        return None
    rest = list(attempt.answer.calls)
    total = 0.0
    for want in attempt.gold:
        shares = [
            argument_share(want, call, attempt.tools) if call.name == want.name else -1 for call in rest
        ]
        best = max(range(len(rest)), key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= 0:
            total += shares[best]
            del rest[best]
    return total / max(len(attempt.gold), len(attempt.answer.calls))


def no_call(attempt: Attempt) -> float | None:
    """1: an answer in words, and then the end. 0: a call, an attempt at one, silence, or no end. None: a call
    is due."""
    if attempt.gold:
        return None
    return float(not attempt.answer.attempted and attempt.ended and bool(attempt.answer.content.strip()))


REWARDS: Mapping[str, Callable[[Attempt], float | None]] = {
    each.__name__: each for each in (parses, declared, tool, arguments, no_call)
}
"""The rewards by the names that the configuration uses."""


def read_weights(text: str) -> dict[str, float]:
    """Name → weight of a list such as "parses, arguments:2".

    Raises:
        ValueError: a name is none of `REWARDS` or stands twice, a weight is no number above zero, or nothing
            is there.
    """
    weights: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, colon, number = (part.strip() for part in item.partition(":"))
        if name not in REWARDS:
            raise ValueError(f'"{name}" is no reward; there are {", ".join(REWARDS)}')
        if name in weights:
            raise ValueError(f'"{name}" stands twice; give it one weight')
        weights[name] = _weight(name, number) if colon else 1.0
    if not weights:
        raise ValueError(f"name at least one of {', '.join(REWARDS)}")
    return weights


def _weight(name: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = 0.0
    if not 0 < weight <= 1000:
        raise ValueError(f'the weight of "{name}" must be a number above 0 and up to 1000, as in {name}:2')
    return weight
