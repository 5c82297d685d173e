"""Files beside a dataset: found, read, and their absence or faults said plainly."""

import json
import os
from pathlib import Path

import pytest
from data_rows import Writer
from published_rows import (
    API_BANK,
    API_BANK_TABLE,
    BFCL,
    BFCL_ANSWER,
    BFCL_CLASS,
    SEAL_TOOLS,
    SEAL_TOOLS_TOOLS,
)

from tuner_tui.data.layouts.companions import Companion, load_companion
from tuner_tui.data.layouts.formats import Format
from tuner_tui.errors import UserError


def test_layouts_without_a_second_file_have_an_empty_companion(write: Writer) -> None:
    assert load_companion(write([{}]), Format.CANONICAL) == Companion()


def test_seal_tools(write: Writer) -> None:
    path = write([SEAL_TOOLS], "dev.jsonl")
    assert load_companion(path, Format.SEAL_TOOLS) == Companion(
        missing="there is no tool.jsonl beside the file"
    )
    write(SEAL_TOOLS_TOOLS, "tool.jsonl")
    companion = load_companion(path, Format.SEAL_TOOLS)
    assert companion.missing == ""
    assert companion.tools["findNurse"] == SEAL_TOOLS_TOOLS[0]
    # The folder as a dataset has the same companion.
    assert load_companion(path.parent, Format.SEAL_TOOLS).tools == companion.tools


def test_a_companion_that_was_changed_is_read_again(write: Writer) -> None:
    path = write([SEAL_TOOLS], "dev.jsonl")
    tools = write(SEAL_TOOLS_TOOLS, "tool.jsonl")
    assert len(load_companion(path, Format.SEAL_TOOLS).tools) == 3
    write(SEAL_TOOLS_TOOLS[:1], "tool.jsonl")
    os.utime(tools, ns=(1, 1))
    assert list(load_companion(path, Format.SEAL_TOOLS).tools) == ["findNurse"]


@pytest.mark.parametrize("place", ["dialogues", ".", "data"])
def test_api_bank_table_beside_or_above(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "dialogues"
    folder.mkdir()
    (tmp_path / place).mkdir(exist_ok=True)
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps(turn) + "\n" for turn in API_BANK))
    assert "all_apis.csv" in load_companion(path, Format.API_BANK).missing
    (tmp_path / place / "all_apis.csv").write_text(API_BANK_TABLE, "utf-8-sig")
    for dataset in (path, folder):
        companion = load_companion(dataset, Format.API_BANK)
        assert list(companion.tools) == ["AddAlarm", "AddMeeting", "GetToday"]
        assert companion.tools["AddAlarm"]["parameters"]["properties"]["time"] == {
            "type": "datetime",
            "description": "When.",
        }


API_BANK_PROGRAM = """
from apis.api import API

raise SystemExit("this program is read, and not run")

class AddAlarm(API):
    description = "Sets an alarm."
    input_parameters = {
        "token": {"type": "str", "description": "Who asks."},
        "at": {"type": "str"},
        "days": {"type": "List[int]"},
    }
    database_name = "Alarm" + str(1)

    def call(self, token, at): ...

class Helper:
    pass
"""


def test_api_bank_programs_go_before_the_table(tmp_path: Path) -> None:
    folder = tmp_path / "samples" / "level-1"
    folder.mkdir(parents=True)
    (folder / "all_apis.csv").write_text(API_BANK_TABLE, "utf-8")
    (tmp_path / "apis").mkdir()
    program = tmp_path / "apis" / "add_alarm.py"
    program.write_text(API_BANK_PROGRAM)
    assert load_companion(folder, Format.API_BANK).tools == {
        "AddAlarm": {
            "name": "AddAlarm",
            "description": "Sets an alarm.",
            "parameters": {
                "type": "object",
                "properties": {
                    "token": {"type": "str", "description": "Who asks."},
                    "at": {"type": "str"},
                    "days": {"type": "List[int]"},
                },
                "required": ["token", "at", "days"],
            },
        }
    }
    for broken in ("class AddAlarm(", "x = " + "[" * 5000, "a\0b"):
        program.write_text(broken)
        with pytest.raises(UserError, match=r"add_alarm\.py: is not Python"):
            load_companion(folder, Format.API_BANK)


def test_bfcl(tmp_path: Path) -> None:
    path = tmp_path / "BFCL_v4_simple.json"
    path.write_text(json.dumps(BFCL))
    assert load_companion(path, Format.BFCL).missing == (
        "there is no possible_answer/BFCL_v4_simple.json beside the file"
    )
    assert "possible_answer/*.json" in load_companion(tmp_path, Format.BFCL).missing
    (tmp_path / "possible_answer").mkdir()
    (tmp_path / "possible_answer" / path.name).write_text(json.dumps(BFCL_ANSWER))
    (tmp_path / "multi_turn_func_doc").mkdir()
    (tmp_path / "multi_turn_func_doc" / "gorilla_file_system.json").write_text(json.dumps(BFCL_CLASS))
    expected = Companion(
        {"simple_python_0": BFCL_ANSWER["ground_truth"]}, {"gorilla_file_system": BFCL_CLASS}
    )
    assert load_companion(path, Format.BFCL) == expected
    assert load_companion(tmp_path, Format.BFCL) == expected
    # Of a compressed dataset the answers have the plain name.
    assert load_companion(tmp_path / "BFCL_v4_simple.json.gz", Format.BFCL) == expected


def test_bfcl_answers_beside_the_folder_of_questions(tmp_path: Path) -> None:
    for folder, row in (("question", BFCL), ("possible_answer", BFCL_ANSWER)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "BFCL_v3_exec.json").write_text(json.dumps(row))
    companion = load_companion(tmp_path / "question" / "BFCL_v3_exec.json", Format.BFCL)
    assert list(companion.answers) == ["simple_python_0"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"api_name": ', "tool.jsonl: is not JSON"),
        ("[1]", "tool.jsonl: row 1 is no JSON object"),
    ],
)
def test_faulty_companions_are_named(write: Writer, content: str, sentence: str) -> None:
    path = write([SEAL_TOOLS], "dev.jsonl")
    write([content], "tool.jsonl")
    with pytest.raises(UserError, match=sentence):
        load_companion(path, Format.SEAL_TOOLS)


def test_a_table_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "all_apis.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not CSV in UTF-8"):
        load_companion(tmp_path / "a.jsonl", Format.API_BANK)


def test_a_companion_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "multi_turn_func_doc").mkdir()
    (tmp_path / "multi_turn_func_doc" / "math_api.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"math_api\.json: cannot be read"):
        load_companion(tmp_path / "BFCL_v4_[x].json", Format.BFCL)


def test_a_huge_companion_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "tool.jsonl").open("wb") as file:
        file.truncate(257 * 2**20)  # sparse
    with pytest.raises(UserError, match="larger than 256 MiB"):
        load_companion(tmp_path / "dev.jsonl", Format.SEAL_TOOLS)
