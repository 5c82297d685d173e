"""The engine's inner loop: many exchanges at once, each asked for its next question as soon as it has one.

As many exchanges are under way as the model answers together with profit, and one that is over makes room
for the next: batches stay full even where one item takes one turn and another twenty, and what is over is
handed out to be stored at once.
"""

import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import orjson

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.errors import UserError
from tuner_tui.evaluation.lines import broken, stored_line, unjudged
from tuner_tui.evaluation.tasks import Answer, Ask, Exchange, Item, Messages, Outcome, Task, Weigh, Weights

_MOST_QUESTIONS = 1_000
"""An exchange that asks more often than this is a fault of its suite."""


_MOST_REFUSED = 16
"""So many refusals before anything is accepted mean that the suite and the model, or server, do not fit."""


class Stopped(Exception):
    """A watcher asked for the end, or the system did (SIGTERM)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer was made to one question, and another try would change nothing."""

    error: Literal["too_long", "refused"]
    words: str


class Speaker(Protocol):
    """A model, or a server, that answers many questions at once.

    `width` is the number of questions that it profits from having at once; `knows_format` is False where it
    does not show in which format the model wrote its calls.
    """

    @property
    def width(self) -> int: ...

    @property
    def knows_format(self) -> bool: ...

    def submit(self, key: int, ask: Ask) -> None:
        """Take a question; its answer comes out of `ready` under the same key."""

    def ready(self) -> list[tuple[int, Answer | Failure]]:
        """Wait until some of the submitted questions are answered. [] when none is open.

        Raises:
            Stopped: it was asked to end.
            UserError: it cannot answer at all, in words for a person.
        """

    def weigh(self, requests: Sequence[Weigh]) -> list[Weights] | None:
        """The weights of each request; None where the model cannot be asked for them."""


@dataclass(slots=True)
class _Active:
    item: Item
    exchange: Exchange
    prompt: Messages | None = None
    questions: int = 0
    tokens: int = 0
    seconds: float = 0.0
    failure: Failure | None = None
    weighing: Weigh | None = field(default=None)


def converse(
    task: Task,
    items: Sequence[Item],
    speaker: Speaker,
    prepare: Callable[[Item, Messages], Messages],
    cancelled: Callable[[], bool],
) -> Iterator[list[dict[str, Any]]]:
    """Go through all items; the lines to store, of those that are over, as they come.

    Args:
        task: the suite whose items these are.
        items: what to go through; the longest are begun first, so that a lack of memory shows at once.
        prepare: what the arm makes of the messages of a question.
        cancelled: whether to end; what is not over then is lost.

    Raises:
        Stopped: it was cancelled.
        UserError: from the speaker, or nothing can be put to the model.
    """
    waiting = sorted(items, key=_size)
    active: dict[int, _Active] = {}
    begun, accepted = 0, False
    held: list[dict[str, Any]] = []
    while waiting or active:
        lines: list[dict[str, Any]] = []
        while waiting and len(active) < speaker.width:
            item = waiting.pop()
            begun += 1
            try:
                active[begun] = _Active(item, task.begin(item))
            except Exception:
                lines.append(broken(task, item))
            else:
                _go_on(task, active, begun, speaker, prepare, lines)
        if cancelled():
            raise Stopped
        weighing = {key: each.weighing for key, each in active.items() if each.weighing}
        if weighing and len(weighing) == len(active):
            # Not before: an engine that answers has the model for itself.
            _weigh(task, active, weighing, speaker, prepare, lines)
        elif active:
            for key, answer in speaker.ready():
                if isinstance(answer, Failure) and answer.error == "too_long" and active[key].questions == 1:
                    lines.append(unjudged(task, active.pop(key).item, "too_long", answer.words))
                    continue
                _take(active[key], answer)
                _go_on(task, active, key, speaker, prepare, lines)
        held += lines
        if any(line["error"] != "refused" for line in held):
            accepted = True
        elif held and len(held) >= min(_MOST_REFUSED, len(items)) and not accepted:
            raise UserError(f"none of the first {len(held)} items could be put: {held[-1]['reason']}")
        if held and accepted:
            yield held
            held = []


def judge_given(task: Task, item: Item, answers: Sequence[Answer]) -> dict[str, Any] | None:
    """The line for an item whose answers were made elsewhere, in their order; None when its exchange wants
    more of them, or the weights of texts. What comes after its end is left aside."""
    try:
        each = _Active(item, task.begin(item))
        for answer in answers:
            question = each.exchange.question()
            if not isinstance(question, Ask):
                break
            each.prompt = each.prompt or question.messages
            each.exchange.answered(answer)
        if each.exchange.question() is not None:
            return None
        return _line(task, each, each.exchange.outcome(), knows_format=True)
    except Exception:
        return broken(task, item)


def _weigh(
    task: Task,
    active: dict[int, _Active],
    weighing: dict[int, Weigh],
    speaker: Speaker,
    prepare: Callable[[Item, Messages], Messages],
    lines: list[dict[str, Any]],
) -> None:
    found = speaker.weigh(list(weighing.values()))
    if found is None:
        lines += [unjudged(task, active.pop(key).item, "not_measured", "") for key in weighing]
        return
    for key, weights in zip(weighing, found, strict=True):
        each = active[key]
        each.weighing = None
        each.tokens += sum(weights.tokens)
        each.seconds += weights.seconds
        _tell(each, weights)
        _go_on(task, active, key, speaker, prepare, lines)


def _take(each: _Active, answer: Answer | Failure) -> None:
    if isinstance(answer, Failure):
        each.failure = each.failure or answer
        # It counts as an attempt that nobody can read, so that no suite gives it anything, not even for
        # keeping still.
        answer = Answer("", ParsedAnswer("", [], False, answer.words), 0, 0.0)
    each.tokens += answer.tokens
    each.seconds += answer.seconds
    _tell(each, answer)


def _tell(each: _Active, answer: Answer | Weights) -> None:
    try:
        each.exchange.answered(answer)
    except Exception:
        traceback.print_exc()
        each.questions = _MOST_QUESTIONS + 1


def _go_on(
    task: Task,
    active: dict[int, _Active],
    key: int,
    speaker: Speaker,
    prepare: Callable[[Item, Messages], Messages],
    lines: list[dict[str, Any]],
) -> None:
    """Put the exchange's next question, or take the exchange out, with a line, when it is over."""
    each = active[key]
    each.questions += 1
    try:
        if each.questions > _MOST_QUESTIONS:
            raise RuntimeError(f"the exchange about item {each.item.id} failed, or does not end")
        question = each.exchange.question()
        if isinstance(question, Ask):
            messages = prepare(each.item, question.messages)
            each.prompt = each.prompt or [dict(message) for message in messages]
            speaker.submit(key, Ask(messages, question.tools))
        elif isinstance(question, Weigh):
            each.prompt = each.prompt or list(question.messages or [])
            each.weighing = question
        else:
            del active[key]
            lines.append(_line(task, each, each.exchange.outcome(), speaker.knows_format))
    except Exception:
        active.pop(key, None)
        lines.append(broken(task, each.item))


def _line(task: Task, each: _Active, outcome: Outcome, knows_format: bool) -> dict[str, Any]:
    if not knows_format:
        verdict = {name: None if name == "strict_format" else yes for name, yes in outcome.verdict.items()}
        outcome = replace(outcome, strict=None, verdict=verdict)
    line = stored_line(task, each.item, outcome, each.prompt or [], each.tokens, each.seconds)
    if each.failure:
        error = "no_room" if each.failure.error == "too_long" else each.failure.error
        line |= {"error": error, "reason": each.failure.words}
    # What cannot be written is a fault of the suite too, and must not end the run when it is stored.
    orjson.dumps(line)
    return line


def _size(item: Item) -> int:
    return len(json.dumps(item.messages, default=str)) + len(json.dumps(item.tools, default=str))
