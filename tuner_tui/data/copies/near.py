"""Near duplicates: rows of which request and answer are almost the same, though not to the letter.

The likeness of two rows is the Jaccard index of their shingles: of all runs of three words in either, the
share that is in both. Comparing all pairs is out of the question, so MinHash finds the candidates (Broder,
1997): of 128 hashes, in 16 bands of 8, two rows of likeness s agree in a band with the chance 1 - (1 -
s^8)^16, which is 0.994 at 0.85 and 0.06 at 0.5. Every candidate is then compared exactly, so that nothing
is reported that is not so; `benchmarks/near.py` measures how many are missed.

Signatures are made in the workers and kept, 128 bytes a row; texts are not, and are read again for
candidates.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tuner_tui.data.examples import Example, conversation
from tuner_tui.data.rules import Finding, finding

if TYPE_CHECKING:
    from array import array

THRESHOLD = 0.85
"""Rows at least so alike are near duplicates. Lee et al. (arXiv:2107.06499) take 0.8 for whole documents;
rows are shorter and made from the same few patterns, so that less would call different requests the same."""

_HASHES, _BANDS = 128, 16
_SHINGLE = 3
_LEAST_SHINGLES = 10  # of a text that is compared
_SEED = 1
_KEPT_TEXTS = (
    4096  # shingles of candidates that are kept: the ones of a cluster are asked for again and again
)

# Scripts without spaces between words: each sign is a word.
_SIGNS = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_WORD = re.compile(r"\w+")
_WORD_OR_SIGN = re.compile(f"[{_SIGNS}]|(?:(?![{_SIGNS}])\\w)+")
_encode = msgspec.json.Encoder(order="sorted").encode


def text(example: Example) -> str:
    """What is compared: requests, answers and calls, not the tools, the system's words and the results, which
    rows of one source share anyway."""
    parts: list[str] = []
    for message in conversation(example):
        if message["role"] in ("user", "assistant"):
            parts.append(message["content"])
            for call in message.get("tool_calls", ()):
                parts += (call["function"]["name"], _encode(call["function"]["arguments"]).decode())
    return "\n".join(parts)


def shingles(text: str) -> set[str]:
    """All runs of three words of a text, without case and punctuation; a shorter text is one shingle."""
    words = (_WORD if text.isascii() else _WORD_OR_SIGN).findall(text.casefold())
    if len(words) < _SHINGLE:
        return {" ".join(words)}
    return {" ".join(run) for run in zip(words, words[1:], words[2:], strict=False)}


def likeness(one: set[str], other: set[str]) -> float:
    """The Jaccard index of two sets that are not both empty, 0 to 1."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def signature(text: str) -> bytes:
    """The bands of the MinHash of a text: 16 hashes of 8 bytes."""
    from array import array

    from rensa import RMinHash
    from xxhash import xxh3_64_digest

    minhash = RMinHash(num_perm=_HASHES, seed=_SEED)
    minhash.update(list(shingles(text)))
    hashes = array("I", minhash.digest()).tobytes()
    width = len(hashes) // _BANDS
    return b"".join(xxh3_64_digest(hashes[start : start + width]) for start in range(0, len(hashes), width))


def pairs(
    signatures: Sequence[bytes],
    rows: Sequence[int],
    text_of: Callable[[int], str],
    fingerprints: "array[int]",
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[Finding]:
    """A finding for each row that is nearly the same as an earlier one; arguments as for `matches`."""
    for row, earlier, alike in matches(signatures, rows, text_of, fingerprints, cancelled):
        words = "the same words as" if alike == 1.0 else f"{min(alike, 0.99):.0%} like"
        yield finding("near_duplicate", row, None, f"{words} row {earlier}")


def matches(
    signatures: Sequence[bytes],
    rows: Sequence[int],
    text_of: Callable[[int], str],
    fingerprints: "array[int]",
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[tuple[int, int, float]]:
    """Each row that is nearly the same as an earlier one: its number, that of the other, and their likeness.

    Exact copies are left to their rule, and so are texts of a few words: small talk is the same everywhere.

    Args:
        signatures: one for each of `rows`.
        rows: their numbers in the file, from 1, in order.
        text_of: gives the `text` of a row again.
        fingerprints: one for each row of the file.
        cancelled: asked before each comparison; once it says so, nothing more comes.
    """
    import numpy as np

    numbers = np.asarray(rows, dtype=np.int64)
    prints = np.frombuffer(fingerprints, dtype=np.uint64)[numbers - 1] if len(numbers) else numbers
    _, originals = np.unique(prints, return_index=True)
    originals.sort()
    bands = np.frombuffer(b"".join(signatures), dtype=np.uint64).reshape(-1, _BANDS)[originals]

    @lru_cache(maxsize=_KEPT_TEXTS)
    def shingles_of(index: int) -> set[str]:
        return shingles(text_of(int(numbers[originals[index]])))

    matched = -1
    for later, earlier in _candidates(bands):
        if later == matched:
            continue
        if cancelled is not None and cancelled():
            return
        mine, other = shingles_of(later), shingles_of(earlier)
        if len(mine) >= _LEAST_SHINGLES and (alike := likeness(mine, other)) >= THRESHOLD:
            matched = later
            yield int(numbers[originals[later]]), int(numbers[originals[earlier]]), alike


def _candidates(bands: Any) -> Iterator[tuple[int, int]]:
    """Pairs of indexes, later and earlier, that agree in a band; in the order of the later, then the other.

    Of those that agree, each is paired with the one before it and with the first of them: all pairs of a
    large cluster would be too many.
    """
    import numpy as np

    found = np.empty(0, np.uint64)
    for column in bands.T:
        order = np.argsort(column, kind="stable").astype(np.uint64)
        ordered = column[order]
        equal = np.concatenate(([False], ordered[1:] == ordered[:-1]))
        members = np.flatnonzero(equal)
        starts = np.flatnonzero(~equal)
        firsts = order[starts[np.searchsorted(starts, members, side="right") - 1]]
        later = order[members] << np.uint64(32)
        found = np.unique(np.concatenate((found, later | firsts, later | order[members - 1])))
    for pair in found:
        yield int(pair >> np.uint64(32)), int(pair & np.uint64(0xFFFFFFFF))
