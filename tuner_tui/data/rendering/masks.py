"""Which token rows are made of a conversation, and which of their tokens are learned.

The preview and the recipe both decide by this module alone. It is TRL's rule
(`trl.trainer.sft_trainer.SFTTrainer._prepare_dataset`, 1.16): of a template with generation marks the marked
tokens are learned (`assistant_only_loss`), of a row with a prompt what comes after the tokens that it shares
with its prompt (`completion_only_loss`), and where there are both, what both allow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tuner_tui.data.examples import Example, Message, conversation, is_preference, is_unpaired

Run = tuple[int, int]
"""Places of neighbouring tokens, from and to (exclusive)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One token row: `messages` are rendered. What `prompt` says of them, up to where the assistant speaks,
    is not learned; None stands for no prompt. `turns` are the assistant messages that are learned."""

    prompt: Sequence[Message] | None
    messages: Sequence[Message]
    turns: tuple[Message, ...]


def pieces(messages: Sequence[Message], *, marked: bool) -> list[Piece]:
    """The token rows of supervised fine-tuning on one conversation.

    A template with marks makes one row. Without marks each assistant turn becomes the end of a row of its
    own; so does a row with turns of weight 0, since marks do not tell one turn from another.
    """
    learned = [place for place, message in enumerate(messages) if is_learned(message)]
    answers = sum(message["role"] == "assistant" for message in messages)
    if marked and len(learned) == answers:
        return [Piece(None, messages, tuple(messages[place] for place in learned))]
    return [
        # Templates refuse an empty conversation: of a first turn, everything is learned.
        Piece(messages[:place] or None, messages[: place + 1], (messages[place],))
        for place in learned
    ]


def sides(example: Example, *, marked: bool) -> list[Piece]:
    """The token rows of an example as its own method of training has them.

    A preference pair is two rows, prompt and chosen, prompt and rejected; unpaired preference is one; any
    other example is what `pieces` makes of it.
    """
    if not (is_preference(example) or is_unpaired(example)):
        return pieces(conversation(example), marked=marked)
    prompt = example["prompt"]
    answers = [example[side] for side in ("chosen", "rejected", "completion") if side in example]
    return [
        Piece(prompt or None, [*prompt, *answer], tuple(turn for turn in answer if is_learned(turn)))
        for answer in answers
    ]


def is_learned(message: Message) -> bool:
    """Whether this is an assistant turn that is to be learned."""
    return message["role"] == "assistant" and message.get("weight") != 0


def learned_tokens(
    ids: Sequence[int], prompt_ids: Sequence[int] | None, marks: Sequence[bool | int] | None
) -> list[bool]:
    """The mask of one row.

    Args:
        ids: the row's tokens.
        prompt_ids: those of its prompt, rendered with the generation prompt; None for no prompt.
        marks: the marked tokens; None when the template has no marks.
    """
    start = 0
    for one, other in zip(ids, prompt_ids or (), strict=False):
        if one != other:
            break
        start += 1
    if marks is None:
        return [False] * start + [True] * (len(ids) - start)
    return [False] * start + [bool(mark) for mark in marks[start:]]


def runs(mask: Sequence[bool]) -> list[Run]:
    """The runs of learned tokens."""
    found = []
    start: int | None = None
    for place, learned in enumerate(mask):
        if learned and start is None:
            start = place
        elif not learned and start is not None:
            found.append((start, place))
            start = None
    if start is not None:
        found.append((start, len(mask)))
    return found


def teaches_end(ids: Sequence[int], mask: Sequence[bool], ends: Collection[int]) -> bool:
    """Whether the last run of learned tokens holds a token at which the model stops.

    True when nothing is learned, and when it is not known at which tokens the model stops.
    """
    found = runs(mask)
    if not found or not ends:
        return True
    start, stop = found[-1]
    return any(token in ends for token in ids[start:stop])
