"""The verbs about runs, as a script calls them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuner_tui.cli import main
from tuner_tui.runs import control
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.store import create_run
from tuner_tui.runs.writer import RunWriter


@pytest.fixture
def live() -> Iterator[Path]:
    """A run whose trainer is this process."""
    run_dir = create_run("trial \x1b[31m[bold]", "name: trial\n", {})
    with RunWriter(run_dir) as writer:
        writer.update(state=RunState.RUNNING, step=2, total=9)
        yield run_dir
        writer.end(RunState.STOPPED)


def ended(state: RunState, reason: str | None = None) -> Path:
    run_dir = create_run("trial", "name: trial\n", {})
    with RunWriter(run_dir) as writer:
        writer.update(state=RunState.RUNNING, step=1, total=2)
        writer.event("started", "training \x1b[2J [red]now[/red].")
        writer.metrics(1, {"loss": 2.5, "learning_rate": 1e-3, "grad_norm": float("nan")})
        writer.metrics(1, {"eval_loss": 2.25})
        writer.end(state, reason)
    return run_dir


def test_ls_lists_and_says_when_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls"]) == 0
    assert "No runs yet" in capsys.readouterr().out
    run_dir = ended(RunState.FINISHED)
    assert main(["ls"]) == 0
    assert run_dir.name in capsys.readouterr().out
    assert main(["ls", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["id"], run["state"], run["step"], run["last_loss"]) == (run_dir.name, "finished", 1, 2.5)


def test_stop_and_save_leave_requests(live: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop", "last"]) == 0
    assert main(["save", live.name, "--json"]) == 0
    assert capsys.readouterr().out.endswith('"requested": "save"\n}\n')
    assert control.stop_requested(live)
    assert control.save_requested(live)


def test_a_live_run_is_not_removed(live: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rm", live.name]) == 2
    assert "stop it first" in capsys.readouterr().err
    assert live.is_dir()


def test_an_ended_run_can_be_removed_but_not_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    run_dir = ended(RunState.FINISHED)
    assert main(["stop", run_dir.name]) == 2
    assert "nothing to stop" in capsys.readouterr().err
    assert main(["rm", run_dir.name]) == 0
    assert not run_dir.exists()
    assert main(["rm", run_dir.name]) == 2


@pytest.mark.parametrize(
    ("state", "status"), [(RunState.FINISHED, 0), (RunState.STOPPED, 0), (RunState.FAILED, 1)]
)
def test_watch_prints_lines_and_tells_the_end(
    capsys: pytest.CaptureFixture[str], state: RunState, status: int
) -> None:
    run_dir = ended(state, "for a reason.")
    assert main(["watch", run_dir.name]) == status
    text = capsys.readouterr().out
    assert "loss 2.5000" in text
    assert "grad not finite" in text
    assert "evaluation loss 2.2500" in text
    assert f"{run_dir.name} {state} at step 1 of 2: for a reason." in text
    assert "\x1b" not in text
    assert "[red]now[/red]" in text
