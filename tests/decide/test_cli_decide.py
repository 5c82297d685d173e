"""`tuner decide` as a script sees it."""

import json
from pathlib import Path

import pytest

from tuner_tui.cli import main


def test_answers_from_a_file(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("goal: domain_tools\nprompting: systematic\nfailures: [format]\n")
    assert main(["decide", "--answers", str(file), "--json"]) == 0
    advice = json.loads(capsysbinary.readouterr().out)
    assert advice["rule"] == "constrain_the_format"
    assert advice["answers"]["goal"] == "domain_tools"


def test_for_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "answers.json"
    file.write_text('{"goal": "prototype"}')
    assert main(["decide", "--answers", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Prompt first, and count." in out
    assert "Why" in out and "What to do first" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("goal: [", "neither YAML nor JSON"),
        ("- a", "an object is needed"),
        ("goal: x", "does not answer goal"),
    ],
)
def test_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(content)
    assert main(["decide", "--answers", str(file)]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decide", "--answers", str(tmp_path / "none.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_questions_are_listed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["decide", "--questions", "--json"]) == 0
    assert len(json.loads(capsysbinary.readouterr().out)["questions"]) == 9
    assert main(["decide", "--questions"]) == 0
    assert b"domain_tools" in capsysbinary.readouterr().out
