"""Which rows of a dataset belong together, so that a split must not part them.

Rows that ask the same question of the same tools always belong together (`leaks.question_key`): parted, they
would be leaks; so do rows that are joined by hand, as near duplicates. By template, the rows that come from
one template belong together, too: their first requests are equal once what fills the slots is masked
(`masked`).
"""

import re
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args

from tuner_tui.data.copies.fingerprints import fingerprint
from tuner_tui.data.copies.leaks import question_key
from tuner_tui.data.examples import Example, calls, conversation
from tuner_tui.data.stats import KINDS, kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Keys = NDArray[np.uint64]

By = Literal["row", "tool", "template"]
"""What a split keeps together."""
BYS: tuple[By, ...] = get_args(By)

# Every pattern is bounded or anchored to the start of a run: linear time, also in hostile text.
_QUOTED = re.compile(r"\"[^\"]{0,200}\"|“[^”]{0,200}”|«[^»]{0,200}»|`[^`]{0,200}`|(?<!\w)'[^']{0,200}'(?!\w)")
_ADDRESS = re.compile(r"(?<!\S)[^\s@]{1,100}@\S{1,200}|(?:https?|ftp)://\S+|www\.\S+")
_WITH_DIGIT = re.compile(
    r"(?<![A-Za-z_-])[$€£]?[A-Za-z_-]*\d(?:[A-Za-z0-9_.:/%+-]*[A-Za-z0-9%])?(?:,\d[\d.]*)*"
)
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?:\n]))[\s\"“(]{0,8}\w[\w'’-]*")
_WORD = re.compile(r"(?<!\w)(?!I\b)[^\W\d_][\w'’-]*")
_WORDS = re.compile(r"\w+|\0")
_SLOT = "\0"
_SLOTS = re.compile(rf"{_SLOT}(?: (?:(?:and|or|of|de|the|to) )?{_SLOT})+")
_MOST_TEXT = 4000  # characters of a request that are compared
_MOST_VALUES = 64  # arguments of a row that are looked for in its request
_SHORTEST_VALUE = 2  # characters of an argument that is looked for


def masked(text: str, values: Iterable[str] = ()) -> str:
    """A request with a mark in place of what fills a template's slots.

    Masked are, in this order: the `values` (the arguments of the calls that answer it), whole words only and
    in any case; quoted text; e-mail and web addresses; every word with a digit in it (numbers, dates, codes);
    words with a capital that do not begin a sentence (names). What is left is compared without case and
    punctuation, and marks side by side are one mark, however many words or items they stood for. Of a very
    long request the beginning counts.
    """
    text = text[:_MOST_TEXT]
    usable = {value for value in islice(values, _MOST_VALUES) if len(value) >= _SHORTEST_VALUE}
    for value in sorted(usable, key=lambda one: (-len(one), one)):
        text = _without(text, value)
    for pattern in (_QUOTED, _ADDRESS, _WITH_DIGIT):
        text = pattern.sub(_SLOT, text)
    text = _SENTENCE_START.sub(lambda start: start[0].lower(), text)
    text = _WORD.sub(lambda word: _SLOT if word[0][0].isupper() else word[0], text)
    return _SLOTS.sub(_SLOT, " ".join(_WORDS.findall(text.casefold())))


def _without(text: str, value: str) -> str:
    """The text with a mark for each place where the value stands as words of its own."""
    lower, value = text.lower(), value.lower()
    if len(lower) != len(text):  # a letter whose small form is two: places would not agree
        return text
    parts: list[str] = []
    done = 0
    found = lower.find(value)
    while found >= 0:
        end = found + len(value)
        if not lower[found - 1 : found].isalnum() and not lower[end : end + 1].isalnum():
            parts += (text[done:found], _SLOT)
            done = end
        found = lower.find(value, max(found + 1, done))
    return "".join((*parts, text[done:]))


def template_key(example: Example) -> int:
    """64 bits that the rows of one template share: of the first request, masked; of a row without a request,
    of all that is said in it."""
    from xxhash import xxh3_64_intdigest

    messages = conversation(example)
    requests = (message["content"] for message in messages if message["role"] == "user")
    values = (text for message in messages for call in calls(message) for text in _texts(call.arguments))
    first = next(requests, None)
    if first is None:
        first = "\n".join(message["content"] for message in messages)
    return xxh3_64_intdigest(masked(first, values).encode())


class RowFacts:
    """What a split must know of each row, in flat arrays: some 30 bytes a row, and 4 for each tool of it."""

    def __init__(self, by: By) -> None:
        self.by = by
        self.tools: dict[str, int] = {}
        """The number of each tool that is offered or called, in the order of appearance."""
        self._kinds = array("B")
        self._questions = array("Q")
        self._templates = array("Q")
        self._joined: list[tuple[int, int]] = []
        self._called, self._called_ends = array("I"), array("Q")
        self._offered, self._offered_ends = array("I"), array("Q")

    def __len__(self) -> int:
        return len(self._kinds)

    def add(self, example: Example) -> None:
        """Note the next row."""
        self._kinds.append(KINDS.index(kind(example)))
        self._questions.append(question_key(example) or fingerprint(example))
        if self.by == "template":
            self._templates.append(template_key(example))
        made = (call.name for message in conversation(example) for call in calls(message))
        offered = (tool["function"].get("name") for tool in example["tools"])
        self._called.extend(self._numbers(made))
        self._called_ends.append(len(self._called))
        self._offered.extend(self._numbers(offered))
        self._offered_ends.append(len(self._offered))

    def join(self, one: int, other: int) -> None:
        """Keep two rows together, given by their places from 0."""
        self._joined.append((one, other))

    @property
    def kinds(self) -> "Ints":
        """Of each row, the place of its kind in KINDS."""
        return _array(self._kinds)

    @property
    def questions(self) -> "Keys":
        """Of each row the key of its question; of one in which nobody asks, its fingerprint."""
        import numpy as np

        return np.asarray(self._questions, dtype=np.uint64)

    def called(self) -> "tuple[Ints, Ints]":
        """Pairs of a row and a tool that it calls, each pair once, as two arrays."""
        return _pairs(self._called, self._called_ends)

    def offered(self) -> "tuple[Ints, Ints]":
        """Pairs of a row and a tool that it offers, each pair once, as two arrays."""
        return _pairs(self._offered, self._offered_ends)

    def groups(self) -> "Ints":
        """Of each row, the number of its group, from 0 in the order of appearance: the rows that are
        connected by equal questions, by `join` or, by template, by equal templates."""
        import numpy as np

        keys, groups = np.unique(self.questions, return_inverse=True)
        edges = [(int(groups[one]), int(groups[other])) for one, other in self._joined]
        nodes = len(keys)
        if self.by == "template":
            found, templates = np.unique(np.asarray(self._templates, dtype=np.uint64), return_inverse=True)
            edges += zip(groups.tolist(), (templates + nodes).tolist(), strict=True)
            nodes += len(found)
        if edges:
            groups = _roots(nodes, edges)[groups]
        _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
        numbers = np.empty(len(first), np.int64)
        numbers[np.argsort(first)] = np.arange(len(first))
        appearing: Ints = numbers[groups]
        return appearing

    def _numbers(self, names: Iterator[Any]) -> Iterator[int]:
        for name in dict.fromkeys(names):
            if isinstance(name, str):
                yield self.tools.setdefault(name, len(self.tools))


def _roots(nodes: int, edges: Iterable[tuple[int, int]]) -> "Ints":
    """Of each node of a graph, the node that stands for its connected component."""
    import numpy as np

    parent = list(range(nodes))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for one, other in edges:
        parent[root(one)] = root(other)
    return np.fromiter(map(root, range(nodes)), np.int64, nodes)


def _pairs(tools: "array[int]", ends: "array[int]") -> "tuple[Ints, Ints]":
    import numpy as np

    counts = np.diff(_array(ends), prepend=0)
    return np.repeat(np.arange(len(ends), dtype=np.int64), counts), _array(tools)


def _array(values: "array[int]") -> "Ints":
    import numpy as np

    return np.asarray(values).astype(np.int64)


def _texts(value: Any) -> Iterator[str]:
    """Every text in an argument."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value.strip()
