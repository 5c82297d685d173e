"""Checks of single texts: control characters, secrets, personal data; and the sign that none can be there.

Nothing is found in a text that is not `suspicious`. The inspection relies on it: it looks through the texts
of many rows at once for the same signs, and checks only the rows that have one.
"""

import re
from collections.abc import Iterator

CALL_MARKS = ("<tool_call>", "<TOOLCALL>", "[TOOL_CALLS]", "<functioncall>", "<|python_tag|>")
"""What models write before a call, where it is not a part of the message of its own."""

CALL_NEEDLES = ("<tool", "TOOL", "<functioncall>", "<|python_tag|>", ")]")
"""Few words one of which stands in every text out of which a call may be read: `CALL_MARKS`, Hermes' tags of
tools and results, and the end of calls as Python writes them, `[f(a=1)]`."""

NEEDLES = ("assword", "asswd", "ASSWORD", "ASSWD", "PRIVATE KEY", *CALL_NEEDLES)
"""Words one of which stands in a suspicious text that has none of the other signs."""

LONG_TOKEN = 16
LONG_NUMBER = 7

# C0 and C1 but for tab and line ends, and the marks that reorder text (a known way to hide some).
CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff"
_CONTROL = re.compile(f"[{CONTROL}]")
_ASCII_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPE = re.compile("\x1b(?:\\[[0-9;?]{0,40}[A-Za-z]|\\][^\x07\x1b]{0,200}(?:\x07|\x1b\\\\))")
_TOKEN = re.compile(rf"[A-Za-z0-9_+/=.\-]{{{LONG_TOKEN}}}")
_NUMBER = re.compile(rf"[0-9](?:[ ().+/-]*+[0-9]){{{LONG_NUMBER - 1}}}")


def suspicious(text: str) -> bool:
    """Whether one of the checks may find something in a text.

    True when it has a character that is not ASCII, a control character, "@", one of NEEDLES, 16 characters in
    a row that keys are made of (letters, digits, "_+/=.-"), or 7 digits with only " ().+-/" between them.
    """
    if (
        not text.isascii()
        or "@" in text
        or _ASCII_CONTROL.search(text)
        or _NUMBER.search(text)
        or any(needle in text for needle in NEEDLES)
    ):
        return True
    # Twice as fast as to search the whole text: most words are short.
    return any(_TOKEN.search(word) for word in text.split() if len(word) >= LONG_TOKEN)


def may_hold_calls(text: str) -> bool:
    """Whether converting the text may read calls out of it, or its checks find some left in it."""
    return any(needle in text for needle in CALL_NEEDLES)


def control_character(text: str) -> str | None:
    """Where the first control character of a text is, as a few words."""
    if found := _CONTROL.search(text):
        return f"U+{ord(found.group()):04X} at character {found.start() + 1}"
    return None


def without_control_characters(text: str) -> str:
    """The text without its control characters, and without the whole of a terminal's escape sequences.

    C1 characters are read as what they nearly always are, text of Windows-1252 that was decoded as Latin-1.
    So do browsers (https://html.spec.whatwg.org/multipage/parsing.html#numeric-character-reference-end-state).
    """
    return _CONTROL.sub(_replacement, _ESCAPE.sub("", text))


def _replacement(found: re.Match[str]) -> str:
    code = ord(found[0])
    return bytes((code,)).decode("cp1252", "ignore") if 0x80 <= code <= 0x9F else ""


def confidential(text: str, name: str = "") -> Iterator[tuple[str, str]]:
    """What of a text should not be learned: a rule's id, and a few words that do not give it away. `name` is
    that of the argument in which the text stands."""
    if suspicious(text):
        # Their patterns take a while to compile, and most datasets have nothing for them.
        from tuner_tui.data.texts.personal_data import personal_data
        from tuner_tui.data.texts.secrets import secrets

        for what in secrets(text):
            yield "secret", what
        for what in personal_data(text, name):
            yield "personal_data", what
