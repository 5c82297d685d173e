"""Which rows belong together: templates, questions, and the connected groups of both."""

import time
from typing import Any

import pytest
from data_rows import TOOL, answer, call, example, result, user
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.data.parts.groups import BYS, RowFacts, masked, template_key
from tuner_tui.data.stats import KINDS


def slots(text: str, *values: str) -> str:
    return masked(text, values).replace("\0", "_")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Book a flight from New York to Los Angeles, please.", "book a flight from _ please"),
        ("Weather on 2023-09-12?", "weather on _"),
        ("Track package K43-b.", "track package _"),
        ("It costs $1,250.50 today", "it costs _ today"),
        ('Post "see you at noon" to the channel', "post _ to the channel"),
        ("Mail ada@example.com about https://example.com/x?y=1", "mail _ about _"),
        ("Ask Anna, Bob and Carl Smith about it", "ask _ about it"),
        ("I think I'm lost. Can you help?", "i think i m lost can you help"),
        ("Where is Москва, and where München?", "where is _ and where _"),
        ("where is москва", "where is москва"),
        ("天气怎么样", "天气怎么样"),
        ("", ""),
    ],
)
def test_masked(text: str, expected: str) -> None:
    assert slots(text) == expected


def test_masked_hides_the_arguments_of_the_calls() -> None:
    assert slots("Translate good morning to French.", "good morning", "french") == "translate _"
    # Whole words only, the longest value first, no value of one letter.
    assert slots("carpet with a car", "car") == "carpet with a _"
    assert slots("red wine and red", "red", "red wine") == "_"
    assert slots("a b c", "b") == "a b c"
    # A letter whose small form is two characters: the text is left alone rather than cut at wrong places.
    assert slots("İstanbul or rome", "rome") == "i stanbul or rome"


@pytest.mark.parametrize(
    "text", ["a", "“", '"', "\n", "a@", "'", "-", "A ", "1", "1-", "中", "a-", "\0 ", "x://", "(", "A'"]
)
def test_masked_takes_linear_time(text: str) -> None:
    begun = time.perf_counter()
    masked(text * 500_000, [text * 3])
    assert time.perf_counter() - begun < 1


@settings(deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=5))
def test_masked_takes_any_text(text: str, values: list[str]) -> None:
    assert masked(text, values) == masked(text, list(reversed(values)))


def test_template_key() -> None:
    def row(city: str, request: str = "Will it rain in {} on Monday?") -> dict[str, Any]:
        return example(user(request.format(city)), answer("", call(city=city)), result(city))

    assert template_key(row("Rome")) == template_key(row("Los Angeles")) == template_key(row("oslo"))
    assert template_key(row("Rome")) != template_key(row("Rome", "Will it snow in {} on Monday?"))
    # The first request counts, and what is said where nobody asks.
    later = example(user("Will it rain in Bern on Monday?"), answer("Yes."), user("Sing!"), answer("No."))
    assert template_key(later) == template_key(row("Rome"))
    assert template_key(example(answer("Hello."))) != template_key(example(answer("Bye.")))


def facts(by: Any, *rows: dict[str, Any]) -> RowFacts:
    made = RowFacts(by)
    for row in rows:
        made.add(row)
    return made


def test_facts_of_rows() -> None:
    other = {"type": "function", "function": {"name": "clock"}}
    rows = [
        example(user("Rain?"), answer("", call(city="Rome"), call(city="Oslo"), call("clock"))),
        example(user("Sing!"), answer("No."), tools=[TOOL, other]),
        example(user("Hi!"), answer("Hi."), tools=[]),
    ]
    found = facts("row", *rows)
    assert len(found) == 3
    assert found.tools == {"weather": 0, "clock": 1}
    assert [KINDS[kind] for kind in found.kinds.tolist()] == ["function_call", "negative", "other"]
    assert [pairs.tolist() for pairs in found.called()] == [[0, 0], [0, 1]]
    assert [pairs.tolist() for pairs in found.offered()] == [[0, 1, 1], [0, 0, 1]]


def test_groups_by_question() -> None:
    question = "Will it rain tomorrow in Rome, or in Oslo?"
    rows = [
        example(user(question), answer("", call(city="Rome"))),
        example(user("What is the time in Bern just now?"), answer("No tool tells.")),
        example(user(question.upper() + "!"), answer("Sorry, I can't.")),
        example(user(question), answer("", call(city="Rome")), tools=[]),  # other tools: another question
        example(answer("Nobody asks.")),
        example(answer("Nobody asks.")),
        example(answer("Nobody asks here either.")),
    ]
    assert facts("row", *rows).groups().tolist() == [0, 1, 0, 2, 3, 3, 4]


def test_groups_by_template_are_connected_by_questions() -> None:
    def row(first: str, last: str) -> dict[str, Any]:
        return example(user(first), answer("Go on."), user(last), answer("Yes."))

    rows = [
        row("Please book a flight to Rome.", "Which airline has the most comfortable seats?"),
        row("Please book a flight to Oslo.", "How late is the last flight of the day, usually?"),
        row("Please rent a car in Bern.", "How late is the last flight of the day, usually?"),
        row("Please write a poem.", "Make it rhyme in every second line, please."),
    ]
    assert facts("row", *rows).groups().tolist() == [0, 1, 1, 2]
    assert facts("template", *rows).groups().tolist() == [0, 0, 0, 1]


def test_no_rows_have_no_groups() -> None:
    for by in BYS:
        assert facts(by).groups().tolist() == []
