"""The kinds of examples, by the rules that are written down."""

from typing import Any

import pytest
from data_rows import TOOL, answer, call, example, result, user

from tuner_tui.data.stats import KIND_RULES, KINDS, kind, reports_error, usual_kind

FAILED = '{"error": "no such city"}'


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        # Two calls in one turn are one step.
        ([user(), answer("", call(city="Rome"), call(city="Oslo")), result(), result()], "function_call"),
        # Two requests with a call each are no trace of several steps.
        (
            [user(), answer("", call()), result(), answer("Dry."), user("Oslo?"), answer("", call())],
            "function_call",
        ),
        ([user(), answer("", call()), result(), answer("First, I look.", call())], "multi_step"),
        ([user(), answer("", call()), result(FAILED), answer("", call())], "error_recovery"),
        # One of two parallel calls failed.
        (
            [user(), answer("", call(), call()), result(FAILED), result(), answer("", call())],
            "error_recovery",
        ),
        # A failure that is told to the user is not repaired, also when the next request brings a call.
        (
            [user(), answer("", call()), result(FAILED), answer("Sorry."), user("Oslo?"), answer("", call())],
            "function_call",
        ),
        ([user(), answer("", call()), result(FAILED), answer("Sorry, no such city.")], "function_call"),
        # The failure of the second step is not repaired.
        ([user(), answer("", call()), result(), answer("", call()), result(FAILED)], "multi_step"),
        ([user("Sing!"), answer("No tool sings.")], "negative"),
    ],
)
def test_kind_is_told_by_request(turns: list[dict[str, Any]], expected: str) -> None:
    assert kind(example(*turns)) == expected


def test_the_results_that_make_a_kind_error_recovery_are_those_before_another_call() -> None:
    request = [user(), answer("", call()), result(), answer("", call()), result(), answer("Sunny.")]
    turns = [(turn["role"], "tool_calls" in turn) for turn in [*request, *request]]
    assert usual_kind(True, turns) == ("multi_step", [2, 8])
    assert usual_kind(True, turns[2:]) == ("multi_step", [6])
    assert usual_kind(True, turns[-2:]) == ("negative", [])
    for at in (2, 4, 8, 10):
        failing = [*request, *request]
        failing[at] = result(FAILED)
        assert kind(example(*failing)) == ("error_recovery" if at in (2, 8) else "multi_step")


def test_kinds_of_preference_data() -> None:
    prompt, calling = [user()], [answer("", call(city="Rome"))]
    pair = {"prompt": prompt, "chosen": [answer("No.")], "rejected": calling, "tools": [TOOL]}
    assert kind(pair) == "negative"
    unpaired = {"prompt": prompt, "completion": calling, "label": False, "tools": [TOOL]}
    assert kind(unpaired) == "function_call"
    assert kind({"prompt": prompt, "completion": [answer("Hi.")], "label": True, "tools": []}) == "other"


def test_every_kind_has_a_rule_in_words() -> None:
    assert tuple(KIND_RULES) == KINDS
    assert all(rule.endswith(".") for rule in KIND_RULES.values())


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: no such city",
        "requests.exceptions.HTTPError: 404 Client Error",
        "404 Not Found",
        "HTTP 503 Service Unavailable",
        "Could not find the city.",
        "Permission denied",
        "Invalid city",
        '{"isError": true, "content": [{"type": "text", "text": "no such city"}]}',
        '{"errors": ["no such city"]}',
        '{"status": "failed: no such city"}',
        '{"status_code": 500}',
        '{"name": "weather", "content": {"error": "no such city"}}',
        '{"error": "", "response": "Error: no such city"}',
    ],
)
def test_failures(text: str) -> None:
    assert reports_error(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"error": "", "response": "ok"}',
        '{"error": "None", "exception": null, "errors": []}',
        '{"error": false}',
        '{"status": "success"}',
        '{"status": 200}',
        '{"status": 4631}',
        '{"status": true}',
        '{"ok": null}',
        '{"content": {"text": "no error was found"}}',
        "404 rooms are free",
        "Error-free since Monday",
        "The error was mended",
        "[1, 2]",
    ],
)
def test_no_failures(text: str) -> None:
    assert not reports_error(text)
