"""One answer against the gold calls -> a verdict and the type of its error."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.examples import Call

SCORING_VERSION = 1
"""Grows when the same text would get another verdict, so that stored verdicts are not mixed."""

ERROR_TYPES = {
    "needless_call": "called a tool although none serves the request",
    "missing_call": "answered in words although a tool serves the request",
    "unparsable_call": "tried to call, in text that no parser can read",
    "wrong_count": "made fewer or more calls than the request needs",
    "invented_tool": "called a tool that was not offered",
    "wrong_tool": "called an offered tool that does not serve the request",
    "missing_argument": "left out an argument",
    "unknown_argument": "added an argument that should not be there",
    "wrong_type": "gave a value of the wrong type, such as text for a number",
    "wrong_value": "gave a wrong value of the right type",
}
"""Error type -> what the model did, in words. An item has one: the first that applies."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is right and wrong about one answer; None where a question does not apply.

    `expected`: a tool serves the request. `called`: the answer calls, or tries to. `arguments`
    applies only where the right tools were called. `error` is a key of ERROR_TYPES.
    """

    expected: bool
    called: bool
    call_or_no_call: bool
    tool_selection: bool | None
    arguments: bool | None
    full_match: bool | None
    no_call: bool | None
    strict_format: bool | None
    error: str | None

    @property
    def right(self) -> bool:
        """Whether the answer is right as a whole."""
        return bool(self.full_match if self.expected else self.no_call)

    def to_json(self) -> dict[str, Any]:
        """The object that is stored with the item, with `right` beside the fields."""
        return {**asdict(self), "right": self.right}


def judge(gold: Sequence[Call], answer: ParsedAnswer, tools: Sequence[Mapping[str, Any]]) -> Verdict:
    """Compare an answer with the gold calls.

    Calls are compared as multisets: the order of parallel calls does not matter, their number
    does. Arguments are compared without order and with types: 5 equals 5.0 (JSON has one kind of
    number), and neither "5" nor true. An argument equal to the default in the tool's schema counts
    the same as one that is left out. An attempt at a call that cannot be parsed counts as a call,
    so that broken output earns nothing where no tool serves.
    """
    if not gold:
        return Verdict(
            expected=False,
            called=answer.attempted,
            call_or_no_call=not answer.attempted,
            tool_selection=None,
            arguments=None,
            full_match=None,
            no_call=not answer.attempted,
            strict_format=None,
            error="needless_call" if answer.attempted else None,
        )
    schemas = _schemas(tools)
    selection = sorted(call.name for call in gold) == sorted(call.name for call in answer.calls)
    left = _unmatched(gold, answer.calls, schemas) if selection else []
    full = selection and not left and answer.error is None
    return Verdict(
        expected=True,
        called=answer.attempted,
        call_or_no_call=answer.attempted,
        tool_selection=selection,
        arguments=not left if selection else None,
        full_match=full,
        no_call=None,
        strict_format=answer.strict and bool(answer.calls),
        error=None if full else _error(gold, answer, schemas, left),
    )


def same_value(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal: typed, objects without order, lists with it."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_value(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_value, left, right))
    return type(left) is type(right) and bool(left == right)


def argument_share(want: Call, got: Call, tools: Sequence[Mapping[str, Any]]) -> float:
    """The share of arguments that are right, of all that one of two calls of the same tool has; 1 of none.

    What counts as right is what `judge` says: the share is 1 where it would find no fault.
    """
    defaults = _defaults(_schemas(tools).get(want.name, {}))
    wanted = _without_defaults(want.arguments, defaults)
    given = _without_defaults(got.arguments, defaults)
    names = wanted.keys() | given.keys()
    right = sum(same_value(wanted[name], given[name]) for name in wanted.keys() & given.keys())
    return right / len(names) if names else 1.0


def tool_names(tools: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The names of declared tools."""
    return frozenset(_schemas(tools))


def _unmatched(
    gold: Sequence[Call], calls: Sequence[Call], schemas: Mapping[str, Mapping[str, Any]]
) -> list[tuple[Call, Call]]:
    """Pairs (gold, answer) of one tool whose arguments differ, after taking away all that match."""
    rest = list(calls)
    missing = []
    for want in gold:
        defaults = _defaults(schemas.get(want.name, {}))
        for index, call in enumerate(rest):
            if call.name == want.name and same_value(
                _without_defaults(call.arguments, defaults),
                _without_defaults(want.arguments, defaults),
            ):
                del rest[index]
                break
        else:
            missing.append(want)
    pairs = []
    for want in missing:
        index = next(i for i, call in enumerate(rest) if call.name == want.name)
        pairs.append((want, rest.pop(index)))
    return pairs


def _error(
    gold: Sequence[Call],
    answer: ParsedAnswer,
    schemas: Mapping[str, Mapping[str, Any]],
    left: Sequence[tuple[Call, Call]],
) -> str:
    if not answer.attempted:
        return "missing_call"
    if answer.error is not None:
        return "unparsable_call"
    if any(call.name not in schemas for call in answer.calls):
        return "invented_tool"
    if len(answer.calls) != len(gold):
        return "wrong_count"
    if not left:
        return "wrong_tool"
    want, got = left[0]
    defaults = _defaults(schemas.get(want.name, {}))
    wanted = _without_defaults(want.arguments, defaults)
    given = _without_defaults(got.arguments, defaults)
    if wanted.keys() - given.keys():
        return "missing_argument"
    if given.keys() - wanted.keys():
        return "unknown_argument"
    wrong = next(key for key in wanted if not same_value(wanted[key], given[key]))
    return "wrong_value" if _kind(wanted[wrong]) == _kind(given[wrong]) else "wrong_type"


def _kind(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def _schemas(tools: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Tool name -> the properties of its parameters; what is not sound is passed over."""
    schemas: dict[str, Mapping[str, Any]] = {}
    for tool in tools:
        function = tool.get("function", tool)
        parameters = function.get("parameters") or {}
        properties = parameters.get("properties") if isinstance(parameters, Mapping) else None
        schemas[str(function.get("name"))] = properties if isinstance(properties, Mapping) else {}
    return schemas


def _defaults(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: schema["default"]
        for name, schema in properties.items()
        if isinstance(schema, Mapping) and "default" in schema
    }


def _without_defaults(arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in arguments.items()
        if name not in defaults or not same_value(value, defaults[name])
    }
