"""A text to be found in JSON, in any case and either spelling: as it is, or escaped as JSON escapes it."""

import re
from collections.abc import Callable

import orjson


class Needle:
    """Looks for a text in the bytes of JSON rows."""

    def __init__(self, text: str) -> None:
        lowered = text.lower()
        # As it stands in JSON: quotes and line ends of the text are escaped there, once.
        self._spellings = (
            {lowered, orjson.dumps(lowered).decode()[1:-1]} if _encodable(lowered) else {lowered}
        )
        self.found_in: Callable[[bytes], bool] = self._in_text
        """Whether the text is somewhere in these bytes."""
        self.first: Callable[[bytes, int], int] | None = None
        """Where the text is first found, in lower-case bytes from an offset on (-1: nowhere); None when only
        `found_in` can tell."""
        if lowered.isascii() and lowered.upper().isascii():
            self._plain = tuple(spelling.encode() for spelling in self._spellings)
            self.found_in, self.first = self._in_bytes, self._place
            return
        self._escaped = re.compile("|".join(map(_escapes, self._spellings)).encode())

    def _in_bytes(self, data: bytes) -> bool:
        lowered = data.lower()
        return any(spelling in lowered for spelling in self._plain)

    def _place(self, lowered: bytes, start: int) -> int:
        found = [at for spelling in self._plain if (at := lowered.find(spelling, start)) >= 0]
        return min(found, default=-1)

    def _in_text(self, data: bytes) -> bool:
        lowered = data.decode(errors="replace").lower()
        if any(spelling in lowered for spelling in self._spellings):
            return True
        return b"\\u" in data and self._escaped.search(data.lower()) is not None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escapes(text: str) -> str:
    """A pattern for the text with all that is not ASCII as \\uXXXX, in lower case."""
    parts = []
    for character in text:
        if character.isascii():
            parts.append(re.escape(character))
            continue
        cases = {character, character.upper(), character.title()}
        parts.append("(?:" + "|".join(_escape(each) for each in sorted(cases)) + ")")
    return "".join(parts)


def _escape(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join(rf"\\u{code}" for code in codes)
