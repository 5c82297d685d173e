"""The door to whatever answers: a local model, or a server; torch is imported only behind the first."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tuner_tui.evaluation.arms import (
    is_tuned,
    prompt_text,
    retrieves,
    split,
    with_examples,
    with_prompt,
)
from tuner_tui.evaluation.driver import Speaker
from tuner_tui.evaluation.layout import Request
from tuner_tui.evaluation.retrieve import Retriever
from tuner_tui.evaluation.tasks import Item, Messages

if TYPE_CHECKING:
    from tuner_tui.evaluation.speaking import Spoken


class Closing(Speaker, Protocol):
    """A speaker that holds something. `engine` says how it makes answers."""

    @property
    def engine(self) -> str: ...

    def close(self) -> None:
        """Let go of it."""


class Door(Protocol):
    """What is loaded once, for all arms."""

    def speaker(self, arm: str, cancelled: Callable[[], bool]) -> Closing:
        """What answers an arm's questions. To be closed."""

    def spoken(self, arm: str) -> "Spoken":
        """An arm's loaded model, for a suite that asks it by itself.

        Raises:
            UserError: a server shows none.
        """


def open_door(request: Request) -> Door:
    """Load the model, or look for the server.

    Raises:
        UserError: neither is there.
    """
    if request.endpoint is not None:
        from tuner_tui.evaluation.endpoint import Endpoint

        return Endpoint.of(request)
    return _Local(request)


def prepare(arm: str, training: Sequence[Path] = ()) -> Callable[[Item, Messages], Messages]:
    """What the arm makes of the messages of a question.

    Args:
        arm: its prompt counts.
        training: the files whose rows a prompt with retrieved examples takes.

    Raises:
        UserError: there are none to take.
    """
    prompt = prompt_text(arm)
    if not retrieves(arm):
        return partial(_with_prompt, prompt)
    retriever = Retriever(training)
    # A task asks about the same item many times.
    shown = lru_cache(maxsize=4096)(lambda item: retriever.shown(item.item))
    return lambda item, messages: with_prompt(messages, with_examples(prompt, shown(_Known(item))))


class _Known:
    """An item, told from others by its id."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def __hash__(self) -> int:
        return hash(self.item.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other.item.id == self.item.id


def _with_prompt(prompt: str, _item: Item, messages: Messages) -> Messages:
    return with_prompt(messages, prompt)


class _Local:
    def __init__(self, request: Request) -> None:
        # Here and not above: it takes seconds, and a complete evaluation does without.
        from tuner_tui.evaluation.generate import Generator

        self._request = request
        self._generator: Generator = Generator.load(
            request.model,
            request.adapter if any(map(is_tuned, request.arms)) else None,
            bits=request.bits,
            double=request.double,
            dtype=request.dtype,
        )

    def speaker(self, arm: str, cancelled: Callable[[], bool]) -> Any:
        from tuner_tui.evaluation.speaking import Decoding

        request = self._request
        decoding = Decoding(request.batch, request.max_new_tokens, request.temperature, request.seed)
        return self._generator.speaker(
            tuned=is_tuned(arm), decoding=decoding, cancelled=cancelled, constrained=split(arm)[1]
        )

    def spoken(self, arm: str) -> "Spoken":
        return self._generator.spoken(is_tuned(arm))
