"""The files of sample_data: what their README says of them holds."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tuner_tui.embedded.broken import BROKEN
from tuner_tui.embedded.samples import FILES, write

FOLDER = Path(__file__).parents[2] / "sample_data"
GOOD = sorted(FILES)


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def messages(row: dict[str, Any]) -> list[dict[str, Any]]:
    return row["messages"] if "messages" in row else row["prompt"] + row["chosen"]


def calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [call["function"] for call in message.get("tool_calls", [])]


def test_the_generator_writes_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path)
    for name in [*GOOD, "broken.jsonl", "shop_tools.py"]:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_the_files_are_small_and_described() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 2_000_000
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in [*GOOD, "broken.jsonl", "shop_tools.py"]:
        assert f"`{name}`" in readme


@pytest.mark.parametrize("name", GOOD)
def test_every_call_fits_its_declaration(name: str) -> None:
    for row in rows(name):
        declared = {t["function"]["name"]: t["function"]["parameters"] for t in row["tools"]}
        for message in messages(row):
            for call in calls(message):
                jsonschema_rs.validate(declared[call["name"]], call["arguments"])
                assert set(call["arguments"]) <= set(declared[call["name"]]["properties"])


@pytest.mark.parametrize("name", GOOD)
def test_rows_are_whole(name: str) -> None:
    seen = set()
    for row in rows(name):
        spoken = messages(row)
        if name in ("instructed.jsonl", "shop.jsonl"):
            assert spoken.pop(0)["role"] == "system"
        assert spoken[0]["role"] == "user"
        assert spoken[-1]["role"] == "assistant"
        for before, message in zip([{}, *spoken], spoken, strict=False):
            if message["role"] == "assistant":
                assert message["content"] or calls(message)
            if message["role"] == "tool":
                assert message["name"] in [call["name"] for call in calls(before)]
        seen.add(json.dumps(row))
    assert len(seen) == len(rows(name))


def test_held_out_tools_occur_in_no_other_file() -> None:
    held = {t["function"]["name"] for row in rows("heldout.jsonl") for t in row["tools"]}
    said = {t["function"]["description"] for row in rows("heldout.jsonl") for t in row["tools"]}
    assert len(held) >= 20
    for name in GOOD:
        if name != "heldout.jsonl":
            text = (FOLDER / name).read_text(encoding="utf-8")
            assert not [word for word in held | said if word in text], name


def test_the_held_out_split_has_both_sorts() -> None:
    split = rows("heldout.jsonl")
    gold = [calls(row["messages"][-1]) for row in split]
    assert sum(bool(g) for g in gold) == 64
    assert sum(not g for g in gold) == 24
    assert sum(len(g) > 1 for g in gold) >= 8
    assert all(len(row["messages"]) == 2 for row in split)


def test_the_training_set_teaches_refusing_too() -> None:
    split = rows("train.jsonl")
    refused = [row for row in split if not any(calls(m) for m in row["messages"])]
    assert 0.2 <= len(refused) / len(split) <= 0.35


def test_preferences_differ_and_prefer_the_right_answer() -> None:
    faults = set()
    for row in rows("preferences.jsonl"):
        assert row["chosen"] != row["rejected"]
        declared = {t["function"]["name"]: t["function"]["parameters"] for t in row["tools"]}
        wrong, right = calls(row["rejected"][0]), calls(row["chosen"][0])
        if not right:
            faults.add("needless")
        elif not wrong:
            said = row["rejected"][0]["content"]
            told = right[0]["name"] in said
            faults.add("malformed" if "<tool_call>" in said else "told" if told else "refused")
        elif wrong[0]["name"] != right[0]["name"]:
            faults.add("wrong tool")
        else:
            assert set(wrong[0]["arguments"]) - set(declared[wrong[0]["name"]]["properties"])
            faults.add("invented")
    assert faults == {"needless", "malformed", "wrong tool", "invented", "told", "refused"}


def test_the_broken_file_has_its_faults() -> None:
    lines = (FOLDER / "broken.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines == [line for _, line in BROKEN]
    assert len({fault for fault, _ in BROKEN[1:]}) >= 8
    assert lines[0] == lines[-1]
    unreadable = 0
    for line in lines:
        try:
            json.loads(line)
        except json.JSONDecodeError:
            unreadable += 1
    assert unreadable == 2


def test_the_results_in_the_shop_are_those_of_its_tools() -> None:
    shop: dict[str, Any] = {}
    exec((FOLDER / "shop_tools.py").read_text(), shop)  # noqa: S102
    steps = set()
    for row in rows("shop.jsonl"):
        called = [call for message in row["messages"] for call in calls(message)]
        results = [json.loads(m["content"]) for m in row["messages"] if m["role"] == "tool"]
        assert results == [shop[call["name"]](**call["arguments"]) for call in called]
        steps.add(len(called))
    assert steps == {0, 1, 2}
    with pytest.raises(LookupError, match="there is no order x1"):
        shop["track_order"]("x1")
