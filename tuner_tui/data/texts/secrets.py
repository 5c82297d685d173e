"""Keys, tokens and passwords, told by their well-known shapes. What is plainly made up is none of them.

Every quantifier is bounded, so that a hostile text costs time in proportion to its length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of key: `sign` stands in each of them, `pattern` has the secret part as its last group, and
    `shown` is how it begins."""

    what: str
    sign: str
    shown: str
    pattern: re.Pattern[str]


def _shape(what: str, sign: str, pattern: str, shown: str | None = None) -> _Shape:
    whole = re.compile(f"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])")
    return _Shape(what, sign, sign if shown is None else shown, whole)


# From the providers' pages on their tokens, and the rules of https://github.com/gitleaks/gitleaks.
_SHAPES = (
    _shape("an AWS access key", "AKIA", "AKIA([A-Z2-7]{16})"),
    _shape("an AWS access key", "ASIA", "ASIA([A-Z2-7]{16})"),
    *(_shape("a GitHub token", f"gh{x}_", f"gh{x}_([A-Za-z0-9]{{36,250}})") for x in "pousr"),
    _shape("a GitHub token", "github_pat_", "github_pat_([A-Za-z0-9_]{60,90})"),
    _shape("a GitLab token", "glpat-", "glpat-([A-Za-z0-9_-]{20,64})"),
    _shape("a Slack token", "xox", "xox[abeoprs]-([A-Za-z0-9-]{20,250})"),
    _shape(
        "a Slack webhook",
        "hooks.slack.com/services/",
        r"hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/([A-Za-z0-9]{24})",
    ),
    _shape("a Google API key", "AIza", "AIza([A-Za-z0-9_-]{35})"),
    _shape("a Hugging Face token", "hf_", "hf_([A-Za-z0-9]{30,60})"),
    _shape("a Stripe key", "k_live_", "[sr]k_live_([A-Za-z0-9]{16,120})", "sk_live_"),
    _shape("an npm token", "npm_", "npm_([A-Za-z0-9]{36})"),
    _shape("a PyPI token", "pypi-", "pypi-([A-Za-z0-9_-]{80,250})"),
    # OpenAI's and Anthropic's keys, and those of many others.
    _shape(
        "an API key",
        "sk-",
        "sk-(?:proj-|svcacct-|ant-[a-z0-9]{2,8}-|or-v1-)?([A-Za-z0-9_-]{20,250})",
    ),
    _shape(
        "a JSON Web Token",
        "eyJ",
        r"(?<![_.-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ([A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{20,1000})",
    ),
    _shape(
        "a private key",
        "PRIVATE KEY",
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]){0,8}"
        r"(?:(?:Proc-Type|DEK-Info|Version): [^\n\\]{1,80}(?:\s|\\[nr]){1,8}){0,3}"
        "([A-Za-z0-9+/]{40})[A-Za-z0-9+/]*",
        "-----BEGIN PRIVATE KEY-----",
    ),
)
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,64}:([^\s:/@]{6,64})@(?=[A-Za-z0-9])")
# As a program writes it; "Your new password: …" in prose is mostly one that a tool made up.
_PASSWORD = re.compile(
    r"[Pp](?:assword|asswd|ASSWORD|ASSWD)(?:\s{0,3}=|[\"']\s{0,3}[:=])\s{0,3}[\"'`]?"
    r"([^\s\"'`,;<>(){}\[\]$%|]{8,64})"
)
_KEY = re.compile(
    r"(?:api|secret|access|auth|client|private)[_-]?(?:key|token|secret)[\"']?\s{0,3}[:=]\s{0,3}[\"'`]?"
    r"([A-Za-z0-9_+/=.-]{20,200})",
    re.IGNORECASE,
)
_MADE_UP = re.compile(
    r"example|x{4}|your|\*{3}|\.{3}|…|12345|67890|abcde|qwert|dummy|sample|placeholder|fake|redacted|change_?me"
    r"|insert|passw|test|^user|admin|foobar|(.)\1{4}"
    r"|zdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9l",  # the one that jwt.io shows
    re.IGNORECASE,
)
_LEAST_DIFFERENT = 8  # characters of a random key of 16; all keys are longer


def secrets(text: str) -> Iterator[str]:
    """What looks like a secret in a text, each as a few words that do not give it away."""
    for shape in _SHAPES:
        if shape.sign in text:
            for match in shape.pattern.finditer(text):
                if _is_random(match[1], letters_only=shape.sign == "hf_"):
                    tail = "" if shape.sign == "PRIVATE KEY" else match[1][-4:]
                    yield f"{shape.what} ({shape.shown}…{tail})"
                    break
    if "://" in text:
        for match in _ADDRESS.finditer(text):
            if not _MADE_UP.search(match[1]):
                yield f"an address with a password ({match[0].partition('://')[0]}://…:…@)"
                break
    if any(sign in text for sign in _PASSWORD_SIGNS) and any(map(_is_password, _PASSWORD.findall(text))):
        yield "a password (password=…)"
    if any(sign in text for sign in _KEY_SIGNS):
        for match in _KEY.finditer(text):
            if _is_random(match[1]) and not any(shape.sign in match[1] for shape in _SHAPES):
                yield f"a key ({match[0][: match.start(1) - match.start()].strip()}…{match[1][-4:]})"
                break


_PASSWORD_SIGNS = ("assword", "asswd", "ASSWORD", "ASSWD")
_KEY_SIGNS = ("ey", "EY", "oken", "OKEN", "ecret", "ECRET")


def _is_password(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and not _MADE_UP.search(value)


def _is_random(secret: str, *, letters_only: bool = False) -> bool:
    if len(set(secret)) < _LEAST_DIFFERENT or _MADE_UP.search(secret):
        return False
    digits = sum(map(str.isdigit, secret))
    return letters_only or (digits >= 2 and digits < len(secret) - 2)
