"""Answers that were made elsewhere: scored without a model, and without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from gates import write_rows

from tuner_tui.cli import main
from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.evaluation.suites import open_suite
from tuner_tui.evaluation.tasks import Answer, Ask

CALL = '<tool_call>\n{"name": "open_gate", "arguments": {"number": %s}}\n</tool_call>'


@pytest.fixture
def heldout(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "heldout.jsonl", 9)


def answers(folder: Path, *lines: str) -> Path:
    path = folder / "answers.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def line(id: object, text: object) -> str:
    return json.dumps({"id": id, "text": text})


def test_rates_errors_and_what_is_missing(
    heldout: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = answers(
        tmp_path,
        line(1, CALL % 1),
        line("2", CALL % '"2"'),
        line("3", "No tool paints."),
        "no JSON at all",
        line("4", None),
        line("5", "\ud800 I would."),
        line("5", CALL % 5),
        "",
        line("77", "?"),
    )
    words = ["score", str(path), "--data", str(heldout), "--items", str(tmp_path / "items.jsonl")]
    assert main([*words, "--json"]) == 1, "some lines cannot be used"
    score = json.loads(capsysbinary.readouterr().out)
    assert score["outcome"]["full_match"] == {
        "count": 1,
        "total": 3,
        "rate": 0.3333,
        "interval": [0.0615, 0.7923],
    }
    assert score["outcome"]["no_call"]["count"] == 1
    assert score["outcome"]["errors"] == {"missing_call": 1, "wrong_type": 1}
    assert (score["scored"], score["missing"], score["unknown"]) == (4, ["4", "6", "7", "8", "9"], ["77"])
    assert [bad["line"] for bad in score["bad_lines"]] == [4, 5, 7]
    stored = [json.loads(each) for each in (tmp_path / "items.jsonl").read_text().splitlines()]
    assert [each["id"] for each in stored] == ["1", "2", "3", "5"]
    assert main(words) == 2, "a file that is there is not written over"


def test_people_read_it_too(heldout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(answers(tmp_path, line("1", CALL % 1))), "--data", str(heldout)]) == 0
    page = capsys.readouterr().out
    assert "1/1" in page and "8 items have no answer in the file" in page and " to 100.0]" in page


def test_what_cannot_be_scored_is_said(
    heldout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = answers(tmp_path, line("row-1", "x"), "[1]")
    assert main(["score", str(path), "--data", str(heldout)]) == 2
    assert main(["score", str(tmp_path / "none"), "--data", str(heldout)]) == 2
    assert main(["score", str(path)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert "no line answers an item" in told[0] and "'1'" in told[0] and "line 2" in told[0]
    assert "cannot read the answers" in told[1] and "--data" in told[2]


def test_items_of_several_turns_are_scored_from_all_that_was_said(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    task = open_suite("tasks")
    item = next(item for item in task.items if item.id == "calendar-lookup")
    call = tagged(item.gold[0].name, item.gold[0].arguments)
    exchange = task.begin(item)
    exchange.answered(Answer(call, parse_answer(call), 1, 0.0))
    asked = exchange.question()
    assert isinstance(asked, Ask)
    told = asked.messages[-1]["content"]
    path = answers(
        tmp_path,
        line("calendar-lookup", [call, told, "and more"]),
        line("calendar-create", [call]),
        line("calendar-none", []),
    )
    assert main(["score", str(path), "--suite", "tasks", "--json"]) == 1, "an empty list is no answer"
    score = json.loads(capsysbinary.readouterr().out)
    assert (score["scored"], score["outcome"]["right"]["count"]) == (1, 1)
    assert (score["several_turns"], [bad["line"] for bad in score["bad_lines"]]) == (["calendar-create"], [3])
    assert main(["score", str(answers(tmp_path, line("calendar-lookup", call))), "--suite", "tasks"]) == 2
    assert b'"text": ["...", "..."]' in capsysbinary.readouterr().err


def tagged(name: str, arguments: object) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def test_it_does_without_torch(heldout: Path, tmp_path: Path) -> None:
    path = answers(tmp_path, line("1", CALL % 1))
    program = (
        "import sys; from tuner_tui.cli import main; "
        f"status = main(['score', {str(path)!r}, '--data', {str(heldout)!r}, '--json']); "
        "heavy = {'torch', 'transformers', 'trl', 'datasets', 'pandas'} & set(sys.modules); "
        "sys.exit(status or (f'{heavy} was imported' if heavy else 0))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
