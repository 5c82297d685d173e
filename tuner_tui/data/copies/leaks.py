"""Evaluation rows that are in the training data too: told by their question and the tools they offer.

Who trains on the questions of the evaluation measures memory. An answer may be worded differently, and a
question in other letters or with another full stop is the same question; so the key is the question in its
bare words and numbers. The tools belong to it: the same request with other tools is another task.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence

import msgspec
from xxhash import xxh3_64_intdigest

from tuner_tui.data.examples import Example, conversation
from tuner_tui.data.rules import Finding, finding

_encode = msgspec.msgpack.Encoder().encode

# Words, and numbers whole: 3.5 is not 35, and -1 is not 1.
_WORDS = re.compile(r"-?\d+(?:[.,]\d+)*|\w+")
_LEAST_LETTERS = 20
"""A request of fewer letters ("Yes, please.") means nothing without the ones before it."""


def question_key(example: Example) -> int:
    """64 bits for the question of an example and the tools that it offers; 0 when nobody asks.

    The question is the last message of the user; while it has fewer than 20 letters and digits, the ones
    before it belong to it. Case, white space, punctuation and the order of the tools make no difference.
    """
    asked: list[str] = []
    letters = 0
    for message in reversed(conversation(example)):
        if message["role"] == "user":
            words = normalised(message["content"])
            asked.append(words)
            letters += len(words) - words.count(" ")
            if letters >= _LEAST_LETTERS:
                break
    if not letters:
        return 0
    names = sorted(str(tool["function"].get("name", "")) for tool in example["tools"])
    return xxh3_64_intdigest(_encode([asked, names])) or 1


def normalised(text: str) -> str:
    """The words and numbers of a text, in one case and with one space between them."""
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def leaked(questions: "array[int]", held_out: Sequence[int]) -> Iterator[Finding]:
    """A finding for each row of which the key (`questions[row - 1]`) is among those of the evaluation file.

    The message names the first such row there. Keys of 0 equal nothing.
    """
    import numpy as np

    held = np.asarray(held_out, dtype=np.uint64)
    mine = np.asarray(questions, dtype=np.uint64)
    keys, first = np.unique(held, return_index=True)
    place = np.searchsorted(keys, mine)
    place[place == len(keys)] = 0
    hits = np.flatnonzero((mine != 0) & (keys[place] == mine)) if len(keys) else ()
    for index in hits:
        number = int(first[place[index]]) + 1
        text = f"it asks the same as row {number} of the evaluation file, with the same tools"
        yield finding("leaked_row", int(index) + 1, None, text)
