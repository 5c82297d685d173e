"""Examples → prompts to try answers out on, each with the calls that are right: the rows of GRPO and RLOO.

Rows hold text alone: the prompt as the chat template renders it, with the tools of its own row, and what is
right as JSON. So no tool schema and no argument passes through Arrow, which would merge the keys of different
tools.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner_tui.data.examples import Call, Example, Message, calls, conversation
from tuner_tui.data.rendering.masks import is_learned
from tuner_tui.errors import UserError
from tuner_tui.runs.silent import SilentRun
from tuner_tui.runs.writer import RunWriter
from tuner_tui.training.config import TrainConfig

if TYPE_CHECKING:
    from tuner_tui.recipes.rows import Renderer

Tools = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Where the assistant has to speak: what was said before, and the calls that are right, none or more."""

    messages: Sequence[Message]
    gold: Sequence[Call]


def prompts_of(example: Example) -> Iterator[Prompt]:
    """Each assistant turn of a conversation that is to be learned is a prompt; what it calls is right."""
    messages = conversation(example)
    for place, message in enumerate(messages):
        if is_learned(message) and place:
            yield Prompt(messages[:place], calls(message))


def exchanges_of(example: Example) -> Iterator[Prompt]:
    """Each question of the user is a prompt, for a model that may call tools and see their results before it
    answers; right is all that was called until the user spoke again."""
    messages = conversation(example)
    questions = [place for place, message in enumerate(messages) if message["role"] == "user"]
    for start, end in zip(questions, [*questions[1:], len(messages)], strict=True):
        turns = [message for message in messages[start + 1 : end] if message["role"] == "assistant"]
        if any(map(is_learned, turns)):
            yield Prompt(messages[: start + 1], [call for turn in turns for call in calls(turn)])


def prompt_rows(
    run: RunWriter | SilentRun,
    renderer: "Renderer",
    tokenizer: Any,
    config: TrainConfig,
    examples: Sequence[Example],
    use: str,
    tools: Tools | None = None,
) -> list[dict[str, str]]:
    """Rows of `prompt` (rendered text), `messages`, `gold` and `tools` (JSON texts).

    Prompts that leave no room for an answer within `data.max_length` are left out, and told.

    Args:
        use: "training" or "evaluation", for messages.
        tools: the executable ones, which are shown in place of each row's own; None where there are none.

    Raises:
        UserError: no prompt is left, or the chat template refuses one.
    """
    if not examples:
        return []
    room = config.data.max_length - config.grpo.max_new_tokens
    rows: list[dict[str, str]] = []
    tokens = left_out = foreign = 0
    executable = {tool["function"]["name"] for tool in tools or ()}
    for example in examples:
        shown = example.get("tools") or [] if tools is None else tools
        for prompt in prompts_of(example) if tools is None else exchanges_of(example):
            if tools is not None and any(call.name not in executable for call in prompt.gold):
                foreign += 1
                continue
            text = renderer.prompt_text(prompt.messages, shown)
            length = len(tokenizer(text, add_special_tokens=False)["input_ids"])
            if length > room:
                left_out += 1
                continue
            tokens += length
            rows.append(
                {
                    "prompt": text,
                    "messages": json.dumps(prompt.messages),
                    "gold": json.dumps([[call.name, call.arguments] for call in prompt.gold]),
                    "tools": json.dumps(shown),
                }
            )
    if foreign:
        run.event(
            "rejected",
            f"left {foreign} {use} prompts out: right is a call of a tool that grpo.tools does not have.",
            rows=foreign,
            reasons={"foreign_tool": foreign},
        )
    if not rows and not left_out:
        raise UserError(
            f"no {use} prompt is left: none has an answer that calls the executable tools "
            f"({', '.join(sorted(executable))}) or none; give rows that were made for grpo.tools."
            if tools is not None
            else f"no {use} prompt is left: no row has a turn of the assistant after one of the user."
        )
    if not rows:
        raise UserError(
            f"none of the {left_out} {use} prompts leaves room for an answer of {config.grpo.max_new_tokens} "
            f"tokens (grpo.max_new_tokens) within {config.data.max_length}; raise data.max_length."
        )
    if left_out:
        run.event(
            "cut",
            f"left {left_out} of {len(rows) + left_out} {use} prompts out: they leave no room for an answer "
            f"of {config.grpo.max_new_tokens} tokens within {config.data.max_length}.",
            rows=left_out,
            left_out=left_out,
        )
    due = sum(row["gold"] != "[]" for row in rows)
    run.event(
        "data",
        f"{len(rows)} {use} prompts of {len(examples)} examples, {tokens:,} tokens; a call is due in {due}.",
        use=use,
        examples=len(examples),
        rows=len(rows),
        tokens=tokens,
        calls_due=due,
    )
    return rows


def as_messages(batch: dict[str, list[str]]) -> dict[str, list[Any]]:
    """A transform for `datasets`: prompts as messages rather than text, as TRL's loop of tool calls wants
    them."""
    return {**batch, "prompt": [json.loads(text) for text in batch["messages"]]}
