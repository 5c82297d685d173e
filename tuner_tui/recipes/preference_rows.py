"""Preference examples -> token rows for DPO, KTO and the reward model.

TRL would render and tokenise itself, but it takes `tools` and tool calls through Arrow, knows neither the
shape in which the model's template wants them nor what of an answer the assistant itself said. Here
everything is rendered as for supervised fine-tuning (`recipes.rows`), and TRL gets integers.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from tuner_tui.data.examples import Example, is_preference
from tuner_tui.recipes.rows import Renderer, Side

Row = dict[str, Any]


@dataclass(slots=True)
class Rows:
    """What the trainer gets, and what was lost on the way.

    Args:
        rows: see `pairs`, `labelled` and `whole_pairs`.
        tokens: of all rows, prompts counted with each answer.
        given: how many pairs or answers there were.
        cut: how many of these were longer than allowed.
        left_out: how many have nothing to learn, and are left out.
        unended: how many answers lack the token at which the model stops.
        mismatched: how many prompts read differently when an answer follows.
    """

    rows: list[Row] = field(default_factory=list)
    tokens: int = 0
    given: int = 0
    cut: int = 0
    left_out: int = 0
    unended: int = 0
    mismatched: int = 0


def pairs(renderer: Renderer, examples: Sequence[Example], max_length: int) -> Rows:
    """Rows for DPO: `prompt_ids`, `chosen_ids`, `rejected_ids`, and masks of what of the answers is learned.

    The prompt ends where either answer departs from it, as in TRL's DPOTrainer (1.16). A row is cut at its
    end to `max_length` tokens, prompt included; it is left out when then nothing is left to prefer.

    Raises:
        UserError: the template refuses an example.
    """

    def make(sides: Sequence[Side]) -> Row | None:
        chosen, rejected = sides
        start = min(map(_shared, sides))
        row: Row = {"prompt_ids": chosen.ids[:start]}
        for name, side in (("chosen", chosen), ("rejected", rejected)):
            row[f"{name}_ids"] = side.ids[start:max_length]
            row[f"{name}_mask"] = [int(learned) for learned in side.mask[start:max_length]]
        said = any(row["chosen_mask"]) and any(row["rejected_mask"])
        return row if said and row["chosen_ids"] != row["rejected_ids"] else None

    return _rows(renderer, examples, max_length, make)


def labelled(renderer: Renderer, examples: Sequence[Example], max_length: int) -> Rows:
    """Rows for KTO: `prompt_ids`, `completion_ids`, `mask`, and `label`. Cut as in `pairs`.

    A pair gives two: its chosen answer is good, its rejected one is bad.

    Raises:
        UserError: the template refuses an example.
    """
    singles = [single for example in examples for single in unpaired(example)]
    labels = iter([bool(single["label"]) for single in singles])

    def make(sides: Sequence[Side]) -> Row | None:
        label = next(labels)
        (side,) = sides
        start = _shared(side)
        mask = [int(learned) for learned in side.mask[start:max_length]]
        if not any(mask):
            return None
        ids = side.ids[start:max_length]
        return {"prompt_ids": side.ids[:start], "completion_ids": ids, "mask": mask, "label": label}

    return _rows(renderer, singles, max_length, make)


def unpaired(example: Example) -> list[Example]:
    """The labelled rows of an example: two of a pair, itself when it is one already."""
    if not is_preference(example):
        return [example]
    rest = {name: value for name, value in example.items() if name not in ("chosen", "rejected")}
    return [
        {**rest, "completion": example[side], "label": side == "chosen"} for side in ("chosen", "rejected")
    ]


def mismatch(rows: Sequence[Row], group: int, seed: int) -> list[Row]:
    """The rows in random order, each with the answer to another prompt: KTO's estimate of the distance
    between the model and its base, which is not to depend on what the model thinks of the right answer.

    Within each group of `group` rows, which are computed together, the answers are handed on by one, as in
    TRL's KTOTrainer: (x1, y1), (x2, y2), (x3, y3) -> (x1, y3), (x2, y1), (x3, y2) (arXiv:2402.01306,
    section 4.1). A last group of one takes its answer from the row before.
    """
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    made = []
    for place, row in enumerate(shuffled):
        first = place - place % group
        last = min(first + group, len(shuffled)) - 1
        other = shuffled[place - 1 if place > first or first == last else last]
        made.append({**row, "KL_completion_ids": other["completion_ids"], "KL_mask": other["mask"]})
    return made


def whole_pairs(renderer: Renderer, examples: Sequence[Example], max_length: int) -> Rows:
    """Rows for a reward model: `chosen_ids` and `rejected_ids`, each prompt and answer.

    An answer is scored at the last token of its turn as the template writes it, which is what PPO has scored,
    too (`ppo_steps.Turns.after`). A pair of which one is longer than `max_length` is left out, since an
    answer without its end cannot be scored.

    Raises:
        UserError: the template refuses an example.
    """

    def make(sides: Sequence[Side]) -> Row | None:
        chosen, rejected = (side.ids for side in sides)
        if max(len(chosen), len(rejected)) > max_length:
            return None
        return {"chosen_ids": chosen, "rejected_ids": rejected}

    return _rows(renderer, examples, max_length, make)


def padding(preferred: int | None, rows: Iterable[Row]) -> int:
    """A token with which no answer of `whole_pairs` ends: `preferred` if it may be.

    Many models pad with the token that ends a turn; a reward model, which looks for the last token that is no
    padding, would then overlook the end of the answer.
    """
    last = {row[name][-1] for row in rows for name in ("chosen_ids", "rejected_ids")}
    candidates = range(len(last) + 1) if preferred is None else [preferred, *range(len(last) + 1)]
    return next(token for token in candidates if token not in last)


def both_sides(examples: Iterable[Example]) -> list[Example]:
    """Conversations with each answer: what the chat template must be able to show."""
    return [
        {"messages": [*single["prompt"], *single["completion"]], "tools": single.get("tools")}
        for example in examples
        for single in unpaired(example)
    ]


def _rows(
    renderer: Renderer,
    examples: Sequence[Example],
    max_length: int,
    make: Callable[[Sequence[Side]], Row | None],
) -> Rows:
    made = Rows(given=len(examples))
    for place, example in enumerate(examples):
        sides = renderer.sides(example, place)
        cut = any(len(side.ids) > max_length for side in sides)
        row = make(sides)
        made.cut += cut
        if row is None:
            made.left_out += 1
            continue
        made.rows.append(row)
        made.tokens += sum(min(len(side.ids), max_length) for side in sides)
        made.mismatched += any(_shared(side) < len(side.prompt) for side in sides)
        made.unended += sum(not renderer.ends & set(side.ids[_shared(side) : max_length]) for side in sides)
    return made


def _shared(side: Side) -> int:
    """How many tokens of the prompt the whole begins with."""
    both = zip(side.prompt, side.ids, strict=False)
    return sum(1 for _ in takewhile(lambda two: two[0] == two[1], both))
