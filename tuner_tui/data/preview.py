"""A model's chat template and tokenizer: what the model will see of a row, and which tokens are trained.

Made of jinja2 and tokenizers alone, and token for token equal to transformers' `apply_chat_template(...,
return_dict=True, return_assistant_tokens_mask=True)`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tokenizers import Encoding, Tokenizer

from tuner_tui.data.examples import Example, Message, conversation
from tuner_tui.data.template import Span, Template, TemplateFailure
from tuner_tui.errors import UserError

_SPECIAL = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


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
        self, template: Template, tool_template: Template, tokens: Mapping[str, str], tokenizer: Tokenizer
    ) -> None:
        self._template = template
        self._tool_template = tool_template
        self._special_tokens = dict(tokens)
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, model: Path) -> Self:
        """Read the template and the tokenizer from a model's folder.

        Raises:
            UserError: there is no such folder, no `tokenizer.json` or no chat template, or one is broken.
        """
        if not model.is_dir():
            raise UserError(
                f"{model}: there is no such model folder; name a folder with tokenizer.json in it."
            )
        config = _read_json(model / "tokenizer_config.json")
        sources = _template_sources(model, config)
        default = sources.get("default")
        if default is None:
            raise UserError(
                f"{model}: the model has no chat template (chat_template.jinja, or chat_template in "
                "tokenizer_config.json); choose an instruction-tuned model or add a template."
            )
        try:
            template = Template(default)
            tool_template = Template(sources["tool_use"]) if "tool_use" in sources else template
        except TemplateFailure as error:
            raise UserError(f"{model}: {error}; mend the template.") from None
        special = {**_read_json(model / "special_tokens_map.json"), **config}
        return cls(template, tool_template, _special_tokens(special), _tokenizer(model / "tokenizer.json"))

    @property
    def marks_generation(self) -> bool:
        """Whether the template says which tokens the assistant wrote. If not, they are the difference between
        the text with and without the turn: an estimate."""
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

        def render(turns: Sequence[Message], prompt: bool) -> tuple[str, list[Span]]:
            return template.render(turns, tools, self._special_tokens, generation_prompt=prompt)

        text, spans = render(messages, generation_prompt)
        if template.marks_generation:
            return text, spans
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            try:
                before, _ = render(messages[:index], True)
                after, _ = render(messages[: index + 1], False)
            except TemplateFailure:
                continue  # this template cannot render a part of a conversation
            if after.startswith(before) and text.startswith(after):
                spans.append((len(before), len(after)))
        return text, spans


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


def _template_sources(model: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """Templates by name, in the order in which transformers prefers their places."""
    sources: dict[str, str] = {}
    inline = config.get("chat_template")
    if isinstance(inline, str):
        sources["default"] = inline
    elif isinstance(inline, list):
        sources |= {entry["name"]: entry["template"] for entry in inline if isinstance(entry, dict)}
    file = model / "chat_template.jinja"
    if file.is_file():
        sources = {"default": _read_text(file)}
    for extra in sorted((model / "additional_chat_templates").glob("*.jinja")):
        sources[extra.stem] = _read_text(extra)
    return sources


def _special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    tokens = {}
    for name in _SPECIAL:
        value = config.get(f"{name}_token")
        if isinstance(value, dict):
            value = value.get("content")
        if isinstance(value, str):
            tokens[f"{name}_token"] = value
    return tokens


def _tokenizer(path: Path) -> Tokenizer:
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; save the model with a fast tokenizer.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing more precise
        raise UserError(f"{path}: cannot be read as a tokenizer ({error}).") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}).") from None


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(_read_text(path))
    except ValueError as error:
        raise UserError(f"{path}: is not JSON ({error}).") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: is not a JSON object.")
    return value
