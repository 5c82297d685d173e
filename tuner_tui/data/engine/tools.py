"""Declared tools, known by the hash of their bytes: each is looked at once, not again for the next row."""

import re

import orjson
from msgspec import Raw
from xxhash import xxh3_64_intdigest

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.copies.fingerprints import declared
from tuner_tui.data.engine.arguments import Parser, parser
from tuner_tui.data.engine.doubt import Doubt
from tuner_tui.data.engine.shapes import sample
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.validators import validate

# Beyond 64 bits orjson gives a float in its place, which `convert` refuses.
_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_MOST = 8192  # tools kept; some kilobytes each

tool_hash = xxh3_64_intdigest
KnownTool = tuple[str, int, Parser]
"""A tool's name and digest, as `fingerprints.declared` gives them, and what parses its arguments."""


class KnownTools:
    """Tools without fault: `get` gives them by the `tool_hash` of their JSON."""

    def __init__(self) -> None:
        self._known: dict[int, KnownTool | None] = {}
        self.get = self._known.get

    def learn(self, raw: Raw) -> KnownTool:
        """The tool, looked at now unless it is known.

        Raises:
            Doubt: it has a fault, or is not in canonical form.
        """
        key = tool_hash(raw)
        if key not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = self._compile(bytes(raw))
        if (tool := self._known[key]) is None:
            raise Doubt
        return tool

    def _compile(self, raw: bytes) -> KnownTool | None:
        if _LONG_INTEGER.search(raw):
            return None
        try:
            tool = orjson.loads(raw)
            example = convert({**sample(("user", "assistant"), (0, 0)), "tools": [tool]}, Format.CANONICAL)
        except (orjson.JSONDecodeError, ConversionError):
            return None
        if "original_tools" in example or validate(example, 1):
            return None
        (canonical,) = example["tools"]
        return (*declared(canonical), parser(canonical["function"].get("parameters")))
