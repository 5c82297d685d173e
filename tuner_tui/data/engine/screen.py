"""Texts of many rows looked through at once, for the signs of anything that `text_checks` may find.

A few vector passes over all the bytes tell in which rows something could be; only those are then checked.
"""

import re
import string
from collections.abc import Sequence
from typing import Any

from tuner_tui.data.copies.fingerprints import SEPARATOR
from tuner_tui.data.texts.checks import LONG_NUMBER, LONG_TOKEN, NEEDLES

_TOKEN, _DIGITS, _BAD, _FOREIGN, _ANGLE, _UPPER, _ROUND, _SQUARE = (1 << bit for bit in range(8))
_ROW = b"\x01"  # between rows; within one, the texts have the separator of fingerprints between them
_SEPARATOR = SEPARATOR.encode()
_DOUBLE_S = b"sw"  # the sign "ssw"


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
    for character, sign in (("<", _ANGLE), (")", _ROUND), ("]", _SQUARE)):
        table[ord(character)] |= sign
    table[_ROW[0]] = table[ord(SEPARATOR)] = 0
    return bytes(table)


_TABLE = _classes()
assert (LONG_TOKEN, LONG_NUMBER) == (16, 7), "the runs that `screen` looks for"
_SIGN_OF_A_NEEDLE = re.compile("<|\\)]|[A-Z]{4}|ssw")
assert all(map(_SIGN_OF_A_NEEDLE.search, NEEDLES)), "the signs of words that `screen` looks for"


def screen(texts: Sequence[bytes], separators: int) -> Sequence[int]:
    """The indexes of the texts, in UTF-8, in which `texts.checks` or `scripts.answers_in_another` may find
    something, or that hold a backslash; none of these is missing. They should hold so many `separators`.
    """
    import numpy as np

    if not texts:
        return ()
    data = _ROW.join(texts)
    if data.count(_ROW) != len(texts) - 1 or data.count(_SEPARATOR) != separators:
        return range(len(texts))
    raw = np.frombuffer(data, np.uint8)
    classes: Any = np.frombuffer(data.translate(_TABLE), np.uint8)
    # A run of n is where n neighbours, and'ed together, keep their bit.
    two = classes[:-1] & classes[1:]
    four = two[:-2] & two[2:]
    seven = four[:-3] & four[3:]
    sixteen = seven[:-9] & seven[9:]
    sixteen &= seven[7:-2]
    signs = classes & _BAD
    signs[: len(seven)] |= seven & _DIGITS
    signs[: len(sixteen)] |= sixteen & _TOKEN
    words = classes & (_ANGLE | _FOREIGN)
    words[: len(four)] |= four & _UPPER
    words[1:] |= (classes[:-1] << 1) & classes[1:] & _SQUARE
    # To look for what is not 0 is far quicker in booleans.
    sure, perhaps = np.flatnonzero(signs != 0), np.flatnonzero(words != 0)
    s, w = _DOUBLE_S
    twice = raw == s
    double = np.flatnonzero(twice[:-2] & twice[1:-1] & (raw[2:] == w))
    if not (len(sure) or len(perhaps) or len(double)):
        return ()
    ends = np.cumsum([len(text) + 1 for text in texts])  # past the sign between it and the next

    def rows_of(places: Any) -> list[int]:
        return list(dict.fromkeys(np.searchsorted(ends, places, side="right").tolist()))

    rows = set(rows_of(sure))
    for row in rows_of(perhaps) + rows_of(double):
        text = texts[row].decode()
        if row not in rows and (_NOT_LATIN.search(text) or any(needle in text for needle in NEEDLES)):
            rows.add(row)
    return sorted(rows)


# A text of Latin letters is not in another script than its question, and what `text_checks` finds in it has
# one of the other signs. Without the long s, which is an s to a pattern that ignores case.
_NOT_LATIN = re.compile("[^\x00-\x7f\xa0-\u017e\u0180-\u036f]")
