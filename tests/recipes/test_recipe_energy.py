"""What a run's GPUs took is told at the end of each process, whatever came of it."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tuner_tui.recipes import device
from tuner_tui.runs.reader import RunReader
from tuner_tui.runs.store import create_run

PROCESS = """
import sys
from pathlib import Path
from tuner_tui.recipes.session import run_recipe
from tuner_tui.runs.layout import RunState

def recipe(session):
    taken = {"read": {"joules": 1800.0, "gpus": 2}, "lost": None}
    session.meter = (lambda: taken[sys.argv[2]]) if sys.argv[2] in taken else None
    if sys.argv[3] == "fails":
        raise ValueError("broken")
    return RunState.FINISHED

sys.exit(run_recipe(Path(sys.argv[1]), recipe))
"""


@pytest.mark.parametrize(
    ("meter", "end", "told"),
    [("read", "ends", [1800.0]), ("read", "fails", [1800.0]), ("lost", "ends", []), ("none", "ends", [])],
)
def test_energy_is_told_where_a_counter_was_read(
    meter: str, end: str, told: list[float], tmp_path: Path
) -> None:
    run_dir = create_run("a", "method: sft\n", {}, tmp_path)
    argv = [sys.executable, "-c", PROCESS, str(run_dir), meter, end]
    done = subprocess.run(argv, capture_output=True, check=False)
    assert done.returncode == (1 if end == "fails" else 0)
    events = RunReader(run_dir).poll_events()
    assert [event["joules"] for event in events if event["code"] == "energy"] == told
    assert all("0.5 Wh" in event["message"] for event in events if event["code"] == "energy")
    assert events[-1]["code"] in ("finished", "failed"), "the last word stays the last"


def test_what_computes_here_is_described() -> None:
    found = device.describe()
    assert found["kind"] == ("gpu" if torch.cuda.is_available() else "cpu")
    assert found["name"] and found["count"] >= 1 and found["memory"] > 2**20
    if not torch.cuda.is_available():
        assert device.energy_meter() is None
