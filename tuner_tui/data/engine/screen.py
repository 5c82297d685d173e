"""Texts of many rows looked through at once, for the signs of anything that `text_checks` may find.

A few vector passes over all the bytes tell in which rows something could be; only those are then checked.
Passes over words of eight bytes take an eighth of the time: a run of 16 has a whole aligned word in it.
"""

import re
import string
from collections.abc import Sequence
from typing import Any

from tuner_tui.data.copies.fingerprints import SEPARATOR
from tuner_tui.data.texts.checks import LONG_NUMBER, LONG_TOKEN, NEEDLES

_TOKEN, _DIGITS, _BAD, _FOREIGN, _ANGLE, _SQUARE, _UPPER = (1 << bit for bit in range(7))
ROW = b"\n"
"""What stands before the texts of a row: no sign of anything, and it ends every run."""
_MARGIN = ROW * LONG_TOKEN  # before and behind them all, so that a run may be looked for around any word


def _classes() -> bytes:
    """For each byte: part of a long token, part of a long number, suspicious by itself, not ASCII, or part of
    one of NEEDLES.

    A backslash is suspicious because arguments are looked at as JSON text, where it can hide any character.
    """
    table = bytearray(256)
    for byte in range(256):
        character = chr(byte)
        if byte >= 0x80:
            table[byte] |= _FOREIGN
        elif byte == 0x7F or (byte < 0x20 and character not in "\t\n\r") or character in "@\\":
            table[byte] |= _BAD
        if byte < 0x7F and (character.isalnum() or character in "_+/=.-"):
            table[byte] |= _TOKEN
        if character in "0123456789 ().+/-":
            table[byte] |= _DIGITS
        if character in string.ascii_uppercase:
            table[byte] |= _UPPER
    table[ord("<")], table[ord("]")] = _ANGLE, _SQUARE
    table[ord(SEPARATOR)] = 0
    return bytes(table)


_TABLE = _classes()
assert (LONG_TOKEN, LONG_NUMBER) == (16, 7), "the runs that `screen` looks for"
_NEEDLES = [needle.encode() for needle in NEEDLES]
_SIGN_OF_A_NEEDLE = re.compile("<|\\)]|[A-Z]{4}|ssw")
assert all(map(_SIGN_OF_A_NEEDLE.search, NEEDLES)), "the signs of words that `screen` looks for"


def screen(texts: bytes | bytearray, ends: Sequence[int], separators: int) -> Sequence[int]:
    """The indexes of the rows in whose texts `texts.checks` or `scripts.answers_in_another` may find
    something, or that hold a backslash; none of these is missing.

    Args:
        texts: of all rows, in UTF-8; those of a row begin with ROW.
        ends: where they end.
        separators: how often SEPARATOR should stand in them.
    """
    import numpy as np

    if not ends:
        return ()
    data = b"".join((_MARGIN, texts, _MARGIN))
    raw = np.frombuffer(data, np.uint8)
    if len(raw) - np.count_nonzero(raw) != separators:
        return range(len(ends))
    classes = np.frombuffer(data.translate(_TABLE), np.uint8)[: len(data) // 8 * 8]
    singles = _singles(classes, _BAD | _FOREIGN | _ANGLE | _SQUARE)
    kinds = classes[singles]
    foreign = singles[kinds == _FOREIGN]
    square = singles[kinds == _SQUARE]
    double = _pairs(raw, b"sw")
    sure = np.concatenate(
        (
            singles[kinds == _BAD],
            _runs(classes, _TOKEN, LONG_TOKEN, 8),
            _runs(classes, _DIGITS, LONG_NUMBER, 4),
        )
    )
    words = np.concatenate(
        (
            singles[kinds == _ANGLE],
            square[raw[square - 1] == ord(")")],
            double[raw[double - 1] == ord("s")],
            _runs(classes, _UPPER, 4, 2),
        )
    )
    if not (len(sure) or len(words) or len(foreign)):
        return ()
    limits = np.array(ends) + len(_MARGIN)

    def rows_of(places: Any) -> set[int]:
        return set(np.searchsorted(limits, places, side="right").tolist())

    def text(row: int) -> bytes:
        return data[limits[row - 1] if row else 0 : limits[row]]

    rows = rows_of(sure)
    rows |= {row for row in rows_of(words) - rows if any(needle in text(row) for needle in _NEEDLES)}
    rows |= {row for row in rows_of(foreign) - rows if _NOT_LATIN.search(text(row).decode())}
    return sorted(rows)


def _singles(classes: Any, bits: int) -> Any:
    """The places of the bytes with one of these bits."""
    import numpy as np

    words = np.flatnonzero((classes.view(np.uint64) & _repeated(bits, 8)) != 0)
    found, byte = np.nonzero(classes.reshape(-1, 8)[words] & bits)
    return words[found] * 8 + byte


def _runs(classes: Any, bit: int, length: int, block: int) -> Any:
    """A place in each run of so many bytes with this bit, at least. A run has in it an aligned block of half
    its length; only around such is looked for runs."""
    import numpy as np

    mask = _repeated(bit, block)
    places = np.flatnonzero((classes.view(mask.dtype) & mask) == mask) * block
    if not len(places):
        return places
    # From the start of the earliest run with the block in it to the end of the latest.
    around = np.lib.stride_tricks.sliding_window_view(classes, 2 * length - block)
    held = np.ascontiguousarray(around[places - (length - block)].T) & bit
    size = 1  # of the runs that `held` tells
    while size < length:
        more = min(size, length - size)
        held = held[:-more] & held[more:]
        size += more
    return places[held.any(axis=0)]


def _pairs(raw: Any, pair: bytes) -> Any:
    """Where these two bytes stand next to each other: the place of the first."""
    import numpy as np

    found = []
    for first in (0, 1):
        words = raw[first : first + (len(raw) - first) // 2 * 2].view(np.uint16)
        found.append(np.flatnonzero(words == np.frombuffer(pair, np.uint16)[0]) * 2 + first)
    return np.concatenate(found)


def _repeated(bits: int, size: int) -> Any:
    """These bits in each byte of a word of `size` bytes."""
    import numpy as np

    return np.frombuffer(bytes((bits,)) * size, f"u{size}")[0]


# A text of Latin letters is not in another script than its question, and what `text_checks` finds in it has
# one of the other signs. Without the long s, which is an s to a pattern that ignores case.
_NOT_LATIN = re.compile("[^\x00-\x7f\xa0-\u017e\u0180-\u036f]")
