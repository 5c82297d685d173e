"""The key of a question, and training rows whose question is in the evaluation file."""

from array import array
from typing import Any

import pytest
from data_rows import TOOL, answer, call, example, user

from tuner_tui.data.copies.leaks import leaked, question_key

OTHER = TOOL | {"function": TOOL["function"] | {"name": "clock"}}
QUESTION = "Will it rain in Rome on 3.5?"


def key(*texts: str, tools: list[Any] | None = None) -> int:
    return question_key(example(*(user(text) for text in texts), answer("", call()), tools=tools))


@pytest.mark.parametrize(
    "text",
    ["will it rain in rome on 3.5", "  Will it\nRAIN in Rome, on 3.5 ?!", "Ｗｉｌｌ it rain in Rome on 3.5"],
)
def test_the_same_question(text: str) -> None:
    assert key(text) == key(QUESTION) != 0


@pytest.mark.parametrize("text", ["Will it rain in Rome on 35?", "Will it rain in Oslo on 3.5?"])
def test_another_question(text: str) -> None:
    assert key(text) != key(QUESTION)


def test_the_tools_belong_to_the_question() -> None:
    assert key(QUESTION, tools=[TOOL, OTHER]) == key(QUESTION, tools=[OTHER, TOOL])
    assert key(QUESTION, tools=[OTHER]) != key(QUESTION)


def test_a_short_request_means_what_was_asked_before() -> None:
    assert key("A hotel in Rome for two?", "Yes, please.") != key("A taxi to the airport?", "Yes, please.")
    assert key("Hello there!", QUESTION) == key(QUESTION)


def test_an_example_without_a_request_has_no_key() -> None:
    assert question_key(example(answer("A text."))) == 0
    assert question_key(example(user("…"), answer("What?"))) == 0


def test_of_a_pair_the_prompt_counts() -> None:
    pair = {"prompt": [user(QUESTION)], "chosen": [answer("a")], "rejected": [answer("b")], "tools": [TOOL]}
    assert question_key(pair) == key(QUESTION)


def test_leaked_rows_name_the_row_they_repeat() -> None:
    found = list(leaked(array("Q", [5, 0, 9, 2**64 - 1, 5]), array("Q", [0, 7, 5, 5, 2**64 - 1])))
    assert [(one.rule, one.row) for one in found] == [("leaked_row", 1), ("leaked_row", 4), ("leaked_row", 5)]
    assert "row 3 of the evaluation file" in found[0].message
    assert list(leaked(array("Q", [5]), array("Q"))) == []
    assert list(leaked(array("Q"), array("Q", [5]))) == []
