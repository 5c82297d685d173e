"""The official checker's verdict on one answer, and what it says in the words of all suites."""

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.answers.reading import load_json
from tuner_tui.data.answers.scoring import ERROR_TYPES as CALL_ERRORS
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.categories import Kind

ERROR_TYPES: Mapping[str, str] = {
    **CALL_ERRORS,
    "checker_failed": "gave a value at which the official checker breaks off, or one too large to be checked",
}

_LARGEST = {"simple_java": 500, "simple_javascript": 500}
"""Characters of one value that are checked in these languages: their notation is read by regular expressions
whose time grows with a power of the length."""
_LARGEST_JSON = 100_000


@dataclass(frozen=True, slots=True)
class Checked:
    """`valid` and `error_type` as the official runner gives them; `error` is a key of ERROR_TYPES."""

    valid: bool
    error_type: str | None = None
    error: str | None = None


class Checker:
    """The checkers of bfcl-eval.

    Raises:
        UserError: the package is not installed.
    """

    def __init__(self, run: str) -> None:
        """`run`: a name that no other run in this process has (the package keeps state by model name)."""
        self._check = official.load("eval_checker.ast_eval.ast_checker").ast_checker
        self._language = official.load("constants.enums").Language
        self._run = run

    def check(
        self,
        kind: Kind,
        category: str,
        answer: ParsedAnswer,
        functions: Sequence[Mapping[str, Any]],
        truth: Sequence[Mapping[str, Any]],
        offered: frozenset[str],
    ) -> Checked:
        """The verdict on an answer. Raises nothing, whatever the model wrote.

        Args:
            functions, truth: the item's descriptions and answers as they stand in the official files.
            offered: the names of its tools as they were shown.
        """
        if kind is Kind.NO_CALL:
            # Officially, what cannot be decoded is no call.
            return Checked(True) if not answer.calls else _no("irrelevance_error:decoder_success")
        if kind is Kind.ANY_CALL:
            if answer.calls:
                return Checked(True)
            return _no("relevance_error:decoder_failed", _uncalled(answer))
        if not answer.calls:
            return _no("ast_decoder:decoder_failed", _uncalled(answer))
        if _longest(answer.calls) > _LARGEST.get(category, _LARGEST_JSON):
            return _no("tuner:too_large", "checker_failed")
        output = [{call.name: call.arguments} for call in answer.calls]
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # a converter prints what it cannot read
                result = self._check(functions, output, truth, self._of(category), category, self._run)
        except Exception as error:  # the official checker meets whatever a model wrote
            return _no(f"checker:{type(error).__name__}", "checker_failed")
        if result["valid"]:
            return Checked(True)
        error_type = str(result["error_type"])
        return _no(error_type, _words(error_type, result.get("error"), answer.calls, offered))

    def _of(self, category: str) -> Any:
        names = {"simple_java": "JAVA", "simple_javascript": "JAVASCRIPT"}
        return self._language[names.get(category, "PYTHON")]


def _no(error_type: str, error: str | None = None) -> Checked:
    return Checked(False, error_type, error or _KNOWN[error_type])


def _uncalled(answer: ParsedAnswer) -> str:
    return "unparsable_call" if answer.attempted else "missing_call"


_KNOWN = {"irrelevance_error:decoder_success": "needless_call"}
_LAST = {
    "wrong_count": "wrong_count",
    "missing_required": "missing_argument",
    "missing_optional": "missing_argument",
    "unexpected_param": "unknown_argument",
}


def _words(error_type: str, details: Any, calls: Sequence[Call], offered: frozenset[str]) -> str:
    if any(call.name not in offered for call in calls):
        return "invented_tool"
    head, _, last = error_type.partition(":")
    if last in _LAST:
        return _LAST[last]
    if last == "wrong_func_name":
        return "wrong_tool"
    if head == "type_error":
        return "wrong_type"
    if last == "cannot_find_match":
        return _of_parallel(details, calls, offered)
    return "wrong_value"


def _of_parallel(details: Any, calls: Sequence[Call], offered: frozenset[str]) -> str:
    """Of the calls that were compared with the first expected one, the one that came nearest counts."""
    types = [
        str(one.get("sub_error_type"))
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict)
        for one in detail.values()
        if isinstance(one, dict)
    ]
    near = [each for each in types if not each.endswith("wrong_func_name")]
    return _words(near[0] if near else "simple_function_checker:wrong_func_name", None, calls, offered)


def _longest(calls: Sequence[Call]) -> int:
    values = (value for call in calls for value in call.arguments.values())
    return max((len(json.dumps(value, ensure_ascii=False, default=str)) for value in values), default=0)


def storable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as JSON that every reader takes; what is none (tuples, keys that are numbers, numbers without
    end) becomes what is nearest."""
    found = load_json(json.dumps(arguments, default=str))
    return found if isinstance(found, dict) else {name: repr(value) for name, value in arguments.items()}
