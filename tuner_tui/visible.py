"""Hostile text made visible, for whatever prints: control characters become something that can be seen.

Text of a dataset, a model or a log may hold terminal escapes, bidirectional overrides or characters of no
width. Everything of that kind goes through `visible` before it reaches a terminal, a report or an error.
"""

_NEWLINE, _TAB, _DELETE = 0x0A, 0x09, 0x7F

# C0 controls and DEL have pictures of their own in Unicode (U+2400 to U+2421).
_PICTURES: dict[int, str] = {code: chr(0x2400 + code) for code in range(0x20)} | {_DELETE: "␡"}

# What has no picture is written as its escape: C1 controls (a terminal may obey them), zero-width characters
# and bidirectional marks (they reorder or hide what follows), line separators, and lone surrogates (they have
# no UTF-8).
_ESCAPED = [
    *range(0x80, 0xA0),
    0x00AD,
    0x061C,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xD800, 0xE000),
]
_ONE_LINE = _PICTURES | {code: f"\\u{code:04x}" for code in _ESCAPED}
_ONE_LINE |= {_NEWLINE: "⏎", _TAB: "⇥"}
_LINES = _ONE_LINE | {_NEWLINE: "\n", _TAB: "    "}


def visible(text: str, *, one_line: bool = False, limit: int | None = None) -> str:
    """`text` with every control character replaced by something that can be seen.

    Newlines are kept and a tab becomes four spaces, unless `one_line` asks for symbols (⏎, ⇥) in their
    place. More than `limit` characters are cut, the last one an ellipsis.
    """
    shown = text.translate(_ONE_LINE if one_line else _LINES)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"
