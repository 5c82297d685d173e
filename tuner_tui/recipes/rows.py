"""Examples -> token rows with a loss mask: only what the assistant says is learned.

The rows hold integers alone. Tool schemas and arguments never pass through Arrow, which would merge the keys
of different tools and fill them with nulls.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError
from trl.chat_template_utils import get_training_chat_template

from tuner_tui.data.examples import Example, conversation
from tuner_tui.errors import UserError

IGNORED = -100
"""The label that PyTorch's cross-entropy passes over."""

_PROBE_TOOL = {
    "type": "function",
    "function": {
        "name": "probe_tool",
        "description": "Look something up.",
        "parameters": {
            "type": "object",
            "properties": {"place": {"type": "string", "description": "Where."}},
            "required": ["place"],
        },
    },
}
_PROBE = [
    {"role": "user", "content": "probe-request"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "type": "function",
                "id": "probe0001",
                "function": {"name": "probe_tool", "arguments": {"place": "probe-argument"}},
            }
        ],
    },
    {
        "role": "tool",
        "name": "probe_tool",
        "tool_call_id": "probe0001",
        "content": '{"found": "probe-result"}',
    },
    {"role": "assistant", "content": "probe-answer"},
]


@dataclass(frozen=True, slots=True)
class TokenRows:
    """What the trainer gets, and what was lost on the way.

    Args:
        rows: `input_ids` and `labels` (`IGNORED` where nothing is learned), of equal length each.
        cut: places in the given examples of those that were longer than allowed.
        empty: places of those of which nothing was left to learn.
        unended: how many whole rows do not teach the end-of-turn token.
    """

    rows: list[dict[str, list[int]]]
    cut: list[int]
    empty: list[int]
    unended: int

    @property
    def tokens(self) -> int:
        """Tokens of all rows."""
        return sum(len(row["input_ids"]) for row in self.rows)


class Renderer:
    """Turns examples to token rows with the chat template of one tokenizer.

    A template with `{% generation %}` markers says itself what the assistant says. For a known template
    without them TRL has a copy that has them. For any other, each assistant turn becomes a row of its own, in
    which the turn is learned and what stands before it is not: slower, and right.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._template: str | None = tokenizer.chat_template
        self._ends = {tokenizer.eos_token_id}
        if "{% generation" not in (self._template or "").replace("{%-", "{%"):
            try:
                self._template = get_training_chat_template(tokenizer)
            except ValueError:
                self._template = None

    @property
    def by_turn(self) -> bool:
        """Whether each assistant turn becomes a row of its own."""
        return self._template is None

    def require_tools(self) -> None:
        """See that the template carries tools, calls and results: some drop them without a word.

        Raises:
            UserError: what is lost.
        """
        text = self._render(_PROBE, [_PROBE_TOOL], tokenize=False)
        wanted = {
            "the tool's name": "probe_tool",
            "a call's argument": "probe-argument",
            "a tool's result": "probe-result",
        }
        lost = [what for what, mark in wanted.items() if mark not in text]
        if lost:
            raise UserError(
                f"the chat template of this model loses {' and '.join(lost)}, so it cannot be taught tool "
                "calls; take a model whose template supports tools."
            )

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
            except (TemplateError, ValueError, TypeError, KeyError) as error:
                raise UserError(f"the model's chat template refuses example {place + 1}: {error}.") from error
            learned = False
            for input_ids, labels in made:
                whole = len(input_ids) <= max_length
                if not whole and place not in cut[-1:]:
                    cut.append(place)
                labels = labels[:max_length]
                if all(label == IGNORED for label in labels):
                    continue
                learned = True
                unended += whole and not self._ends & set(labels)
                rows.append({"input_ids": input_ids[:max_length], "labels": labels})
            if not learned:
                empty.append(place)
        return TokenRows(rows, cut, empty, unended)

    def _rows_of(self, example: Example) -> Iterable[tuple[list[int], list[int]]]:
        messages, tools = conversation(example), example.get("tools") or None
        unlearned = any(message.get("weight", 1) == 0 for message in messages)
        if self._template is not None and not unlearned:
            encoded = self._render(
                messages,
                tools,
                chat_template=self._template,
                return_dict=True,
                return_assistant_tokens_mask=True,
            )
            ids = list(encoded["input_ids"])
            mask = encoded["assistant_masks"]
            yield ids, [token if on else IGNORED for token, on in zip(ids, mask, strict=True)]
            return
        for place, message in enumerate(messages):
            if message["role"] == "assistant" and message.get("weight", 1) != 0:
                yield self._turn(messages[:place], messages[: place + 1], tools)

    def _turn(self, before: Any, through: Any, tools: Any) -> tuple[list[int], list[int]]:
        prompt = list(self._render(before, tools, return_dict=True, add_generation_prompt=True)["input_ids"])
        ids = list(self._render(through, tools, return_dict=True)["input_ids"])
        start = 0
        for one, other in zip(prompt, ids, strict=False):
            if one != other:
                break
            start += 1
        stop = len(ids)  # what a template puts after the end of the turn is not the assistant's
        while stop > start and not self._ends & set(ids[stop - 1 : stop]):
            stop -= 1
        stop = stop if stop > start else len(ids)
        return ids[:stop], [IGNORED] * start + ids[start:stop]

    def _render(self, messages: Any, tools: Any, **options: Any) -> Any:
        return self._tokenizer.apply_chat_template(messages, tools=tools, **options)
