"""What a suite is to the engine: items, an exchange with the model about each, and a verdict on it.

The engine knows nothing of tool calls, and a suite nothing of models: the engine asks an exchange what it
wants to know, lets the model answer many exchanges at once, and tells each its answer, until it has no more
questions. An item of one turn asks once; a task in an environment asks again after every call.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.answers.scoring import Verdict
from tuner_tui.data.examples import Call

Messages = list[dict[str, Any]]
Tools = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to measure.

    `messages` ends where the model has to answer first; `row` is 1-based in the suite's own order; `request`
    is what a person reads; `group` names what is alike and not independent (the tool, the task), by which
    the bootstrap draws: "" for the item itself; `category` is the part of the suite that has a rate of its
    own, "" for none.
    """

    id: str
    row: int
    request: str
    messages: Messages
    tools: Tools
    gold: list[Call]
    group: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """The model has to speak: an answer to `messages`, with `tools` on offer."""

    messages: Messages
    tools: Tools


@dataclass(frozen=True, slots=True)
class Weigh:
    """The model has to weigh texts: the log-likelihood of each of `texts` after `messages`, or after nothing.

    With `messages`, a text is weighed as the assistant's next words.
    """

    texts: Sequence[str]
    messages: Messages | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One generated answer: its text without the end-of-turn token, taken apart.

    `tokens` counts the end-of-turn token; `seconds` is the time of the work that it was part of, divided by
    the answers that were made in it. `cut`: it was stopped by the limit on new tokens.
    """

    text: str
    parsed: ParsedAnswer
    tokens: int
    seconds: float
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Weights:
    """What the model thinks of the texts of a `Weigh`: the sum of natural-log probabilities and the number of
    tokens of each."""

    log_likelihoods: list[float]
    tokens: list[int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one exchange ended; it is stored.

    Attributes:
        verdict: each measure of the suite, yes or no, None where it does not apply.
        right: the verdict as a whole; None where nothing is judged, only numbers are taken.
        error: a key of the suite's `error_types`, None when it is right.
        numbers: what is counted and not judged, such as steps or bits per byte.
        text, calls: the last answer, for a person to read.
        strict: that answer's calls were in the model's own format to the letter; None where it has no say.
        turns: the whole conversation, for suites of several turns.
    """

    verdict: Mapping[str, bool | None]
    right: bool | None
    error: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
    calls: Sequence[Call] = ()
    strict: bool | None = None
    turns: Messages | None = None


class Exchange(Protocol):
    """One item under way with one model."""

    def question(self) -> Ask | Weigh | None:
        """What the model is to do next; None when it is over. Asked again, it gives the same."""

    def answered(self, answer: Answer | Weights) -> None:
        """Take the model's answer to `question`. Raises nothing, whatever the model wrote."""

    def outcome(self) -> Outcome:
        """The verdict, once it is over."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One rate of a suite. `name` is the key in JSON, `title` what a person reads, `help` what it means."""

    name: str
    title: str
    help: str = ""


FUNCTION_CALLING = (
    Measure("full_match", "Exactly right", "items that need a call: the same calls, in any order"),
    Measure("tool_selection", "Right tool", "items that need a call: the right tools, as often as needed"),
    Measure("arguments", "Right arguments", "items where the right tools were called"),
    Measure("call_or_no_call", "Call or no call", "all items: called exactly where a tool serves"),
    Measure("no_call", "Kept without a call", "items that no tool serves"),
    Measure(
        "strict_format", "Strict format", "items that need a call: to the letter in the model's own format"
    ),
)
"""The measures of suites that compare calls with gold calls (the fields of `scoring.Verdict`)."""


class Task(Protocol):
    """A suite that is ready to run."""

    @property
    def name(self) -> str:
        """The suite's name, which is the name of its folder."""

    @property
    def title(self) -> str:
        """What a person reads."""

    @property
    def measures(self) -> Sequence[Measure]:
        """Its rates, the one that counts most first."""

    @property
    def error_types(self) -> Mapping[str, str]:
        """Error type -> what the model did, in words."""

    @property
    def items(self) -> Sequence[Item]:
        """All items, in the suite's order."""

    @property
    def rejected(self) -> int:
        """Rows that could not be used."""

    @property
    def notes(self) -> Sequence[str]:
        """What a reader of the figures has to know: what was left out, and what a figure does not say."""

    def begin(self, item: Item) -> Exchange:
        """Start with an item; the same item can be begun any number of times."""


@runtime_checkable
class Harness(Task, Protocol):
    """A suite that asks a loaded local model by itself, through the library that it comes from."""

    def ask(
        self, items: Sequence[Item], spoken: Any, batch: int, cancelled: Callable[[], bool]
    ) -> Iterator[list[dict[str, Any]]]:
        """Go through items with one arm's model (`speaking.Spoken`); the lines to store, as they come.

        Raises:
            Stopped: it was cancelled.
        """


class OneTurn:
    """The exchange of an item that is answered once; `judged` makes the outcome of the answer."""

    def __init__(self, item: Item, judged: Callable[[Answer], Outcome]) -> None:
        self._item = item
        self._judged = judged
        self._answer: Answer | None = None

    def question(self) -> Ask | None:
        return Ask(self._item.messages, self._item.tools) if self._answer is None else None

    def answered(self, answer: Answer | Weights) -> None:
        assert isinstance(answer, Answer)
        self._answer = answer

    def outcome(self) -> Outcome:
        assert self._answer is not None, "not over yet"
        return self._judged(self._answer)


def outcome_of(answer: Answer, verdict: Verdict) -> Outcome:
    """The outcome of an answer that was compared with gold calls."""
    fields = verdict.to_json()
    right, error = bool(fields.pop("right")), fields.pop("error")
    return Outcome(
        verdict=fields,
        right=right,
        error=error,
        text=answer.text,
        calls=answer.parsed.calls,
        strict=answer.parsed.strict,
    )
