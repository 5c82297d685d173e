"""The rows of the training data that are most like a request: examples that fit, for its prompt.

Requests are compared by BM25 (Robertson and Zaragoza, Foundations and Trends in IR 3:333, 2009, equation
3.15, k1 = 1.2, b = 0.75): words count the more the fewer rows have them.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from tuner_tui.data.copies.leaks import normalised
from tuner_tui.data.dataset import examine
from tuner_tui.data.examples import Call, Example, conversation, gold_calls
from tuner_tui.errors import UserError
from tuner_tui.evaluation.overlap import item_example, same_question
from tuner_tui.evaluation.tasks import Item

EXAMPLES = 4
"""How many rows go into a prompt."""
_MOST_ROWS = 20_000
_K1, _B = 1.2, 0.75
_WORDS_LIMIT = 400
"""Characters of an answer in words that are shown."""


class Retriever:
    """An index over the first 20,000 sound rows of the training files.

    Raises:
        UserError: no row of them has a request.
    """

    def __init__(self, training: Iterable[Path]) -> None:
        self._examples: list[Example] = []
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._lengths: list[int] = []
        names = []
        for path in training:
            names.append(str(path))
            for row in examine(path)[1]:
                if len(self._examples) == _MOST_ROWS:
                    break
                if row.example is not None and row.sound and (words := _request(row.example)):
                    self._add(row.example, words)
        if not self._examples:
            raise UserError(
                "retrieved examples need training rows with a request; "
                f"{', '.join(names) or 'no file'} has none."
            )
        self._mean = sum(self._lengths) / len(self._lengths)

    def nearest(self, item: Item, count: int = EXAMPLES) -> list[Example]:
        """The rows most like the item's request, the most alike last, nearest to the request; never the item
        itself, nor a duplicate of it, nor two that ask the same."""
        scores: dict[int, float] = defaultdict(float)
        total = len(self._examples)
        for word in set(normalised(item.request).split()):
            found = self._postings.get(word, ())
            weight = math.log(1 + (total - len(found) + 0.5) / (len(found) + 0.5))
            for row, times in found:
                length = _K1 * (1 - _B + _B * self._lengths[row] / self._mean)
                scores[row] += weight * times * (_K1 + 1) / (times + length)
        mine = item_example(item)
        chosen: list[Example] = []
        for row in sorted(scores, key=lambda row: (-scores[row], row)):
            example = self._examples[row]
            if not any(same_question(other, example) for other in (mine, *chosen)):
                chosen.append(example)
                if len(chosen) == count:
                    break
        return chosen[::-1]

    def shown(self, item: Item, count: int = EXAMPLES) -> str:
        """Those rows as text: request and answer, the calls as in the shipped prompts."""
        return "\n\n".join(_shown(example) for example in self.nearest(item, count))

    def _add(self, example: Example, words: str) -> None:
        row = len(self._examples)
        counts = Counter(words.split())
        for word, times in counts.items():
            self._postings[word].append((row, times))
        self._lengths.append(counts.total())
        self._examples.append(example)


def _request(example: Example) -> str:
    asked = [each["content"] for each in _before_the_answer(example) if each["role"] == "user"]
    return normalised(asked[-1]) if asked else ""


def _before_the_answer(example: Example) -> Sequence[dict[str, str]]:
    messages = conversation(example)
    last = max((i for i, each in enumerate(messages) if each["role"] == "assistant"), default=0)
    return messages[:last]  # type: ignore[return-value]


def _shown(example: Example) -> str:
    request = [each["content"] for each in _before_the_answer(example) if each["role"] == "user"][-1]
    calls = gold_calls(example)
    answer = "\n".join(_call(call) for call in calls)
    if not calls:
        words = [each["content"] for each in conversation(example) if each["role"] == "assistant"]
        answer = words[-1][:_WORDS_LIMIT]
    return f"Request: {request}\nAnswer:\n{answer}"


def _call(call: Call) -> str:
    return f"<tool_call>\n{json.dumps(asdict(call), ensure_ascii=False)}\n</tool_call>"
