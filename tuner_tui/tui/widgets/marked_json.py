"""A value as JSON text, with the places in it that findings point to."""

import json
from collections.abc import Collection, Iterable
from typing import Any

import orjson

Span = tuple[int, int]
"""Characters of a text: from, to (exclusive)."""


def is_inside(field: str, place: str) -> bool:
    """Whether `field` is the place or lies in it, as `tools[1].name` in `tools[1]`; "" is the whole row."""
    return not place or field == place or field.startswith((f"{place}.", f"{place}["))


def nearest(field: str, places: Iterable[str]) -> str | None:
    """The innermost of the places that hold `field`: for a missing argument, the arguments."""
    return max((place for place in places if is_inside(field, place)), key=len, default=None)


def dump(value: Any, place: str, fields: Collection[str], *, indent: bool) -> tuple[str, dict[str, Span]]:
    """`value`, which stands at `place`, as JSON, and the span of each of the fields in it.

    Of a member of an object the span holds its key too. The values that hold a field have their spans as
    well, for fields that are missing (`nearest`).
    """
    writer = _Writer(fields, indent)
    writer.add_value(value, place, 0)
    return "".join(writer.parts), writer.spans


class _Writer:
    """Only what holds a field is written member by member; everything else at once."""

    def __init__(self, fields: Collection[str], indent: bool) -> None:
        self.parts: list[str] = []
        self.spans: dict[str, Span] = {}
        self._length = 0
        self._fields = fields
        self._indent = indent

    def add_value(self, value: Any, place: str, depth: int) -> None:
        start = self._length
        held = [field for field in self._fields if is_inside(field, place)]
        if value and isinstance(value, dict | list) and any(field != place for field in held):
            self._add_members(value, place, depth + 1)
        else:
            self._add(self._plain(value, depth))
        if held:
            self.spans.setdefault(place, (start, self._length))

    def _add_members(self, value: dict[str, Any] | list[Any], place: str, depth: int) -> None:
        line = "\n" + "  " * depth if self._indent else ""
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        self._add(opening)
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for index, (key, member) in enumerate(members):
            self._add(f",{line}" if index else line)
            start = self._length
            inside = f"{place}[{key}]"
            if isinstance(value, dict):
                inside = f"{place}.{key}" if place else str(key)
                self._add(self._plain(key, 0) + (": " if self._indent else ":"))
            self.add_value(member, inside, depth)
            if inside in self.spans:
                self.spans[inside] = (start, self._length)
        self._add(f"{line[:-2]}{closing}" if self._indent else closing)

    def _plain(self, value: Any, depth: int) -> str:
        try:
            text = orjson.dumps(value, option=orjson.OPT_INDENT_2 if self._indent else None).decode()
        except (orjson.JSONEncodeError, UnicodeEncodeError):
            # A call that was written in Python may hold what JSON has no word for: an integer of any size.
            text = json.dumps(value, ensure_ascii=False, default=str, indent=2 if self._indent else None)
        return text.replace("\n", "\n" + "  " * depth)

    def _add(self, text: str) -> None:
        self.parts.append(text)
        self._length += len(text)
