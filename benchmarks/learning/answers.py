"""What a model freely answers to held-out prompts, judged."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tuner_tui.data.answers.scoring import judge
from tuner_tui.data.examples import Example, gold_calls
from tuner_tui.embedded.catalog import HELD_OUT
from tuner_tui.embedded.forms import to_json
from tuner_tui.embedded.rows import preference
from tuner_tui.evaluation.generate import Generator

PAIRS = 200
"""Held-out pairs, made like those of `sample_data/preferences.jsonl`, with tools that no training row has."""


def held_out_pairs(count: int = PAIRS) -> list[Example]:
    """The same pairs each time."""
    rng = Random("benchmarks/learning")
    return [preference(rng, HELD_OUT) for _ in range(count)]


def pair_file(folder: Path) -> Path:
    """The held-out pairs as a file, for `data.eval`."""
    path = folder / "heldout_pairs.jsonl"
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text("".join(to_json(row) + "\n" for row in held_out_pairs()), encoding="utf-8")
    part.replace(path)
    return path


def asked(example: Example) -> tuple[list[Any], list[Any]]:
    """What the model is shown: everything before the right answer, and the tools."""
    messages = example["prompt"] if "prompt" in example else example["messages"][:-1]
    return messages, example["tools"]


def outcomes(
    adapter: Path | None, examples: Sequence[Example], *, before: str | None = None, bits: int | None = None
) -> Counter[str]:
    """How often answers are "right" (all calls fully match, or none where none is due), else which error they
    have, a name of `ERROR_TYPES`.

    Args:
        adapter: the tuned model's; None for the base.
        before: an adapter that is merged into the base first.
        bits: of the base's weights, as in training.
    """
    model = "embedded" if before is None else merged(before)
    generator = Generator.load(model, adapter, bits=bits, double=True)
    batches = generator.answers(
        [asked(example) for example in examples],
        tuned=adapter is not None,
        batch=50,
        max_new_tokens=128,
        cancelled=lambda: False,
    )
    return Counter(_verdicts(examples, batches))


def rate(found: Counter[str], *names: str) -> float:
    """Share of all answers that have one of these outcomes."""
    return sum(found[name] for name in names) / found.total()


def _verdicts(examples: Sequence[Example], batches: Any) -> Iterable[str]:
    for batch in batches:
        for index, answer in batch:
            example = examples[index]
            verdict = judge(gold_calls(example), answer.parsed, example["tools"])
            yield "right" if verdict.right else str(verdict.error)


def merged(adapter: str) -> str:
    """The embedded model with an adapter merged into it."""
    from tuner_tui import paths
    from tuner_tui.recipes.merge import merge

    return str(merge(paths.resolve_model("embedded"), Path(adapter)))
