"""The program that sends hostile answers through everything: some hundred, and that it reports faults."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tuner_tui.evaluation.suites.bfcl.multi_turn import BfclMultiTurnTask
from tuner_tui.evaluation.suites.bfcl.single import BfclTask
from tuner_tui.evaluation.tasks import Item

PROGRAM = Path(__file__).parents[3] / "benchmarks" / "fuzz_answers.py"

pytestmark = pytest.mark.usefixtures("needs_bfcl")


def test_hostile_answers_do_no_harm() -> None:
    command = [sys.executable, str(PROGRAM), "--cases", "400", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("400 texts, seed 7")
    assert "raised 0, run 0, over 5 s 0" in done.stdout
    assert "20 in multi-turn too" in done.stdout


def test_faults_are_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # of which it drops the first
    spec = importlib.util.spec_from_file_location("fuzz_answers_program", PROGRAM)
    assert spec is not None and spec.loader is not None
    program: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)

    def faulty(single: BfclTask, item: Item, text: str) -> bool:
        if "touch " in text:
            Path(text.split("touch ")[1].split("canary")[0] + "canary").touch()
        raise ZeroDivisionError

    monkeypatch.setattr(program, "judged", faulty)
    single, multi = BfclTask(["parallel"]), BfclMultiTurnTask(["multi_turn_base"])
    counts = program.run(range(1, 20), 0, -1.0, single, multi)
    assert counts["raised"] == counts["too slow"] == 19
    assert counts["run"] > 0
    assert "ZeroDivisionError" in capsys.readouterr().err
