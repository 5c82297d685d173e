"""A model's chat template and tokenizer: what the model will see of a row, and which tokens are trained.

Made of jinja2 and tokenizers alone, and token for token equal to transformers' `apply_chat_template(...,
return_dict=True, return_assistant_tokens_mask=True)` and to the labels that TRL makes of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from tokenizers import Tokenizer

from tuner_tui.data.examples import Example, Message, conversation
from tuner_tui.data.rendering import masks
from tuner_tui.data.rendering.encoded import Encoded, all_of, token_row
from tuner_tui.data.rendering.masks import Piece
from tuner_tui.data.rendering.model_files import (
    Sources,
    own_sources,
    read_ends,
    read_special_tokens,
    read_templates,
    read_tokenizer,
    training_sources,
)
from tuner_tui.data.rendering.probe import Probed, Render, probe
from tuner_tui.data.rendering.template import Span, Template, TemplateFailure
from tuner_tui.errors import UserError

NO_ENDS: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """One token: the text that it stands for (joined, they are the whole text), and whether it is trained."""

    id: int
    text: str
    trained: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row as the model sees it. `notes` are sentences about what is not to be seen in the text."""

    text: str
    tokens: list[TokenSpan]
    notes: tuple[str, ...] = ()

    @property
    def trained(self) -> int:
        """How many tokens are trained."""
        return sum(token.trained for token in self.tokens)


class ChatTemplate:
    """The chat template of one model, with its tokenizer. One thread at a time."""

    def __init__(
        self,
        own: Sources,
        special_tokens: Mapping[str, str],
        tokenizer: Tokenizer,
        *,
        name: str = "",
        ends: frozenset[int] = NO_ENDS,
    ) -> None:
        """Compile the templates that training uses for the model's `own`.

        Args:
            special_tokens: by the names that templates know, such as `eos_token`.
            name: the model's, for messages.
            ends: the tokens at which the model stops.

        Raises:
            TemplateFailure: one is not valid Jinja.
        """
        self.name = name
        self.ends = ends
        self._special_tokens = dict(special_tokens)
        self._tokenizer = tokenizer
        sources = training_sources(own)
        self._plain, self._tools = _compiled(sources)
        self._own = (self._plain, self._tools) if sources == own else _compiled(own)
        self.probed: Probed = probe(self._render_probe)

    @classmethod
    def load(cls, model: Path) -> Self:
        """Read the template and the tokenizer from a model's folder.

        Raises:
            UserError: there is no such folder, no `tokenizer.json` or no chat template, or one is broken.
        """
        own = own_sources(read_templates(model))
        tokenizer = read_tokenizer(model)
        special_tokens, ends = read_special_tokens(model), read_ends(model, tokenizer)
        try:
            return cls(own, special_tokens, tokenizer, name=model.name, ends=ends)
        except TemplateFailure as error:
            raise UserError(f"{model}: {error}; mend the template.") from None

    @property
    def marks_generation(self) -> bool:
        """Whether the template says which tokens the assistant wrote. If not, each assistant turn becomes a
        row of its own, in which what it adds is learned."""
        return self._tools.marks_generation

    def render(self, example: Example) -> Rendered:
        """The row as the model sees it; of a preference pair, the prompt and the chosen answer.

        Where the turns are trained in rows of their own and those rows are not the beginnings of the whole
        conversation, the rows are shown one after the other: they are what is trained.

        Raises:
            TemplateFailure: the template refuses the conversation.
        """
        messages, tools = conversation(example), example["tools"]
        pieces = masks.pieces(messages, marked=self._template(tools).marks_generation)
        rows = all_of(self._encode([(piece, tools) for piece in pieces], offsets=True))
        if isinstance(rows, TemplateFailure):
            raise rows
        text = self._render(messages, tools, False)[0]
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        notes = list(self._notes(messages, tools, text, len(rows)))
        if not all(row.ids == encoding.ids[: len(row.ids)] for row in rows):
            notes.append(
                "The template shows a turn differently once others follow: the rows are shown in turn."
            )
            tokens = [
                token for row in rows for token in _token_spans(row.text, row.ids, row.offsets, row.mask)
            ]
            return Rendered("".join(row.text for row in rows), tokens, tuple(notes))
        mask = [False] * len(encoding.ids)
        for row in rows:
            for place, learned in enumerate(row.mask):
                mask[place] |= learned
        return Rendered(text, _token_spans(text, encoding.ids, encoding.offsets, mask), tuple(notes))

    def rows(self, examples: Sequence[Example]) -> list[list[Encoded] | TemplateFailure]:
        """The token rows of many examples at once, which is faster; for one that the template refuses, its
        failure. See `masks.sides` for which rows an example makes. They come without offsets."""
        pieces: list[tuple[Piece, Sequence[Any]]] = []
        counts = []
        for example in examples:
            tools = example["tools"]
            made = masks.sides(example, marked=self._template(tools).marks_generation)
            pieces += [(piece, tools) for piece in made]
            counts.append(len(made))
        encoded = iter(self._encode(pieces, offsets=False))
        return [all_of([next(encoded) for _ in range(count)]) for count in counts]

    @cached_property
    def _own_text(self) -> Render | None:
        """Renders with the model's own template, None where training uses that very one."""
        plain, tool = self._own
        if tool is self._tools:
            return None

        def render(messages: Sequence[Any], tools: Sequence[Any], prompt: bool) -> str:
            template = tool if tools else plain
            return template.render(messages, tools, self._special_tokens, generation_prompt=prompt)[0]

        shape = probe(render).shape
        return lambda messages, tools, prompt: render(shape.apply(messages), tools, prompt)

    def _encode(
        self, pieces: Sequence[tuple[Piece, Sequence[Any]]], *, offsets: bool
    ) -> list[Encoded | TemplateFailure]:
        texts: list[tuple[str, list[Span], str | None] | TemplateFailure] = []
        for piece, tools in pieces:
            try:
                text, spans = self._render(piece.messages, tools, False)
                before = None if piece.prompt is None else self._render(piece.prompt, tools, True)[0]
                texts.append((text, spans, before))
            except TemplateFailure as failure:
                texts.append(failure)
        sound = [text for text in texts if not isinstance(text, TemplateFailure)]
        # Without offsets the tokenizer is faster; only marks, and a picture, need them.
        slow = offsets or self._plain.marks_generation or self._tools.marks_generation
        encode = self._tokenizer.encode_batch if slow else self._tokenizer.encode_batch_fast
        encodings = iter(encode([text for text, _, _ in sound], add_special_tokens=False))
        prompts = iter(
            self._tokenizer.encode_batch_fast(
                [before for _, _, before in sound if before is not None], add_special_tokens=False
            )
        )
        found: list[Encoded | TemplateFailure] = []
        for (piece, tools), made in zip(pieces, texts, strict=True):
            if isinstance(made, TemplateFailure):
                found.append(made)
                continue
            text, spans, before = made
            prompt_ids = None if before is None else next(prompts).ids
            marked = self._template(tools).marks_generation
            one = token_row(piece, text, spans if marked else None, prompt_ids, next(encodings), offsets)
            found.append(one)
        return found

    def _template(self, tools: Sequence[Any]) -> Template:
        return self._tools if tools else self._plain

    def _render(
        self, messages: Sequence[Message], tools: Sequence[Any], generation_prompt: bool
    ) -> tuple[str, list[Span]]:
        return self._template(tools).render(
            self.probed.shape.apply(messages),
            tools,
            self._special_tokens,
            generation_prompt=generation_prompt,
        )

    def _render_probe(self, messages: Sequence[Any], tools: Sequence[Any], generation_prompt: bool) -> str:
        template = self._template(tools)
        return template.render(messages, tools, self._special_tokens, generation_prompt=generation_prompt)[0]

    def _notes(
        self, messages: Sequence[Message], tools: Sequence[Any], text: str, rows: int
    ) -> Iterator[str]:
        """What the text does not show by itself."""
        if rows > 1:
            yield f"Trained as {rows} rows, one for each assistant turn that is learned."
        if self._own_text is not None:
            try:
                own = self._own_text(messages, tools, False)
            except TemplateFailure as failure:
                yield f"The model's own template, which serves it later, refuses this row: {failure}"
            else:
                if own != text:
                    yield (
                        "Training uses TRL's variant of the model's template, which shows this row otherwise "
                        "than the model's own will (most often the reasoning of earlier turns)."
                    )


def _compiled(sources: Sources) -> tuple[Template, Template]:
    plain = Template(sources.plain)
    return plain, plain if sources.tools == sources.plain else Template(sources.tools)


def _token_spans(text: str, ids: list[int], offsets: list[Span], mask: list[bool]) -> list[TokenSpan]:
    tokens = []
    done = 0
    last = len(ids) - 1
    for index, (token, (_, end), trained) in enumerate(zip(ids, offsets, mask, strict=True)):
        # From where the last token ended: parts of one character overlap, and some tokenizers skip spaces.
        end = len(text) if index == last else max(done, end)
        tokens.append(TokenSpan(token, text[done:end], trained))
        done = end
    return tokens
