"""What is read as a call, what as strict, and that no text does harm."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.data.examples import Call

FLIGHT = Call("find_flight", {"to": "Oslo", "day": 3})
JSON = '{"name": "find_flight", "arguments": {"to": "Oslo", "day": 3}}'


def tagged(*bodies: str) -> str:
    return "\n".join(f"<tool_call>\n{body}\n</tool_call>" for body in bodies)


def test_one_call_to_the_letter() -> None:
    answer = parse_answer(tagged(JSON))
    assert (answer.calls, answer.strict, answer.error, answer.content) == ([FLIGHT], True, None, "")


def test_parallel_calls_with_words_beside_them() -> None:
    answer = parse_answer("Two flights.\n" + tagged(JSON, JSON))
    assert (answer.calls, answer.strict) == ([FLIGHT, FLIGHT], True)
    assert answer.content == "Two flights."


def test_words_are_no_call() -> None:
    answer = parse_answer("None of the tools can do that. {I would use find_flight}")
    assert (answer.calls, answer.attempted, answer.strict) == ([], False, True)


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>\n{JSON}",
        JSON,
        f"```json\n{JSON}\n```",
        f"Here it is:\n```\n[{JSON}]\n```",
        tagged(JSON.replace('"', "'")),
        tagged(JSON.replace("arguments", "parameters")),
        tagged('{"name": "find_flight", "arguments": "{\\"to\\": \\"Oslo\\", \\"day\\": 3}"}'),
        tagged('{"type": "function", "function": ' + JSON + "}"),
        tagged('{"name": "find_flight", "arguments": {"to": "Oslo", "day": 3}, "id": 1}'),
    ],
)
def test_near_misses_are_calls_but_not_strict(text: str) -> None:
    answer = parse_answer(text)
    assert (answer.calls, answer.strict, answer.error) == ([FLIGHT], False, None)


@pytest.mark.parametrize(
    "text",
    [
        tagged('{"name": "find_flight", "arguments": {"to": "Os'),
        '<tool_call>\n{"name": "find_flight", "argum',
        "</tool_call>",
        tagged("find_flight(to='Oslo')"),
        tagged('{"name": "f", "arguments": {"x": NaN}}'),
        tagged('{"name": "f", "arguments": {"x": 1e999}}'),
        tagged('{"name": "f", "arguments": {"x": "\\ud800"}}'),
        tagged('{"name": "f", "arguments": [1]}'),
        tagged('{"name": 3, "arguments": {}}'),
        tagged('{"name": "f", "arguments": ' + '{"a":' * 100 + "1" + "}" * 101),
        '{"name": "f", "arguments": {"x": ',
    ],
)
def test_broken_attempts_are_told_from_words(text: str) -> None:
    answer = parse_answer(text)
    assert (answer.calls, answer.attempted, answer.strict) == ([], True, False)


def test_a_broken_call_beside_a_good_one() -> None:
    answer = parse_answer(tagged(JSON, "{nonsense"))
    assert (answer.calls, answer.strict) == ([FLIGHT], False)
    assert answer.error is not None


def test_text_is_never_run() -> None:
    answer = parse_answer(tagged("{'name': __import__('os').getcwd(), 'arguments': {}}"))
    assert (answer.calls, answer.attempted) == ([], True)


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>" * 50_000,
        "[" * 100_000,
        "<tool_call>" + "[" * 100_000,
        tagged('{"name": "f", "arguments": {"x": "' + "a" * 1_000_000 + '"}}'),
        tagged('{"name": "f", "arguments": {"x": ' + "9" * 100_000 + "}}"),
        "```" * 50_000,
        '{"name": ' + "{" * 19_000,
    ],
    ids=["tags", "brackets", "brackets in a tag", "megabyte", "digits", "fences", "braces"],
)
def test_huge_texts_take_no_time(text: str) -> None:
    started = time.process_time()
    parse_answer(text)
    assert time.process_time() - started < 2


PIECES = st.sampled_from(
    [
        "<tool_call>",
        "</tool_call>",
        "{",
        "}",
        "[",
        "]",
        '"name"',
        ":",
        '"arguments"',
        ",",
        "```",
        "'",
        "\\u0000",
        "1e9",
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join))
def test_any_text_gives_an_answer_that_can_be_stored(text: str) -> None:
    answer = parse_answer(text)
    json.dumps([call.arguments for call in answer.calls], allow_nan=False, ensure_ascii=False).encode()
    assert answer.attempted or answer.strict
