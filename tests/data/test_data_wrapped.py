"""Rows in a list of one JSON object, read in order, in chunks and by number."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from data_rows import answer, example, user

from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.readers import RowFile, open_rows, read_rows
from tuner_tui.errors import UserError

ROWS = [example(user(f"{number}?"), answer(f"{number}!")) for number in range(30)]


def agreed(path: Path) -> list[dict[str, Any] | None]:
    """The rows of a file, which are the same in each way of reading it."""
    rows = list(read_rows(path))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    chunks = list(open_rows(path).chunks(100))
    assert [row.value for chunk in chunks for row in chunk.rows()] == [row.value for row in rows]
    with RowFile(path) as by_number:
        assert [by_number[index] for index in range(len(by_number))] == rows
    assert list(read_rows(path, 1)) == rows[:1]
    return [row.value for row in rows]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("before", [{}, {"version": "1.0", "tags": ["a"]}])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_list_of_an_object(tmp_path: Path, indent: int | None, before: dict[str, Any], pack: Any) -> None:
    """Whatever stands beside it, and however it is printed."""
    path = tmp_path / "rows.json"
    path.write_bytes(pack(json.dumps({**before, "data": ROWS, "license": "MIT"}, indent=indent).encode()))
    assert agreed(path) == ROWS


def test_printed_with_the_list_on_the_first_line(tmp_path: Path) -> None:
    """As many programs write it, a row a line."""
    lines = ",\n".join(map(json.dumps, ROWS))
    path = tmp_path / "rows.json"
    path.write_text(f'{{"data": [\n{lines}\n]}}\n')
    assert agreed(path) == ROWS
    assert inspect_file(path).rows == len(ROWS)


def test_several_lists_are_named(tmp_path: Path) -> None:
    """Which one is meant cannot be known."""
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({"train": ROWS, "test": ROWS[:1]}))
    with pytest.raises(UserError, match=r'"train", "test"'):
        open_rows(path)


@pytest.mark.parametrize("text", ['{"messages": [\n%s]}', "%s", "{\n %s"])
def test_an_object_that_is_a_row(tmp_path: Path, text: str) -> None:
    """One example in a file of its own stays one row, over several lines, too."""
    row = {"messages": ROWS[0]["messages"]}
    path = tmp_path / "row.json"
    inside = (
        json.dumps(row["messages"])[1:-1]
        if "messages" in text
        else json.dumps(row).removeprefix("{" * ("{" in text))
    )
    path.write_text(text % inside)
    assert agreed(path) == [row]


def test_what_holds_no_rows_stays_as_it_is(tmp_path: Path) -> None:
    """Lists of other things, and more than one object."""
    other = {"query": "q", "api_list": [{"category": "x"}], "none": []}
    path = tmp_path / "rows.jsonl"
    for rows in ([other], [{"data": ROWS[:2]}] * 2):
        path.write_text("\n".join(map(json.dumps, rows)))
        assert agreed(path) == rows
    path.write_text('{"data": [\n{"messages": \n')
    assert all(row.error for row in read_rows(path))
