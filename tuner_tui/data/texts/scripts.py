"""Which script a text is written in, and whether an answer is in that of its question."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cache

from tuner_tui.data.examples import Message

# First code point of each block of letters, and its script (https://www.unicode.org/Public/UNIDATA/Blocks.txt).
_BLOCKS = (
    *((0x41, "latin"), (0x370, "greek"), (0x400, "cyrillic"), (0x530, "armenian"), (0x590, "hebrew")),
    *((0x600, "arabic"), (0x700, "other"), (0x750, "arabic"), (0x780, "other"), (0x8A0, "arabic")),
    *((0x900, "devanagari"), (0x980, "bengali"), (0xA00, "gurmukhi"), (0xA80, "gujarati"), (0xB00, "other")),
    *((0xB80, "tamil"), (0xC00, "telugu"), (0xC80, "kannada"), (0xD00, "malayalam"), (0xD80, "sinhala")),
    *((0xE00, "thai"), (0xE80, "other"), (0x10A0, "georgian"), (0x1100, "hangul"), (0x1200, "ethiopic")),
    *((0x13A0, "other"), (0x1780, "khmer"), (0x1800, "other"), (0x1C80, "cyrillic"), (0x1C90, "georgian")),
    *((0x1CC0, "other"), (0x1D00, "latin"), (0x1F00, "greek"), (0x2000, "other"), (0x2C60, "latin")),
    *((0x2C80, "other"), (0x2DE0, "cyrillic"), (0x2E00, "other"), (0x2E80, "han"), (0x3040, "kana")),
    *((0x3100, "other"), (0x3130, "hangul"), (0x3190, "other"), (0x31F0, "kana"), (0x3200, "other")),
    *((0x3400, "han"), (0xA000, "other"), (0xA640, "cyrillic"), (0xA6A0, "other"), (0xA720, "latin")),
    *((0xA800, "other"), (0xA960, "hangul"), (0xA980, "other"), (0xAB30, "latin"), (0xAB70, "other")),
    *((0xAC00, "hangul"), (0xD800, "other"), (0xF900, "han"), (0xFB00, "latin"), (0xFB13, "other")),
    *((0xFB1D, "hebrew"), (0xFB50, "arabic"), (0xFE00, "other"), (0xFE70, "arabic"), (0xFF00, "latin")),
    *((0xFF66, "kana"), (0xFFA0, "hangul"), (0xFFE0, "other"), (0x20000, "han"), (0x32000, "other")),
)
_STARTS = [start for start, _ in _BLOCKS]
_ASCII_LETTER = re.compile("[A-Za-z]")
_SAMPLE = 4000  # characters that tell the script of a text, however long it is

# A sign of these scripts says as much as some letters of another.
_WEIGHTS = {"han": 3, "kana": 2, "hangul": 2}
_LEAST = 12  # weighted letters, below which a text says nothing about its language ("OK", "Roma")
_LEAST_ANSWER = 30
_LEADING = 0.8  # of the weighted letters
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_OTHER_LANGUAGE = re.compile(
    r"translat|language|in english|inglés|anglais|englisch|chinese|mandarin|cantonese|japanese|korean|russian"
    r"|ukrainian|bulgarian|serbian|arabic|hindi|urdu|bengali|tamil|telugu|marathi|thai|greek|hebrew|persian"
    r"|farsi|armenian|georgian|spell|pronounc|alphabet"
    r"|翻译|翻譯|翻訳|英文|英语|英語|中文|日语|日文|韩语|俄语|перев|англий|язык|번역|영어|ترجم|الإنجليزية|अनुवाद|अंग्रेज",
    re.IGNORECASE,
)


def script(text: str) -> str:
    """The script that most letters of the beginning of a text are of, "latin", "han" …; "" without a letter.

    Japanese is "kana" where a tenth of its signs are.
    """
    if text.isascii():
        return "latin" if _ASCII_LETTER.search(text) else ""
    counts = _count(text)
    if not counts:
        return ""
    if counts["kana"] * 10 > counts["kana"] + counts["han"]:
        counts["kana"] += counts.pop("han", 0)
    return min(counts, key=lambda name: (-counts[name], name))


def answers_in_another(messages: Sequence[Message]) -> tuple[int, str, str] | None:
    """The first assistant turn that is in another script than the user turn before it: its index, the user's
    script, and its own; None when there is none.

    Code and addresses do not count, nor what is trained not. Where a user or system turn speaks of languages
    or translation, nothing is told.
    """
    if all(message["content"].isascii() for message in messages):
        return None
    asked: str | None = None
    for index, message in enumerate(messages):
        role, text = message["role"], message["content"]
        if role in ("user", "system"):
            if _OTHER_LANGUAGE.search(text):
                return None
            if role == "user":
                asked = _leading(text, _LEAST)
        elif role == "assistant" and asked and message.get("weight") != 0:
            own = _leading(text, _LEAST_ANSWER)
            if own and own != asked and not (asked != "latin" and _weighed(text)[asked]):
                return index, asked, own
    return None


def _leading(text: str, least: int) -> str | None:
    """The script of nearly all letters of a text with at least `least` of them (weighted)."""
    counts = _weighed(text)
    total = counts.total()
    if total < least:
        return None
    name, count = counts.most_common(1)[0]
    return name if count >= _LEADING * total else None


def _weighed(text: str) -> Counter[str]:
    """Letters by script, weighted; Japanese and Chinese share their signs, so they count as one."""
    counts = _count(_CODE.sub(" ", text[:_SAMPLE]))
    for name, weight in _WEIGHTS.items():
        if name in counts:
            counts[name] *= weight
    if "kana" in counts:
        counts["han"] += counts.pop("kana")
    del counts["other"]
    return counts


def _count(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for character, times in Counter(text[:_SAMPLE]).items():
        if name := _of(character):
            counts[name] += times
    return counts


@cache
def _of(character: str) -> str:
    return _BLOCKS[bisect_right(_STARTS, ord(character)) - 1][1] if character.isalpha() else ""
