"""Instructions that a program can verify: each checker says whether an answer keeps to one of them."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_LONGEST = 5_000
"""Characters beyond which an answer keeps to no instruction: none asks for as much."""

Checker = Callable[[str, Any], bool]


def keeps(text: str, check: Mapping[str, Any]) -> bool:
    """Whether an answer keeps to one instruction, such as {"words_at_most": 15}. Raises nothing for a check
    that `fault` finds nothing wrong with; an empty answer keeps to none."""
    (name, value), *_ = check.items()
    text = text.strip()
    return bool(text) and len(text) <= _LONGEST and CHECKERS[name][0](text, value)


def fault(check: Any) -> str | None:
    """What is wrong with a check that somebody wrote; None for nothing."""
    if not isinstance(check, dict) or len(check) != 1:
        return 'must be an object with one check, such as {"words_at_most": 15}'
    ((name, value),) = check.items()
    if name not in CHECKERS:
        return f'"{name}" is no check; there are ' + ", ".join(CHECKERS)
    is_sound, wanted = CHECKERS[name][1]
    return None if is_sound(value) else f"the value of {name} must be {wanted}"


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)


def _sentences(text: str) -> int:
    return len([part for part in re.split(r"[.!?]+(?:[\"'”’)]*)(?:\s+|$)", text) if part.strip()])


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _bullets(text: str) -> int:
    return sum(re.match(r"[-*•]\s+\S", line) is not None for line in _lines(text))


def _numbered(text: str, count: int) -> bool:
    numbers = [int(m[1]) for line in _lines(text) if (m := re.match(r"(\d{1,3})[.)]\s+\S", line))]
    return numbers == list(range(1, count + 1))


def _has_word(text: str, word: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()))


def _json(text: str) -> Any:
    """The value of a text that is JSON as a whole; None for any other."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _has_keys(text: str, keys: list[str]) -> bool:
    value = _json(text)
    return isinstance(value, dict) and value.keys() == set(keys)


def _bare(text: str) -> str:
    return text.strip(" \n\t\"'“”.!*").casefold()


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_counted(key: str) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == {key, "times"}
        and _is_text(value[key])
        and _is_count(value["times"])
    )


_COUNT = (_is_count, "a whole number from 1")
_TEXT = (_is_text, "a text")
_TEXTS = (_are_texts, "a list of texts")
_TRUE = (lambda value: value is True, "true")

CHECKERS: Mapping[str, tuple[Checker, tuple[Callable[[Any], bool], str]]] = {
    "words_exactly": (lambda text, n: len(_words(text)) == n, _COUNT),
    "words_at_least": (lambda text, n: len(_words(text)) >= n, _COUNT),
    "words_at_most": (lambda text, n: 1 <= len(_words(text)) <= n, _COUNT),
    "sentences_exactly": (lambda text, n: _sentences(text) == n, _COUNT),
    "lines_exactly": (lambda text, n: len(_lines(text)) == n, _COUNT),
    "paragraphs_exactly": (
        lambda text, n: len([part for part in re.split(r"\n\s*\n", text) if part.strip()]) == n,
        _COUNT,
    ),
    "bullets_exactly": (lambda text, n: _bullets(text) == n, _COUNT),
    "numbered_exactly": (_numbered, _COUNT),
    "json_keys": (_has_keys, _TEXTS),
    "json_list": (lambda text, n: isinstance(v := _json(text), list) and len(v) == n, _COUNT),
    "includes": (lambda text, words: all(_has_word(text, word) for word in words), _TEXTS),
    "forbids": (lambda text, words: not any(_has_word(text, word) for word in words), _TEXTS),
    "mentions": (
        lambda text, want: _has_word(text, want["word"]) >= want["times"],
        (_is_counted("word"), '{"word": a text, "times": a whole number from 1}'),
    ),
    "times_of": (
        lambda text, want: text.count(want["text"]) == want["times"],
        (_is_counted("text"), '{"text": a text, "times": a whole number from 1}'),
    ),
    "without": (lambda text, part: part not in text, _TEXT),
    "lowercase": (lambda text, _: text == text.lower() and any(map(str.isalpha, text)), _TRUE),
    "uppercase": (lambda text, _: text == text.upper() and any(map(str.isalpha, text)), _TRUE),
    "starts_with": (lambda text, start: text.startswith(start), _TEXT),
    "ends_with": (lambda text, end: text.endswith(end), _TEXT),
    "last_line_starts": (
        lambda text, start: len(_lines(text)) > 1 and _lines(text)[-1].startswith(start),
        _TEXT,
    ),
    "one_of": (lambda text, words: _bare(text) in {word.casefold() for word in words}, _TEXTS),
    "equals": (lambda text, want: text == want.strip(), _TEXT),
    "quoted": (lambda text, _: len(text) > 2 and text[0] in '"“' and text[-1] in '"”', _TRUE),
    "no_digits": (lambda text, _: not any(map(str.isdigit, text)), _TRUE),
    "digits_only": (lambda text, _: re.fullmatch(r"[0-9]+\.?", text) is not None, _TRUE),
}
"""Name -> the checker of (answer, value), and what its value must be."""
