"""Constrained decoding: calls that fit the schemas of the offered tools, in the model's own form.

A grammar allows an answer in words, or calls, with words before them if the model likes: whether to call
stays the model's choice, and so do the tool and the values. What it rules out is a call that no parser can
read, a tool that was not offered, an argument that the schema does not know, a missing required one, and a
value of the wrong type. Grammars are run by llguidance (https://github.com/guidance-ai/llguidance).
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessor

from tuner_tui.data.examples import Message, ToolCall
from tuner_tui.errors import UserError
from tuner_tui.evaluation.tasks import Tools
from tuner_tui.recipes.conventions import Convention

_NAME, _WORD = "probe_tool", "quartz"
_PROBE_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": _NAME,
        "description": "A tool.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
    },
}

_WORDS = r"/(?s:.+)/ & ~/\s*[\[{](?s:.*)/ & ~/(?s:.*)```[A-Za-z]*\s*[\[{](?s:.*)/"
"""An answer in words: all but what a lenient parser takes for a call, a bare or a fenced JSON value."""


@dataclass(frozen=True, slots=True)
class CallForm:
    """How a model writes calls: `before` the first, `between` two (None: it makes one at a time), `after` the
    last; each a JSON object with the tool's name and, under `arguments`, its arguments. The separators are
    those between members and behind keys."""

    before: str
    between: str | None
    after: str
    arguments: str
    item_separator: str
    key_separator: str


class Constraint:
    """Makes the logits processors of one model.

    Raises:
        UserError: llguidance is not installed, the tokenizer is not a fast one, or the model does not write
            its calls as JSON objects.
    """

    def __init__(self, convention: Convention, ends: set[int], vocabulary: int) -> None:
        """`ends` are the tokens that end an answer, `vocabulary` the number of the model's logits."""
        if find_spec("llguidance") is None:
            raise UserError("constrained decoding needs llguidance: pip install 'tuner-tui[constrain]'.")
        import llguidance.hf

        tokenizer = convention.tokenizer
        if not getattr(tokenizer, "is_fast", False):
            raise UserError("constrained decoding needs a fast tokenizer, with a tokenizer.json.")
        self._tokenizer = tokenizer
        self._ends = ends
        self._form = call_form(convention)
        size = max(vocabulary, len(tokenizer))
        self._llguidance = llguidance.hf.from_tokenizer(tokenizer, n_vocab=size, eos_token=sorted(ends))
        self._grammars: dict[str, str | None] = {}
        if not self._sound(_NAME, _PROBE_TOOL["function"]["parameters"]):
            raise UserError("constrained decoding: no grammar can be made of the calls of this model.")

    def processor(self, tools: Sequence[Tools], width: int) -> LogitsProcessor:
        """A processor for one batch.

        Args:
            tools: those on offer, for each row; a row without tools is not constrained.
            width: tokens of the prompts, padding included.
        """
        from llguidance import LLMatcher

        grammars = [self._grammar(each) for each in tools]
        matchers = [LLMatcher(self._llguidance, grammar) if grammar else None for grammar in grammars]
        return _Processor(matchers, width, self._ends)

    def _grammar(self, tools: Tools) -> str | None:
        """The grammar for these tools; looser where a schema is not understood, None where nothing is."""
        if not tools:
            return None
        key = json.dumps(tools, sort_keys=True, default=str)
        if key not in self._grammars:
            self._grammars[key] = self._compiled(tools)
        return self._grammars[key]

    def _compiled(self, tools: Tools) -> str | None:
        from llguidance import LLMatcher

        functions = [tool.get("function", tool) for tool in tools]
        schemas = [(str(each.get("name", "")), each.get("parameters")) for each in functions]
        sound = [(name, schema if self._sound(name, schema) else None) for name, schema in schemas]
        for attempt in (sound, [(name, None) for name, _ in schemas]):
            grammar: str = LLMatcher.grammar_from_lark(self._lark(attempt))
            if not LLMatcher.validate_grammar(grammar, self._llguidance):
                return grammar
        sys.stderr.write(f"{len(tools)} tools are too much for a grammar: their item is not constrained\n")
        return None

    def _sound(self, name: str, schema: Any) -> bool:
        from llguidance import LLMatcher

        grammar = LLMatcher.grammar_from_lark(self._lark([(name, schema)]))
        return not LLMatcher.validate_grammar(grammar, self._llguidance)

    def _lark(self, schemas: Sequence[tuple[str, Any]]) -> str:
        form = self._form
        whole = {
            "anyOf": [_call_schema(name, schema, form.arguments) for name, schema in schemas],
            "x-guidance": {
                "whitespace_flexible": False,
                "item_separator": form.item_separator,
                "key_separator": form.key_separator,
                "lenient": True,
            },
        }
        before, after = self._spelled(form.before), self._spelled(form.after)
        more = f"({self._spelled(form.between)} obj)*" if form.between else ""
        opening = form.before.strip().split("\n")[0]
        token = opening and self._token(opening)
        # A marker that is no token of its own is made of letters, which words may hold too: none before it.
        words = "WORDS?" if token else ""
        rules = [f"start: {self._thoughts()} (WORDS? | {words} call)"]
        rules.append(f"WORDS: {_WORDS}{self._not_marked(opening)}")
        rules.append(f"call: {before} obj {more} {after}")
        rules.append(f"obj: %json {json.dumps(whole)}")
        if self._thoughts():
            rules.append(r"THOUGHTS: /(?s:.*)/")
        return "\n".join(rules)

    def _thoughts(self) -> str:
        """Thinking is words between two tokens of their own, where the model has these."""
        start, end = self._token("<think>"), self._token("</think>")
        return f"(<[{start}]>? THOUGHTS <[{end}]> /\\s*/)?" if start and end else ""

    def _not_marked(self, opening: str) -> str:
        if not opening:
            return ""
        close = {opening, opening.replace("<", "</", 1)}
        return "".join(f" & ~/(?s:.*){_escaped(each)}(?s:.*)/" for each in sorted(close))

    def _spelled(self, text: str) -> str:
        """A text as a sequence of tokens of their own and of strings."""
        parts: list[str] = []
        added = {str(token): number for number, token in self._tokenizer.added_tokens_decoder.items()}
        while text:
            places = [(text.find(token), -len(token)) for token in added if token and token in text]
            if not places:
                parts.append(json.dumps(text))
                break
            place, length = min(places)[0], -min(places)[1]
            if place:
                parts.append(json.dumps(text[:place]))
            parts.append(f"<[{added[text[place : place + length]]}]>")
            text = text[place + length :]
        return " ".join(parts)

    def _token(self, text: str) -> int | None:
        found = self._tokenizer.convert_tokens_to_ids(text)
        known = any(str(token) == text for token in self._tokenizer.added_tokens_decoder.values())
        return int(found) if known and found is not None else None


def call_form(convention: Convention) -> CallForm:
    """How the model writes calls, by rendering one, and two.

    Raises:
        UserError: not as JSON objects with the name and the arguments.
    """
    tokenizer = convention.tokenizer
    one = _found(_rendered(convention, 1))
    if one is None:
        raise UserError(
            "constrained decoding needs a model that writes a call as a JSON object with its name and "
            "arguments; this model's chat template writes calls in another form."
        )
    text, spans = one
    start, end, value = spans[0]
    key = next(key for key in ("arguments", "parameters") if key in value)
    after = text[end:]
    for mark in sorted(
        {tokenizer.eos_token, "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>"} - {None}
    ):
        after = after.split(mark)[0]
    two = _found(_rendered(convention, 2))
    between = None
    if two is not None and len(two[1]) == 2:
        between = two[0][two[1][0][1] : two[1][1][0]]
    written = text[start:end]
    return CallForm(
        before=text[:start].lstrip(),
        between=between,
        after=after.rstrip(),
        arguments=key,
        item_separator=", " if '", "' in written else ",",
        key_separator=": " if '"name": ' in written else ":",
    )


class _Processor(LogitsProcessor):  # type: ignore[misc]
    def __init__(self, matchers: Sequence[Any], width: int, ends: set[int]) -> None:
        self._matchers = list(matchers)
        self._width = width
        self._ends = ends

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores, shape (rows, vocabulary), with -inf where the grammar does not go on."""
        allowed = torch.ones(scores.shape, dtype=torch.bool)
        last = input_ids[:, -1].tolist() if input_ids.shape[1] > self._width else None
        for row, matcher in enumerate(self._matchers):
            if matcher is None:
                continue
            if last is not None and (last[row] in self._ends or not matcher.consume_token(last[row])):
                # Over; or, against all rules, lost: such a row goes on as it likes.
                self._matchers[row] = None
                continue
            bits = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
            mask = torch.from_numpy(np.unpackbits(bits, bitorder="little").astype(bool))
            size = min(mask.shape[0], scores.shape[1])
            if matcher.is_error() or not mask[:size].any():
                self._matchers[row] = None
                continue
            allowed[row, :size] = mask[:size]
            allowed[row, size:] = False
        masked: torch.FloatTensor = scores.masked_fill(~allowed.to(scores.device), -torch.inf)  # type: ignore[assignment]
        return masked


def _call_schema(name: str, parameters: Any, key: str) -> dict[str, Any]:
    arguments = dict(parameters) if isinstance(parameters, dict) and parameters else {"type": "object"}
    if isinstance(arguments.get("properties"), dict):
        # A tool that does not say so takes no others either.
        arguments.setdefault("additionalProperties", False)
    return {
        "type": "object",
        "properties": {"name": {"const": name}, key: arguments},
        "required": ["name", key],
        "additionalProperties": False,
    }


def _rendered(convention: Convention, count: int) -> str | None:
    """What the template makes of `count` calls, None when it refuses them."""
    call: ToolCall = {"type": "function", "function": {"name": _NAME, "arguments": {"word": _WORD}}}
    asked: list[Message] = [{"role": "user", "content": "Call it."}]
    whole: list[Message] = [*asked, {"role": "assistant", "content": "", "tool_calls": [call] * count}]
    try:
        shown = convention.render(asked, [_PROBE_TOOL])
        text = str(
            convention.tokenizer.apply_chat_template(
                convention.shape.apply(whole), tools=[_PROBE_TOOL], tokenize=False
            )
        )
    except Exception:  # templates raise what they like
        return None
    return text[len(shown) :] if text.startswith(shown) else None


def _found(text: str | None) -> tuple[str, list[tuple[int, int, dict[str, Any]]]] | None:
    """The text with the places (start, end, value) of the calls in it."""
    spans: list[tuple[int, int, dict[str, Any]]] = []
    place = 0
    while text and (place := text.find("{", place)) >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(text, place)
        except ValueError:
            place += 1
            continue
        arguments = value.get("arguments", value.get("parameters"))
        if value.get("name") == _NAME and arguments == {"word": _WORD} and len(value) == 2:
            spans.append((place, end, value))
        place = end
    return (text, spans) if text and spans else None


def _escaped(text: str) -> str:
    """A text inside a regular expression of a grammar."""
    # Not more than these: in this dialect \< and \> are the edges of words.
    return "".join(f"\\{each}" if each in "\\/.^$*+?|()[]{}" else each for each in text).replace("\n", "\\n")
