"""Arms: names, prompts that a person adds and edits, retrieved rows, and what is measured anew."""

import json
from pathlib import Path
from typing import Any

import pytest

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.evaluation.arms import (
    ARM_TITLES,
    arm_mark,
    check_arms,
    in_order,
    is_tuned,
    own_prompts,
    prompt_text,
    retrieves,
    split,
    with_constraint,
)
from tuner_tui.evaluation.door import prepare
from tuner_tui.evaluation.launch import start_baseline
from tuner_tui.evaluation.overlap import item_example, same_question
from tuner_tui.evaluation.retrieve import EXAMPLES, Retriever
from tuner_tui.evaluation.suites import open_suite
from tuner_tui.evaluation.tasks import Item

TRAIN = paths.sample_data() / "train.jsonl"
HELDOUT = paths.sample_data() / "heldout.jsonl"


@pytest.fixture(autouse=True)
def prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    folder = paths.prompts_dir()
    folder.mkdir(parents=True)
    return folder


def items() -> list[Item]:
    return list(open_suite("heldout", HELDOUT).items)


def test_short_names_and_long_ones_are_the_same() -> None:
    assert split("constrained") == ("base", True) and split("tuned_constrained") == ("tuned", True)
    assert split("examples+constrained") == ("examples", True) and split("prompt:x") == ("prompt:x", False)
    assert (
        with_constraint("base") == "constrained" and with_constraint("retrieved") == "retrieved+constrained"
    )
    assert is_tuned("tuned_constrained") and not is_tuned("constrained")
    assert ARM_TITLES["prompt:mine"] == "Prompt mine"
    assert ARM_TITLES["examples+constrained"] == "Instruction and examples, constrained"


def test_arms_come_from_plain_to_tuned() -> None:
    mixed = ["tuned", "constrained", "prompt:b", "retrieved", "base", "tuned_constrained", "base"]
    assert in_order(mixed) == ["base", "retrieved", "prompt:b", "constrained", "tuned", "tuned_constrained"]


def test_a_file_in_the_prompts_folder_is_an_arm(prompts: Path) -> None:
    (prompts / "mine.txt").write_text("Call a tool.\n")
    assert own_prompts() == ["prompt:mine"]
    check_arms(["prompt:mine", "prompt:mine+constrained"])
    assert prompt_text("prompt:mine") == "Call a tool."
    asked = prepare("prompt:mine")(items()[0], [{"role": "user", "content": "Hi"}])
    assert asked[0] == {"role": "system", "content": "Call a tool."}


@pytest.mark.parametrize(
    "arm", ["best", "prompt:gone", "prompt:../x", "+constrained", "base+constrained+constrained"]
)
def test_other_names_are_refused(arm: str) -> None:
    with pytest.raises(UserError, match="no arm is called"):
        check_arms([arm])


def test_a_prompt_that_is_no_text_is_refused(prompts: Path) -> None:
    (prompts / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read as UTF-8"):
        check_arms(["prompt:binary"])


def test_an_edited_prompt_is_another_prompt(prompts: Path, tmp_path: Path) -> None:
    (prompts / "mine.txt").write_text("One.")
    before = arm_mark("prompt:mine", [])
    (prompts / "mine.txt").write_text("Two.")
    assert arm_mark("prompt:mine", []) != before
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n")
    assert arm_mark("prompt:mine", [rows]) == arm_mark("prompt:mine", []), "it retrieves nothing"
    before = arm_mark("retrieved", [rows])
    rows.write_text("{}\n{}\n")
    assert arm_mark("retrieved", [rows]) != before


def test_a_prompt_of_ones_own_can_retrieve(prompts: Path) -> None:
    (prompts / "mine.txt").write_text("Like these:\n{examples}")
    assert retrieves("prompt:mine") and retrieves("retrieved") and not retrieves("examples")
    system = prepare("prompt:mine", [TRAIN])(items()[0], [{"role": "user", "content": "Hi"}])[0]["content"]
    assert system.startswith("Like these:\nRequest: ") and system.count("Request: ") == EXAMPLES


def test_like_requests_are_found() -> None:
    retriever = Retriever([TRAIN])
    one = retriever.nearest(items()[0])
    assert len(one) == EXAMPLES
    text = retriever.shown(items()[0])
    assert text.count("Request: ") == EXAMPLES and "{examples}" not in text


def test_neither_the_item_nor_a_duplicate_is_shown() -> None:
    # The items themselves as training rows, and once more in other letters.
    retriever = Retriever([HELDOUT, HELDOUT])
    for item in items()[:20]:
        mine = item_example(item)
        found = retriever.nearest(item)
        assert found and not any(same_question(mine, each) for each in found)
        requests = [json.dumps(each["messages"]) for each in found]
        assert len(set(requests)) == len(requests)


def test_words_that_few_rows_have_count_most(tmp_path: Path) -> None:
    def row(request: str) -> dict[str, Any]:
        return {
            "messages": [{"role": "user", "content": request}, {"role": "assistant", "content": "No."}],
            "tools": [],
        }

    path = tmp_path / "rows.jsonl"
    requests = [f"please book a room number {number}" for number in range(20)] + ["please water the orchids"]
    path.write_text("".join(json.dumps(row(each)) + "\n" for each in requests))
    asked = "please cut a few of the orchids in room number 77 now"
    item = Item("1", 1, asked, [{"role": "user", "content": asked}], [], [])
    assert "orchids" in Retriever([path]).nearest(item, 1)[0]["messages"][0]["content"]


def test_what_would_fail_late_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--train FILE"):
        start_baseline("embedded", HELDOUT, ("retrieved",))
    with pytest.raises(UserError, match="no such training data"):
        start_baseline("embedded", HELDOUT, ("retrieved",), training=[tmp_path / "gone.jsonl"])
    with pytest.raises(UserError, match="need a local model"):
        start_baseline("m", HELDOUT, ("constrained",), endpoint="http://localhost:1/v1")
    with pytest.raises(UserError, match="needs a run"):
        start_baseline("embedded", HELDOUT, ("tuned_constrained",))
    empty = tmp_path / "empty.jsonl"
    empty.write_text(json.dumps({"messages": [{"role": "assistant", "content": "Hi"}], "tools": []}) + "\n")
    with pytest.raises(UserError, match="rows with a request"):
        Retriever([empty])
