"""Examples -> token rows with a loss mask: only what the assistant says is learned.

The rows hold integers alone. Tool schemas and arguments never pass through Arrow, which would merge the keys
of different tools and fill them with nulls. transformers renders and tokenises here; which template, in which
shape, row by row or turn by turn, and what is learned is decided where the preview decides it
(`data.model_files`, `data.probe`, `data.masks`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from tuner_tui.data.examples import Example, Message, conversation
from tuner_tui.data.rendering import masks
from tuner_tui.data.rendering.model_files import own_sources, training_sources
from tuner_tui.data.rendering.probe import Part, lost_parts, obstacles, parts_of, probe
from tuner_tui.data.rendering.template import marks_generation
from tuner_tui.errors import UserError

IGNORED = -100
"""The label that PyTorch's cross-entropy passes over."""


@dataclass(frozen=True, slots=True)
class TokenRows:
    """What the trainer gets, and what was lost on the way.

    Args:
        rows: `input_ids` and `labels` (`IGNORED` where nothing is learned), of equal length each.
        cut: places in the given examples of those that were longer than allowed.
        empty: places of those of which nothing was left to learn.
        unended: how many rows do not teach the end-of-turn token, because of the template or of the limit.
    """

    rows: list[dict[str, list[int]]]
    cut: list[int]
    empty: list[int]
    unended: int

    @property
    def tokens(self) -> int:
        """Tokens of all rows."""
        return sum(len(row["input_ids"]) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Side:
    """One rendering of a conversation. `prompt`: the tokens of what stands before the answer, up to where the
    assistant speaks; `ids`: those of the whole, which need not begin with all of them; `mask`: which of
    `ids` are learned."""

    prompt: list[int]
    ids: list[int]
    mask: list[bool]


_REFUSALS = (TemplateError, ValueError, TypeError, KeyError)
"""What a template, a program that somebody else wrote, raises when it is given what it does not expect."""


class Renderer:
    """Turns examples to token rows with the chat template of one tokenizer.

    A template with `{% generation %}` markers says itself what the assistant says. For a known template
    without them TRL has a copy that has them. For any other, each assistant turn becomes a row of its own, in
    which the turn is learned and what stands before it is not: slower, and right.
    """

    def __init__(self, tokenizer: Any, ends: Collection[int] = ()) -> None:
        """Choose the template, and probe it.

        Args:
            tokenizer: of transformers, with a chat template.
            ends: the tokens at which the model stops, beside the tokenizer's own.
        """
        self._tokenizer = tokenizer
        own = tokenizer.chat_template
        self._sources = training_sources(own_sources(own if isinstance(own, dict) else {"default": own}))
        self._ends = {*ends, tokenizer.eos_token_id} - {None}
        self._probed = probe(lambda messages, tools, prompt: str(self._apply(messages, tools, prompt)))

    @property
    def by_turn(self) -> bool:
        """Whether each assistant turn becomes a row of its own."""
        return not marks_generation(self._sources.tools)

    def require(self, examples: Iterable[Example]) -> str:
        """See that the template shows all that the examples hold: some drop or refuse tools, calls, results
        or parallel calls.

        Reasoning that is dropped is no reason to stop: it is returned in words, empty when nothing is.

        Raises:
            UserError: what else is lost.
        """
        needed: set[Part] = set()
        for example in examples:
            needed |= parts_of(example)
        if lost := obstacles(self._probed, needed):
            raise UserError(
                f"the chat template of this model {lost}, which the data use; take a model whose template "
                "supports that, or leave such rows out (`tuner inspect --model` says more)."
            )
        return lost_parts(self._probed, needed)

    def rows(self, examples: Sequence[Example], max_length: int) -> TokenRows:
        """Token rows of all examples, each cut at its end to `max_length` tokens.

        Raises:
            UserError: the template refuses an example.
        """
        rows: list[dict[str, list[int]]] = []
        cut: list[int] = []
        empty: list[int] = []
        unended = 0
        for place, example in enumerate(examples):
            try:
                made = list(self._rows_of(example))
            except _REFUSALS as error:
                raise _refused(place, error) from error
            if any(len(ids) > max_length for ids, _ in made):
                cut.append(place)
            kept = [(ids[:max_length], mask[:max_length]) for ids, mask in made if any(mask[:max_length])]
            if not kept:
                empty.append(place)
            for ids, mask in kept:
                unended += not masks.teaches_end(ids, mask, self._ends)
                labels = [token if learned else IGNORED for token, learned in zip(ids, mask, strict=True)]
                rows.append({"input_ids": ids, "labels": labels})
        return TokenRows(rows, cut, empty, unended)

    def prompt(self, example: Example) -> list[int]:
        """The tokens of a conversation, tools shown, up to where the assistant speaks for the last time.

        Raises:
            UserError: the template refuses it.
        """
        messages = example["prompt"] if "prompt" in example else _to_last_answer(conversation(example))
        try:
            encoded = self._encode(messages, example.get("tools") or None, add_generation_prompt=True)
        except _REFUSALS as error:
            raise UserError(f"the model's chat template refuses a conversation: {error}.") from error
        return list(encoded["input_ids"])

    def after_end(self) -> list[int]:
        """What the template writes behind the token that ends an assistant's turn: often a line break."""
        turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        ids = list(self._encode(turns, None)["input_ids"])
        end = max((place for place, token in enumerate(ids) if token in self._ends), default=len(ids) - 1)
        return ids[end + 1 :]

    def sides(self, example: Example, place: int) -> list[Side]:
        """The answers of a preference pair (the chosen one first) or of a labelled row, each as a whole row.

        Args:
            place: of the example, from 0, for the message.

        Raises:
            UserError: the template refuses the example.
        """
        tools = example.get("tools") or None
        marked = marks_generation(self._sources.of(tools))
        try:
            return [self._side(piece, tools, marked) for piece in masks.sides(example, marked=marked)]
        except _REFUSALS as error:
            raise _refused(place, error) from error

    @property
    def ends(self) -> frozenset[int]:
        """The tokens at which the model stops."""
        return frozenset(self._ends)

    def prompt_text(self, messages: Sequence[Message], tools: Sequence[Any] | None) -> str:
        """A conversation as the model sees it, tools shown, up to where the assistant speaks.

        Its tokens are those of the text alone, without special tokens added.

        Raises:
            UserError: the template refuses it.
        """
        try:
            return str(self._apply(self._probed.shape.apply(messages), tools, True))
        except _REFUSALS as error:
            raise UserError(f"the model's chat template refuses a conversation: {error}.") from error

    def _rows_of(self, example: Example) -> Iterable[tuple[list[int], list[bool]]]:
        tools = example.get("tools") or None
        marked = marks_generation(self._sources.of(tools))
        for piece in masks.pieces(conversation(example), marked=marked):
            side = self._side(piece, tools, marked)
            yield side.ids, side.mask

    def _side(self, piece: masks.Piece, tools: Any, marked: bool) -> Side:
        whole = self._encode(piece.messages, tools, return_assistant_tokens_mask=marked)
        before: list[int] | None = None
        if piece.prompt is not None:
            before = list(self._encode(piece.prompt, tools, add_generation_prompt=True)["input_ids"])
        ids = list(whole["input_ids"])
        mask = masks.learned_tokens(ids, before, whole["assistant_masks"] if marked else None)
        return Side(before or [], ids, mask)

    def _encode(self, messages: Any, tools: Any, **options: Any) -> Any:
        return self._tokenizer.apply_chat_template(
            self._probed.shape.apply(messages),
            tools=tools,
            chat_template=self._sources.of(tools),
            return_dict=True,
            **options,
        )

    def _apply(self, messages: Any, tools: Any, prompt: bool) -> Any:
        return self._tokenizer.apply_chat_template(
            messages,
            tools=tools or None,
            chat_template=self._sources.of(tools),
            add_generation_prompt=prompt,
            tokenize=False,
        )


def _to_last_answer(messages: Sequence[Message]) -> Sequence[Message]:
    answers = [place for place, message in enumerate(messages) if message["role"] == "assistant"]
    return messages[: answers[-1]] if answers else messages


def _refused(place: int, error: Exception) -> UserError:
    return UserError(f"the model's chat template refuses example {place + 1}: {error}.")
