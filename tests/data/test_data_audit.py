"""Conclusions on a whole file, from its tally; each with a tally from which it is not drawn."""

from array import array
from collections import Counter
from typing import Any

import pytest

from tuner_tui.data.audit import NEEDS, conclude
from tuner_tui.data.rules import Finding
from tuner_tui.data.tally import Tally
from tuner_tui.decide.questions import QUESTIONS


def tally(rows: int = 100, **change: Any) -> Tally:
    """A tally of which nothing is to be said."""
    sound = {
        "rows": rows,
        "sound": rows,
        "kinds": Counter(function_call=rows - 20, negative=15, error_recovery=5),
        "tools_called": Counter(a=rows // 3, b=rows // 3, c=rows // 3),
        "scripts": Counter(latin=rows),
        "fingerprints": array("Q", range(1, rows + 1)),
        "answers": array("Q", range(1, rows + 1)),
    }
    return Tally(**(sound | change))


def found(tally: Tally, goal: str | None = None, *, complete: bool = True) -> dict[str, Finding]:
    return {one.rule: one for one in conclude(tally, complete=complete, goal=goal)}


def test_nothing_is_said_of_a_sound_file() -> None:
    assert found(tally()) == {}
    assert found(Tally(), complete=False) == {}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("few_rows", {"rows": 49}),
        ("no_negatives", {"kinds": Counter(function_call=95, error_recovery=5)}),
        ("no_error_recovery", {"kinds": Counter(function_call=80, negative=20)}),
        ("one_label", {"labels": Counter(true=100)}),
        ("ends_in_call", {"ends_in_call": 3}),
        ("dominant_tool", {"tools_called": Counter(a=60, b=20, c=20)}),
        ("dominant_answer", {"answers": array("Q", [7] * 30 + list(range(100, 170)))}),
        ("several_languages", {"scripts": Counter(latin=90, han=10)}),
        ("duplicate_row", {"fingerprints": array("Q", [*range(1, 100), 1])}),
    ],
)
def test_each_conclusion_is_drawn(rule: str, change: dict[str, Any]) -> None:
    assert set(found(tally(**change))) == {rule}


@pytest.mark.parametrize(
    "change",
    [
        {"labels": Counter(true=50, false=50)},
        {"tools_called": Counter(a=20, b=1, c=1)},  # too few calls to say so
        {"tools_called": Counter(a=90, b=10)},  # of two tools one always has the half
        {"answers": array("Q", [7] * 60 + [8] * 40)},  # a classifier: few answers are its lesson
        {"answers": array("Q", [0] * 60 + list(range(1, 41)))},  # rows that are not sound
        {"scripts": Counter(latin=98, han=2)},
        {"fingerprints": array("Q", [0] * 100)},
    ],
)
def test_conclusions_that_are_not_drawn(change: dict[str, Any]) -> None:
    assert found(tally(**change)) == {}


def test_of_a_part_nothing_is_missing() -> None:
    part = tally(20, kinds=Counter(function_call=20))
    assert found(part, complete=False) == {}


def test_the_goal_says_how_many_rows_are_few() -> None:
    assert "few_rows" not in found(tally(), "prototype")
    assert "1,866" in found(tally(), "agent")["few_rows"].message
    assert "few_rows" not in found(tally(2000), "agent")
    assert "few_rows" not in found(tally(), None)


def test_every_goal_of_the_questionnaire_has_a_need() -> None:
    (goal,) = [question for question in QUESTIONS if question.id == "goal"]
    assert {option.id for option in goal.options} == set(NEEDS)


def test_copies_name_the_first_of_them_in_the_order_of_the_rows() -> None:
    prints = array("Q", [9, 5, 0, 9, 5, 0, 9, 3])
    copies = list(conclude(Tally(fingerprints=prints), complete=False))
    assert [(one.row, one.message) for one in copies] == [
        (4, "the same as row 1"),
        (5, "the same as row 2"),
        (7, "the same as row 1"),
    ]


def test_the_dominant_answer_names_a_row_that_has_it() -> None:
    answers = array("Q", [0, 500, *[7] * 30, *range(100, 168)])
    assert "the answer of row 3 (30%)" in found(tally(answers=answers))["dominant_answer"].message
