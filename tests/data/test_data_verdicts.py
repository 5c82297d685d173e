"""Verdicts: typed values, order-free arguments, multisets of calls, one error type for each failure."""

from typing import Any

import pytest

from tuner_tui.data.answers.parsing import ParsedAnswer, parse_answer
from tuner_tui.data.answers.scoring import ERROR_TYPES, judge, same_value
from tuner_tui.data.examples import Call


def tool(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": properties}},
    }


TOOLS = [
    tool(
        "find", to={"type": "string"}, day={"type": "integer"}, cls={"type": "string", "default": "economy"}
    ),
    tool("book", id={"type": "string"}),
]
GOLD = [Call("find", {"to": "Oslo", "day": 3})]


def answer(*calls: Call, strict: bool = True) -> ParsedAnswer:
    return ParsedAnswer("", list(calls), strict)


@pytest.mark.parametrize(
    "arguments",
    [{"day": 3, "to": "Oslo"}, {"to": "Oslo", "day": 3.0}, {"to": "Oslo", "day": 3, "cls": "economy"}],
)
def test_right_answers(arguments: dict[str, Any]) -> None:
    verdict = judge(GOLD, answer(Call("find", arguments)), TOOLS)
    assert verdict.right and verdict.full_match and verdict.arguments and verdict.tool_selection
    assert (verdict.error, verdict.no_call, verdict.strict_format) == (None, None, True)


@pytest.mark.parametrize(
    ("calls", "error", "selection", "arguments"),
    [
        ([], "missing_call", False, None),
        ([Call("find", {"to": "Oslo", "day": "3"})], "wrong_type", True, False),
        ([Call("find", {"to": "Oslo", "day": True})], "wrong_type", True, False),
        ([Call("find", {"to": "Bergen", "day": 3})], "wrong_value", True, False),
        ([Call("find", {"to": "Oslo"})], "missing_argument", True, False),
        ([Call("find", {"to": "Oslo", "day": 3, "way": "north"})], "unknown_argument", True, False),
        ([Call("find", {"to": "Oslo", "day": 3, "cls": "first"})], "unknown_argument", True, False),
        ([Call("book", {"id": "a"})], "wrong_tool", False, None),
        ([Call("fly", {"to": "Oslo", "day": 3})], "invented_tool", False, None),
        ([*GOLD, *GOLD], "wrong_count", False, None),
    ],
)
def test_wrong_answers(calls: list[Call], error: str, selection: bool, arguments: bool | None) -> None:
    verdict = judge(GOLD, answer(*calls), TOOLS)
    assert not verdict.right
    assert (verdict.error, verdict.tool_selection, verdict.arguments) == (error, selection, arguments)
    assert error in ERROR_TYPES


def test_parallel_calls_in_any_order() -> None:
    gold = [Call("find", {"to": "Oslo"}), Call("find", {"to": "Bergen"}), Call("book", {"id": "x"})]
    assert judge(gold, answer(*reversed(gold)), TOOLS).full_match
    twice = [gold[0], gold[0], gold[2]]
    verdict = judge(gold, answer(*twice), TOOLS)
    assert (verdict.tool_selection, verdict.arguments, verdict.error) == (True, False, "wrong_value")


def test_nested_values_are_compared_by_type_and_order() -> None:
    assert same_value({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]})
    assert not same_value({"a": [1, 2]}, {"a": [2, 1]})
    assert not same_value(1, True)
    assert not same_value("1", 1)
    assert not same_value(None, False)


def test_no_tool_serves() -> None:
    assert judge([], answer(), TOOLS).right
    needless = judge([], answer(*GOLD), TOOLS)
    assert (needless.no_call, needless.error, needless.full_match) == (False, "needless_call", None)


def test_broken_output_earns_nothing_where_no_tool_serves() -> None:
    assert judge([], parse_answer("<tool_call>\n{broken"), TOOLS).error == "needless_call"


def test_a_broken_attempt_is_a_call_that_no_parser_can_read() -> None:
    verdict = judge(GOLD, parse_answer("<tool_call>\n{broken"), TOOLS)
    assert (verdict.error, verdict.call_or_no_call, verdict.strict_format) == ("unparsable_call", True, False)


def test_a_right_call_in_a_loose_format_is_right_and_not_strict() -> None:
    verdict = judge(GOLD, parse_answer('{"name": "find", "arguments": {"to": "Oslo", "day": 3}}'), TOOLS)
    assert (verdict.full_match, verdict.strict_format) == (True, False)


def test_tools_that_are_not_sound_do_no_harm() -> None:
    odd: list[dict[str, Any]] = [
        {"function": {"name": "find", "parameters": None}},
        {"name": "x", "parameters": []},
    ]
    assert judge(GOLD, answer(*GOLD), odd).right
    assert judge(GOLD, answer(Call("find", {"to": "Oslo"})), []).error == "invented_tool"
