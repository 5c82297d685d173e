"""Texts of many rows looked through at once, for the signs of anything that `text_checks` may find.

A few vector passes over all the bytes tell in which rows something could be; only those are then checked.
"""

import re
from collections.abc import Sequence
from typing import Any

from tuner_tui.data.texts.checks import LONG_NUMBER, LONG_TOKEN, NEEDLES

_TOKEN, _DIGITS, _BAD, _FOREIGN = 1, 2, 4, 8
_SEPARATOR = "\x00"


def _classes() -> bytes:
    """For each byte: part of a long token, part of a long number, suspicious by itself, or not ASCII.

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
    table[ord(_SEPARATOR)] = 0
    return bytes(table)


_TABLE = _classes()
assert (LONG_TOKEN, LONG_NUMBER) == (16, 7), "the runs that `screen` looks for"


def screen(texts: Sequence[str]) -> Sequence[int]:
    """The indexes of the texts in which `text_checks` or `scripts.answers_in_another` may find something, or
    that hold a backslash; none of these is missing."""
    import numpy as np

    if not texts:
        return ()
    data = _SEPARATOR.join(texts).encode()
    if data.count(0) != len(texts) - 1:  # a text holds the separator itself
        return range(len(texts))
    classes: Any = np.frombuffer(data.translate(_TABLE), np.uint8)
    # A run of n is where n neighbours, and'ed together, keep their bit.
    two = classes[:-1] & classes[1:]
    four = two[:-2] & two[2:]
    seven = four[:-3] & four[3:]
    eight = seven[:-1] & seven[1:]
    sixteen = eight[:-8] & eight[8:]
    signs = classes & _BAD
    signs[: len(seven)] |= seven & _DIGITS
    signs[: len(sixteen)] |= sixteen & _TOKEN
    places = np.flatnonzero(signs != 0)
    needles = [_places(data, needle.encode()) for needle in NEEDLES]
    foreign = () if data.isascii() else np.flatnonzero((classes & _FOREIGN) != 0)
    if not len(places) and not any(needles) and not len(foreign):
        return ()
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    found = np.searchsorted(ends, np.concatenate((places, *needles)).astype(np.int64))
    rows = set(found.tolist())
    rows.update(
        index
        for index in np.unique(np.searchsorted(ends, foreign)).tolist()
        if _NOT_LATIN.search(texts[index])
    )
    return sorted(rows)


# A text of Latin letters is not in another script than its question, and what `text_checks` finds in it has
# one of the other signs. Without the long s, which is an s to a pattern that ignores case.
_NOT_LATIN = re.compile("[^\x00-\x7f\xa0-\u017e\u0180-\u036f]")


def _places(data: bytes, needle: bytes) -> list[int]:
    places = []
    at = data.find(needle)
    while at >= 0:
        places.append(at)
        at = data.find(needle, at + 1)
    return places
