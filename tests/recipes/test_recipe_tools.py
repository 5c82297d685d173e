"""Executable tools: what they return, raise, print, or never finish is an answer, never the end of a run."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tuner_tui.errors import UserError
from tuner_tui.recipes.tools import RESULT_LIMIT, ToolBox, ToolError

FILE = '''
import os
import subprocess
import time

calls = 0


def add(a: int, b: int = 1) -> int:
    """Add two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    global calls
    calls += 1
    print("adding")
    return {"sum": a + b, "calls": calls}


async def say(text: str) -> str:
    """Say a text.

    Args:
        text: What to say.
    """
    return text


def fail(how: str) -> str:
    """Go wrong.

    Args:
        how: In which way.
    """
    if how == "exit":
        raise SystemExit("gone")
    if how == "die":
        os._exit(3)
    if how == "read":
        return "read " + repr(input())
    if how == "sleep":
        subprocess.Popen(["sleep", "600"])
        with open(os.environ["TOOL_PIDS"], "w") as file:
            file.write(str(os.getpid()))
        time.sleep(600)
    raise KeyError(how)
'''


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToolBox]:
    monkeypatch.setenv("TOOL_PIDS", str(tmp_path / "pid"))
    path = tmp_path / "tools.py"
    path.write_text(FILE)
    with ToolBox(path, seconds=5) as made:
        yield made


def test_schemas_are_made_of_signatures_and_docstrings(box: ToolBox) -> None:
    assert [function.__name__ for function in box.functions] == ["add", "say", "fail"]
    assert box.schemas[0] == {
        "type": "function",
        "function": {
            "name": "add",
            "description": "Add two numbers.",
            "parameters": {
                "type": "object",
                "properties": {
                    "a": {"type": "integer", "description": "The first number."},
                    "b": {"type": "integer", "description": "The second number."},
                },
                "required": ["a"],
            },
        },
    }


def test_results_and_failures(box: ToolBox) -> None:
    add, say, fail = box.functions
    assert add(a=1, b=2) == '{"sum": 3, "calls": 1}'
    assert add(a=1) == '{"sum": 2, "calls": 2}'  # the file keeps its state from call to call
    assert say(text="ja — 好") == "ja — 好"
    assert say(text="x" * 10**5) == "x" * RESULT_LIMIT + "…"
    for arguments, message in (
        ({"a": "1"}, "can only concatenate"),
        ({}, "missing 1 required"),
        ({"c": 1}, "unexpected"),
    ):
        with pytest.raises(ToolError, match=message):
            add(**arguments)
    with pytest.raises(ToolError, match="'odd'"):
        fail(how="odd")
    with pytest.raises(ToolError, match="gone"):
        fail(how="exit")
    with pytest.raises(ToolError, match="EOF"):  # a tool does not read what is meant for another
        fail(how="read")
    assert add(a=1) == '{"sum": 2, "calls": 4}'
    with pytest.raises(ToolError, match="fail ended its process"):
        fail(how="die")
    assert add(a=1) == '{"sum": 2, "calls": 1}'  # a process anew


def test_a_call_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path, box: ToolBox) -> None:
    assert box.functions[0](a=0) == '{"sum": 1, "calls": 1}'
    box._seconds = 0.5
    with pytest.raises(ToolError, match=r"fail took longer than 0\.5 seconds"):
        box.functions[2](how="sleep")
    group = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while any(_group(process) == group for process in psutil.process_iter()):
        assert time.monotonic() < deadline
    assert box.functions[0](a=0) == '{"sum": 1, "calls": 1}'


def _group(process: psutil.Process) -> int:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return 0
        return os.getpgid(process.pid)
    except (OSError, psutil.Error):
        return 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("import nothing_of_the_sort\n" + FILE, "cannot be run: ModuleNotFoundError: No module named"),
        ("raise SystemExit('enough')\n" + FILE, "cannot be run: SystemExit: enough"),
        (
            'class A: ...\ndef f(a: A):\n    """Take it.\n\n    Args:\n        a: It.\n    """',
            "f cannot be a tool",
        ),
    ],
)
def test_faults_that_only_running_the_file_shows(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "tools.py"
    path.write_text(text)
    with pytest.raises(UserError, match=fault):
        ToolBox(path, seconds=5)
