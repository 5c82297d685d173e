"""The text of an answer -> its tool calls. Never runs, and never trusts, what a model wrote.

The strict form of Hermes, Qwen 2.5 and 3, and the embedded model
(https://github.com/NousResearch/Hermes-Function-Calling) is one block for each call,

    <tool_call>
    {"name": "find_flight", "arguments": {"to": "Oslo"}}
    </tool_call>

`forms` has those of other families. What comes near to a form, or is in another than the model's own, is
parsed too, as many programs would, but is marked as not strict: an open or fenced block, single quotes,
"parameters" for "arguments", arguments as JSON text.
"""

import re
from dataclasses import dataclass, field
from itertools import islice

from tuner_tui.data.answers.forms import (
    MISTRAL_MARK,
    PYTHON_TAG,
    Form,
    llama_calls,
    looks_like_python,
    mistral_calls,
    python_calls,
)
from tuner_tui.data.answers.reading import load_json, near_calls, strict_call
from tuner_tui.data.examples import Call

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_MOST_CALLS = 256
"""Of one answer; and fenced blocks that are looked into."""
_FENCE = re.compile(r"```[A-Za-z]*\n?(.*?)(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """An answer, taken apart.

    `strict` is true when every call is in the model's own format to the letter (and when there is
    neither a call nor an attempt at one). `error` says in a few words what could not be parsed of
    an attempt; `calls` then holds what could.
    """

    content: str
    calls: list[Call] = field(default_factory=list)
    strict: bool = True
    error: str | None = None

    @property
    def attempted(self) -> bool:
        """Whether the answer calls a tool, or tries to."""
        return bool(self.calls) or self.error is not None


def parse_answer(text: str, form: Form = Form.TAGGED) -> ParsedAnswer:
    """Parse an answer in the strict form of a model, or near to it, or in another's. Raises nothing, whatever
    the text."""
    if _OPEN in text or _CLOSE in text:
        answer = _parse_tagged(text)
        return answer if form is Form.TAGGED else _loosely(answer)
    if MISTRAL_MARK in text:
        return _parsed(text.split(MISTRAL_MARK)[0], mistral_calls(text), form is Form.MISTRAL)
    tagged = text.lstrip().startswith(PYTHON_TAG)
    if form is Form.LLAMA or tagged or (text.lstrip().startswith("{") and ";" in text):
        calls, strict = llama_calls(text)
        if calls:
            return ParsedAnswer("", calls, strict and form is Form.LLAMA)
        if tagged:
            return _parsed("", python_calls(text.lstrip().removeprefix(PYTHON_TAG)), False)
    if looks_like_python(text.lstrip("`") if form is Form.PYTHON else text, bare=form is Form.PYTHON):
        found = python_calls(text)
        # Words such as "[see (a)] ..." begin like a list of calls too: an attempt ends like one.
        if found or text.rstrip().endswith((")", "]", "`")):
            return _parsed("", found, form is Form.PYTHON)
    return _parse_bare(text, form)


def _parsed(content: str, found: tuple[list[Call], bool] | None, own: bool) -> ParsedAnswer:
    if found is None:
        return ParsedAnswer(content.strip(), [], False, "a call that cannot be read")
    calls, strict = found
    return ParsedAnswer(content.strip(), calls, strict and own)


def _loosely(answer: ParsedAnswer) -> ParsedAnswer:
    return ParsedAnswer(answer.content, answer.calls, False, answer.error)


def _parse_tagged(text: str) -> ParsedAnswer:
    before, *blocks = text.split(_OPEN, _MOST_CALLS + 1)
    content = [before]
    calls: list[Call] = []
    strict, error = _CLOSE not in before, None
    if len(blocks) > _MOST_CALLS:
        blocks.pop()
        strict, error = False, f"more than {_MOST_CALLS} calls, of which no more are read"
    if not blocks:
        return ParsedAnswer(text.strip(), [], False, "a closing tag without a call")
    for block in blocks:
        body, closed, after = block.partition(_CLOSE)
        content.append(after)
        strict = strict and bool(closed) and _CLOSE not in after
        call = strict_call(load_json(body))
        if call is None:
            strict = False
            found = near_calls(body)
            if not found:
                error = error or ("a call that is cut off" if not closed else "a call that is no JSON")
            calls += found
        else:
            calls.append(call)
    return ParsedAnswer("".join(content).strip(), calls, strict and error is None, error)


def _parse_bare(text: str, form: Form) -> ParsedAnswer:
    """An answer without marks: a call only if the answer, or a fenced block of it, is one as a whole."""
    bodies = [text, *(match.group(1) for match in islice(_FENCE.finditer(text), _MOST_CALLS))]
    for body in bodies:
        calls = near_calls(body)
        if not calls and (body is not text or form is Form.PYTHON) and looks_like_python(body, bare=False):
            calls, _ = python_calls(body) or ([], False)
        if calls:
            content = "" if body is text else _FENCE.sub("", text).strip()
            return ParsedAnswer(content, calls, False, None)
    if re.match(r'\s*[\[{]\s*\{?\s*["\']name["\']\s*:', text):
        return ParsedAnswer(text.strip(), [], False, "a call that is no JSON")
    return ParsedAnswer(text.strip())
