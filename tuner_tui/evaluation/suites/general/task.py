"""The suite of general ability: what a model could do before and should still do after it was tuned."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tuner_tui.evaluation.suites.general.checks import keeps
from tuner_tui.evaluation.suites.general.items import GeneralItem, packaged_items, read_items
from tuner_tui.evaluation.tasks import Answer, Ask, Exchange, Item, Measure, Outcome, Weigh, Weights

ERROR_TYPES = {
    "needless_call": "called a tool, or tried to, although none was needed or there was none",
    "empty_answer": "said nothing",
    "instruction_broken": "did not keep to what the instruction asked for",
    "wrong_option": "held a wrong option likelier than the right one",
}
"""Error type -> what the model did, in words."""


class GeneralTask:
    """Instructions, multiple choice, chat and held-out text, all written for this suite.

    Args:
        path: a file of more items, which are added; None for those of the package alone.

    Raises:
        UserError: the file cannot be read or is not sound.
    """

    name = "general"
    title = "General ability"
    measures = (
        Measure("instructions", "Instructions kept", "requests whose fulfilment a program can verify"),
        Measure(
            "choices", "Multiple choice", "the right option is the likeliest, per byte of its text (acc_norm)"
        ),
        Measure("choices_raw", "Multiple choice, raw", "the same without the division by length (acc)"),
        Measure("chat_without_tools", "Chat without tools", "answered in words; there is no tool to call"),
        Measure("chat_with_tools", "Chat beside tools", "answered in words although tools are on offer"),
    )
    error_types: Mapping[str, str] = ERROR_TYPES
    rejected = 0

    def __init__(self, path: Path | None = None) -> None:
        found = packaged_items()
        if path is not None:
            own = read_items(path, len(found) + 1)
            found += [replace(each, item=replace(each.item, id=f"own-{each.item.id}")) for each in own]
        self._found = {each.item.id: each for each in found}
        self.items: Sequence[Item] = [each.item for each in found]
        texts = sum(each.kind == "texts" for each in found)
        self.notes: Sequence[str] = [
            "A small set for finding losses between two models; its rates say little about one model alone "
            "and are not comparable with public benchmarks.",
            f"Bits per byte of {texts} texts count how well general text is foretold: less is better.",
        ]

    def begin(self, item: Item) -> Exchange:
        """One question, of the item's kind."""
        return _Once(self._found[item.id])


class _Once:
    """The exchange of one item: one answer, or one weighing."""

    def __init__(self, item: GeneralItem) -> None:
        self._item = item
        self._got: Answer | Weights | None = None

    def question(self) -> Ask | Weigh | None:
        if self._got is not None:
            return None
        item = self._item
        if item.kind == "texts":
            return Weigh([item.text])
        if item.kind == "choices":
            return Weigh(item.options, item.item.messages)
        return Ask(item.item.messages, item.item.tools)

    def answered(self, answer: Answer | Weights) -> None:
        self._got = answer

    def outcome(self) -> Outcome:
        if isinstance(self._got, Answer):
            return self._spoken(self._got)
        assert self._got is not None, "not over yet"
        return self._text(self._got) if self._item.kind == "texts" else self._choice(self._got)

    def _spoken(self, answer: Answer) -> Outcome:
        item, error = self._item, None
        if answer.parsed.attempted:
            error = "needless_call"
        elif not answer.text.strip():
            error = "empty_answer"
        elif not all(keeps(answer.text, check) for check in item.checks):
            error = "instruction_broken"
        tools = "chat_with_tools" if item.item.tools else "chat_without_tools"
        return Outcome(
            verdict={"instructions" if item.kind == "instructions" else tools: error is None},
            right=error is None,
            error=error,
            text=answer.text.encode("utf-8", "replace").decode(),
            calls=answer.parsed.calls,
            strict=answer.parsed.strict,
        )

    def _choice(self, weights: Weights) -> Outcome:
        item, sums = self._item, weights.log_likelihoods
        lengths = [len(option.encode()) for option in item.options]
        per_byte = [each / length for each, length in zip(sums, lengths, strict=True)]
        right = _is_best(per_byte, item.answer)
        best = max(range(len(sums)), key=lambda n: per_byte[n] if math.isfinite(per_byte[n]) else -math.inf)
        return Outcome(
            verdict={"choices": right, "choices_raw": _is_best(sums, item.answer)},
            right=right,
            error=None if right else "wrong_option",
            text=item.options[best],
        )

    def _text(self, weights: Weights) -> Outcome:
        total, size = weights.log_likelihoods[0], len(self._item.text.encode())
        bits = -total / math.log(2) / size
        return Outcome({}, right=None, numbers={"bits_per_byte": bits} if math.isfinite(bits) else {})


def _is_best(values: Sequence[float], place: int) -> bool:
    """Whether that value is larger than all others: a model to which all is alike knows nothing."""
    return math.isfinite(values[place]) and all(
        not math.isfinite(other) or values[place] > other for n, other in enumerate(values) if n != place
    )
