"""Files whose rows are not examples: a dialogue a file, many instructions in an object."""

from collections.abc import Iterator
from typing import Any

import pytest
from data_rows import TOOL, user
from published_rows import API_BANK, TOOLALPACA, TOOLALPACA_TRAINING

from tuner_tui.data.layouts.reshape import MAX_TURNS, reshaper
from tuner_tui.data.readers import Row


def rows(*values: dict[str, Any] | None) -> Iterator[Row]:
    for number, value in enumerate(values, start=1):
        yield Row(number, value, None) if value is not None else Row(number, None, "cut short", "not_json")


def reshaped(*values: dict[str, Any] | None) -> list[Row]:
    first = next(value for value in values if value is not None)
    reshape = reshaper(first)
    assert reshape is not None
    return list(reshape(rows(*values)))


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [user()], "tools": [TOOL]},
        {"role": "user", "content": "not API-Bank's words"},
        {"role": ["User"], "text": "x"},
        {"Documentation": "{}"},
        {},
    ],
)
def test_most_rows_are_examples(value: dict[str, Any]) -> None:
    assert reshaper(value) is None


def test_a_dialogue_is_one_row() -> None:
    assert reshaped(*API_BANK) == [Row(1, {"dialogue": API_BANK}, None)]


def test_a_dialogue_with_a_broken_turn_is_one_broken_row() -> None:
    [row] = reshaped(API_BANK[0], None, *API_BANK[1:])
    assert row == Row(1, None, "turn 2: cut short", "not_json")


def test_a_dialogue_has_an_end() -> None:
    [row] = reshaped(*[API_BANK[0]] * (MAX_TURNS + 1))
    assert (row.value, row.rule) == (None, "bad_message")
    assert "more than 2,000 turns" in str(row.error)


def test_instructions_become_rows() -> None:
    found = reshaped(TOOLALPACA, None, TOOLALPACA)
    assert [row.number for row in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.rule for row in found] == [None, None, None, "not_json", None, None, None]
    first = found[0].value
    assert first is not None
    assert first["Instruction"] == "Show me a wild one."
    assert first["Golden_Answer"] == TOOLALPACA["Golden_Answers"][0]  # type: ignore[index]
    assert first["Documentation"] == TOOLALPACA["Documentation"]
    assert "Instructions" not in first


def test_training_instances_become_rows() -> None:
    found = [row.value for row in reshaped(TOOLALPACA_TRAINING)]
    assert [value["Instance"] for value in found if value] == TOOLALPACA_TRAINING["Instances"]


def test_lists_of_different_lengths_lose_nothing() -> None:
    found = reshaped({"Documentation": "{}", "Instructions": ["a", "b"], "Golden_Answers": [[]]})
    assert [(row.value or {})["Golden_Answer"] for row in found] == [[], None]
    found = reshaped({"Documentation": "{}", "Instructions": []})
    assert [row.value for row in found] == [{"Documentation": "{}", "Instructions": []}]
