"""The fuzz program: a few hundred cases of it, and that it reports what it should."""

import importlib.util
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


def test_nothing_but_our_own_errors() -> None:
    command = [sys.executable, str(PROGRAM), "--cases", "400", "--seed", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    counts = {
        line.split(None, 1)[1]: int(line.split()[0].replace(",", "")) for line in done.stdout.splitlines()[1:]
    }
    assert counts["faults"] == 0
    assert counts["file inspected"] > 50
    assert counts["clean"] + counts["findings"] > 20
    assert counts["refused"] > 50


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # of which it drops the first
    spec = importlib.util.spec_from_file_location("fuzz_program", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_fault_is_reported(program: ModuleType) -> None:
    def one(number: int, *_: Any) -> Counter[str]:
        if number == 3:
            raise KeyError("role")
        if number == 5:
            while True:
                time.monotonic()
        return Counter({"fine": 1})

    outcomes, faults = program.run(range(8), 1, [], 0.2, one)
    assert outcomes["fine"] == 6
    assert [fault.split(":")[0] for fault in faults] == ["case 3", "case 5"]
    assert "KeyError: 'role'" in faults[0]
    assert "longer than 0.2 s" in faults[1]
