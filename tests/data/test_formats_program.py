"""benchmarks/formats.py: the table of a folder's datasets, run as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from data_rows import TOOL, answer, call, example, user
from published_rows import API_BANK, API_BANK_TABLE, SEAL_TOOLS, SEAL_TOOLS_TOOLS, TOOLBENCH_QUERY

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "formats.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    def write(name: str, *rows: object) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    sound = example(user(), answer("", call(city="Rome")), tools=[TOOL])
    write("rows.jsonl", sound, {"messages": []}, sound)
    write("queries.json", TOOLBENCH_QUERY)
    write("seal/dev.jsonl", SEAL_TOOLS, SEAL_TOOLS)
    write("seal/tool.jsonl", *SEAL_TOOLS_TOOLS)
    for number in range(3):
        write(f"dialogues/{number}.jsonl", *API_BANK)
    write("dialogues/empty.jsonl")
    (tmp_path / "all_apis.csv").write_text(API_BANK_TABLE, "utf-8")
    (tmp_path / "SOURCE.md").write_text("# where it comes from")
    return tmp_path


def test_every_dataset_is_accounted_for(folder: Path) -> None:
    run = subprocess.run(
        [sys.executable, PROGRAM, folder, "--json"], capture_output=True, text=True, check=True
    )
    lines = {line["dataset"]: line for line in json.loads(run.stdout)}
    assert list(lines) == [
        *("all_apis.csv", "queries.json", "rows.jsonl", "dialogues", "seal/dev.jsonl", "seal/tool.jsonl")
    ]
    counts = {name: (line["rows"], line["converted"], line["rejected"]) for name, line in lines.items()}
    assert counts == {
        "all_apis.csv": (0, 0, 0),
        "queries.json": (1, 0, 1),
        "rows.jsonl": (3, 2, 1),
        "dialogues": (3, 3, 0),
        "seal/dev.jsonl": (2, 2, 0),
        "seal/tool.jsonl": (3, 0, 3),
    }
    assert "layout is not known" in lines["all_apis.csv"]["refused"]
    assert lines["rows.jsonl"]["why"] == {"bad_message": 1}
    assert lines["rows.jsonl"]["findings"]["duplicate_row"] == 1
    assert lines["queries.json"]["why"] == lines["seal/tool.jsonl"]["why"] | {"no_answer": 1}
    assert lines["dialogues"]["format"] == "api_bank"
    assert lines["dialogues"]["left_out"][0].startswith("empty.jsonl: ")
    assert "missing_companion" not in lines["dialogues"]["findings"]
    assert all(line["adds_up"] and not line["broken"] for line in lines.values())


def test_table(folder: Path) -> None:
    run = subprocess.run([sys.executable, PROGRAM, folder], capture_output=True, text=True, check=True)
    assert "12 in, 7 out, 5 rejected" in run.stdout.splitlines()[-1]
    assert "empty.jsonl: " in run.stdout


def test_a_file_is_no_folder(folder: Path) -> None:
    run = subprocess.run([sys.executable, PROGRAM, folder / "rows.jsonl"], capture_output=True, text=True)
    assert run.returncode == 2
    assert "is not a folder" in run.stderr
