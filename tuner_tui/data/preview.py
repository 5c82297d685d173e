"""A model's chat template and tokenizer: what the model will see of a row, and which tokens are trained.

Made of jinja2 and tokenizers alone, and token for token equal to transformers' `apply_chat_template(...,
return_dict=True, return_assistant_tokens_mask=True)`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tokenizers import Encoding, Tokenizer

from tuner_tui.data.examples import Example, Message, conversation
from tuner_tui.data.model_files import read_special_tokens, read_templates, read_tokenizer, training_template
from tuner_tui.data.template import Span, Template, TemplateFailure
from tuner_tui.errors import UserError


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """One token: the text that it stands for (joined, they are the whole text), and whether it is trained."""

    id: int
    text: str
    trained: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row as the model sees it."""

    text: str
    tokens: list[TokenSpan]

    @property
    def trained(self) -> int:
        """How many tokens are trained."""
        return sum(token.trained for token in self.tokens)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A row as numbers: `spans` are the characters that the assistant wrote, `mask` the trained tokens."""

    text: str
    spans: list[Span]
    ids: list[int]
    offsets: list[Span]
    mask: list[bool]


class ChatTemplate:
    """The chat template of one model, with its tokenizer. One thread at a time."""

    def __init__(
        self,
        template: Template,
        tool_template: Template,
        special_tokens: Mapping[str, str],
        tokenizer: Tokenizer,
    ) -> None:
        self._template = template
        self._tool_template = tool_template
        self._special_tokens = dict(special_tokens)
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, model: Path) -> Self:
        """Read the template and the tokenizer from a model's folder.

        The template is the one that training uses: where the model's own has no generation marks and TRL
        ships the same one with marks, that.

        Raises:
            UserError: there is no such folder, no `tokenizer.json` or no chat template, or one is broken.
        """
        sources = read_templates(model)
        try:
            template = _marked(sources["default"])
            tool_template = _marked(sources["tool_use"]) if "tool_use" in sources else template
        except TemplateFailure as error:
            raise UserError(f"{model}: {error}; mend the template.") from None
        return cls(template, tool_template, read_special_tokens(model), read_tokenizer(model))

    @property
    def marks_generation(self) -> bool:
        """Whether the template says which tokens the assistant wrote. If not, they are what a turn adds to
        the text before it."""
        return self._tool_template.marks_generation

    def render(self, example: Example, *, generation_prompt: bool = False) -> Rendered:
        """The row as the model sees it; of a preference pair, the prompt and the chosen answer.

        Raises:
            TemplateFailure: the template refuses the conversation.
        """
        (encoded,) = self.encode([example], generation_prompt=generation_prompt)
        if isinstance(encoded, TemplateFailure):
            raise encoded
        return Rendered(encoded.text, _token_spans(encoded))

    def encode(
        self, examples: Sequence[Example], *, generation_prompt: bool = False
    ) -> list[Encoded | TemplateFailure]:
        """Many rows at once, which is faster; for a row that the template refuses, its failure."""
        texts: list[tuple[str, list[Span]] | TemplateFailure] = []
        for example in examples:
            try:
                texts.append(self._text(conversation(example), example["tools"], generation_prompt))
            except TemplateFailure as failure:
                texts.append(failure)
        encodings = iter(
            self._tokenizer.encode_batch(
                [text[0] for text in texts if not isinstance(text, TemplateFailure)], add_special_tokens=False
            )
        )
        return [
            text if isinstance(text, TemplateFailure) else _encoded(text[0], text[1], next(encodings))
            for text in texts
        ]

    def _text(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], generation_prompt: bool
    ) -> tuple[str, list[Span]]:
        template = self._tool_template if tools else self._template
        text, spans = template.render(
            messages, tools, self._special_tokens, generation_prompt=generation_prompt
        )
        # A row with turns of weight 0 is trained turn by turn too: marks do not tell one turn from another.
        if not template.marks_generation or any(message.get("weight") == 0 for message in messages):
            spans = list(self._added(template, text, messages, tools))
        return text, spans

    def _added(
        self, template: Template, text: str, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]
    ) -> Iterator[Span]:
        """The spans of the assistant turns, as what each adds to the text, up to the end of the turn."""
        end_of_turn = self._special_tokens.get("eos_token") or ""
        for index, message in enumerate(messages):
            if message["role"] != "assistant" or message.get("weight") == 0:
                continue
            try:
                before, _ = template.render(
                    messages[:index], tools, self._special_tokens, generation_prompt=True
                )
                after, _ = template.render(messages[: index + 1], tools, self._special_tokens)
            except TemplateFailure:
                continue  # this template cannot render a part of a conversation
            if after.startswith(before) and text.startswith(after):
                end = after.rfind(end_of_turn, len(before)) if end_of_turn else -1
                yield len(before), end + len(end_of_turn) if end >= 0 else len(after)


def _marked(source: str) -> Template:
    template = Template(source)
    if template.marks_generation:
        return template
    training = training_template(source)
    return template if training is None else Template(training)


def _encoded(text: str, spans: list[Span], encoding: Encoding) -> Encoded:
    mask = [False] * len(encoding.ids)
    for start, end in spans:
        # As transformers maps characters to tokens, its corner cases included.
        first, last = encoding.char_to_token(start), encoding.char_to_token(end - 1)
        if first is None:
            break
        stop = last + 1 if last else len(mask)
        mask[first:stop] = [True] * len(mask[first:stop])
    return Encoded(text, spans, encoding.ids, encoding.offsets, mask)


def _token_spans(encoded: Encoded) -> list[TokenSpan]:
    tokens = []
    done = 0
    last = len(encoded.ids) - 1
    for index, (token, (_, end), trained) in enumerate(
        zip(encoded.ids, encoded.offsets, encoded.mask, strict=True)
    ):
        # From where the last token ended: parts of one character overlap, and some tokenizers skip spaces.
        end = len(encoded.text) if index == last else max(done, end)
        tokens.append(TokenSpan(token, encoded.text[done:end], trained))
        done = end
    return tokens
