"""Items of a suite that the tuned model may have met in training: a gain on them is memory, not ability.

An item is there exactly when a training row asks the same question (`copies.leaks`: words and numbers, with
the tools' names), and nearly when request and gold calls are almost the same (`copies.near`: the Jaccard
index of runs of three words, candidates by MinHash, each compared exactly).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tuner_tui.data.copies import near
from tuner_tui.data.copies.leaks import question_key
from tuner_tui.data.dataset import examine
from tuner_tui.data.examples import Call, Example, Message, ToolCall, conversation
from tuner_tui.errors import UserError
from tuner_tui.evaluation.shapes import Overlap
from tuner_tui.evaluation.subset import REPEAT
from tuner_tui.evaluation.tasks import Item

_BAND = 8
"""Bytes of one band of a signature."""
_LEAST_SHINGLES = 10
"""Of a text that is compared: small talk is the same everywhere."""


class _Suite:
    """The items, ready to be looked up."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.keys: dict[int, set[str]] = defaultdict(set)
        self.bands: dict[tuple[int, bytes], set[str]] = defaultdict(set)
        self.shingles: dict[str, set[str]] = {}
        self.names: dict[str, frozenset[str]] = {}
        for item in items:
            example = item_example(item)
            if key := question_key(example):
                self.keys[key].add(item.id)
            self.names[item.id] = frozenset(
                [call.name for call in item.gold]
                or [str(tool.get("function", tool).get("name", "")) for tool in item.tools]
            )
            words = near.text(example)
            self.shingles[item.id] = near.shingles(words)
            if len(self.shingles[item.id]) >= _LEAST_SHINGLES:
                for band in _bands(words):
                    self.bands[band].add(item.id)


def overlap(items: Sequence[Item], training: Iterable[Path]) -> Overlap:
    """Look every row of the training files up among the items; a repeated item counts once.

    Raises:
        UserError: a training file cannot be read.
    """
    seen = {_origin(item.id): item for item in items}
    suite = _Suite(list(seen.values()))
    exact: set[str] = set()
    close: set[str] = set()
    tools: set[str] = set()
    for path in training:
        for row in examine(path)[1]:
            if row.example is None:
                continue
            exact |= suite.keys.get(question_key(row.example), set())
            tools |= {str(tool["function"].get("name", "")) for tool in row.example["tools"]}
            close |= _near(suite, row.example)
    known = sum(bool(names) and names <= tools for names in suite.names.values())
    return _told(len(seen), len(exact), len(close - exact), known)


def checked_overlap(items: Sequence[Item], training: Sequence[Path]) -> tuple[Overlap | None, list[str]]:
    """The overlap, or a note that says why it could not be told; neither without training files."""
    if not training:
        return None, []
    try:
        return overlap(items, training), []
    except UserError as error:
        return None, [f"Overlap with the training data was not checked: {error}"]


def item_example(item: Item) -> Example:
    """An item with its gold calls as an example."""
    return {"messages": [*item.messages, _answer(item.gold)], "tools": item.tools}


def same_question(one: Example, other: Example) -> bool:
    """Whether two examples are the same task, exactly or nearly."""
    key = question_key(one)
    if key and key == question_key(other):
        return True
    mine, others = near.shingles(near.text(_comparable(one))), near.shingles(near.text(_comparable(other)))
    return len(mine) >= _LEAST_SHINGLES and near.likeness(mine, others) >= near.THRESHOLD


def _origin(id: str) -> str:
    before, mark, number = id.rpartition(REPEAT)
    return before if mark and number.isdigit() else id


def _near(suite: _Suite, example: Example) -> set[str]:
    words = near.text(_comparable(example))
    candidates = {id for band in _bands(words) for id in suite.bands.get(band, ())}
    if not candidates:
        return set()
    mine = near.shingles(words)
    return {id for id in candidates if near.likeness(mine, suite.shingles[id]) >= near.THRESHOLD}


def _comparable(example: Example) -> Example:
    """The conversation with the calls of its last answer and without its words, which an item does not
    keep."""
    messages = conversation(example)
    last = max((i for i, each in enumerate(messages) if each["role"] == "assistant"), default=len(messages))
    kept: list[Message] = list(messages[:last])
    if last < len(messages):
        kept.append({**messages[last], "content": ""})
    return {"messages": kept, "tools": example["tools"]}


def _answer(gold: Sequence[Call]) -> Message:
    if not gold:
        return {"role": "assistant", "content": ""}
    made: list[ToolCall] = [
        {"type": "function", "function": {"name": call.name, "arguments": call.arguments}} for call in gold
    ]
    return {"role": "assistant", "content": "", "tool_calls": made}


def _bands(words: str) -> list[tuple[int, bytes]]:
    signature = near.signature(words)
    return [(start, signature[start : start + _BAND]) for start in range(0, len(signature), _BAND)]


def _told(items: int, exact: int, close: int, tools: int) -> Overlap:
    sentence = (
        f"Of {items:,} items, {exact:,} ask what a training row asks with the same tools, {close:,} more "
        f"nearly so, and {tools:,} need only tools that occur in training."
    )
    if exact + close:
        sentence += (
            f" A gain on those {exact + close:,} may be memory: take them out of the training data before you"
            " claim it."
        )
    return {"items": items, "exact": exact, "near": close, "tools": tools, "sentence": sentence}
