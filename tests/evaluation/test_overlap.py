"""Items that were in the training data are found, exactly or nearly, and others are not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuner_tui import paths
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.overlap import checked_overlap, overlap, same_question
from tuner_tui.evaluation.suites import open_suite
from tuner_tui.evaluation.tasks import Item

LONG = (
    "Please book the large meeting room on the second floor for the quarterly review of the northern sales "
    "team from nine until half past eleven on Tuesday morning"
)


def tool(name: str = "book_room") -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": {}}},
    }


def item(request: str, id: str = "1", name: str = "book_room") -> Item:
    messages = [{"role": "user", "content": request}]
    return Item(id, 1, request, messages, [tool(name)], [Call(name, {"room": "large"})])


def row(request: str, name: str = "book_room") -> dict[str, Any]:
    call = {"type": "function", "function": {"name": name, "arguments": {"room": "large"}}}
    answer = {"role": "assistant", "content": "", "tool_calls": [call]}
    return {"messages": [{"role": "user", "content": request}, answer], "tools": [tool(name)]}


def training(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def test_the_same_question_in_other_letters_is_exact(tmp_path: Path) -> None:
    found = overlap([item(LONG)], [training(tmp_path, row(f"{LONG.upper()}!!"))])
    assert (found["items"], found["exact"], found["near"], found["tools"]) == (1, 1, 0, 1)
    assert "may be memory" in found["sentence"]


def test_a_question_with_one_other_word_is_near(tmp_path: Path) -> None:
    found = overlap([item(LONG)], [training(tmp_path, row("x y"), row(f"Oh, {LONG}"))])
    assert (found["exact"], found["near"]) == (0, 1)


def test_other_questions_and_other_tools_are_no_overlap(tmp_path: Path) -> None:
    other = row(
        "Cancel every single one of the meetings that were planned for the days after Christmas", "cancel"
    )
    found = overlap([item(LONG)], [training(tmp_path, other)])
    assert (found["exact"], found["near"], found["tools"]) == (0, 0, 0)
    assert "memory" not in found["sentence"]


def test_the_answers_to_one_item_count_once(tmp_path: Path) -> None:
    several = [replace(item(LONG), id=f"1#{number}") for number in (1, 2, 3)]
    found = overlap(several, [training(tmp_path, row(LONG))])
    assert (found["items"], found["exact"]) == (1, 1)


def test_a_file_against_itself_is_all_overlap_and_the_shipped_halves_have_none() -> None:
    task = open_suite("heldout", paths.sample_data() / "heldout.jsonl")
    itself = overlap(task.items, [paths.sample_data() / "heldout.jsonl"])
    assert itself["exact"] == itself["items"] == len(task.items)
    apart = overlap(task.items, [paths.sample_data() / "train.jsonl"])
    assert (apart["exact"], apart["near"]) == (0, 0)


def test_training_data_that_is_gone_is_a_note(tmp_path: Path) -> None:
    found, notes = checked_overlap([item(LONG)], [tmp_path / "gone.jsonl"])
    assert found is None and "not checked" in notes[0]
    assert checked_overlap([item(LONG)], []) == (None, [])


@pytest.mark.parametrize(("other", "same"), [(LONG.lower(), True), (f"Oh, {LONG}", True), ("Hello", False)])
def test_same_question(other: str, same: bool) -> None:
    assert same_question(row(LONG), row(other)) is same
