"""A real chain of three runs on a tiny model, stopped, killed and resumed on the way."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tiny_runs import ended

from tuner_tui.cli import main
from tuner_tui.runs import layout
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import RunReader, read_status
from tuner_tui.runs.store import list_runs
from tuner_tui.training import chain as chains
from tuner_tui.training.config import TrainConfig, load_config, to_yaml


def until(path: Path, condition: Callable[[Status], bool], seconds: float = 240) -> Status:
    """The status of a chain once `condition` holds; fails with its log when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition(status := read_status(path)):
        assert time.monotonic() < deadline, (status, (path / chains.LOG).read_text())
        time.sleep(0.05)
    return status


def runs(path: Path) -> list[Path | None]:
    return [step.run_dir for step in chains.read(path).steps]


def pairs(path: Path) -> Path:
    """Preference pairs about the weather: the right city against another."""
    from tiny_runs import example

    rows = []
    for number in range(12):
        good, bad = example(f"city{number}", number), example("elsewhere", number)
        rows.append(
            {
                "prompt": good["messages"][:1],  # type: ignore[index]
                "chosen": good["messages"][1:],  # type: ignore[index]
                "rejected": bad["messages"][1:],  # type: ignore[index]
                "tools": good["tools"],
            }
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def plan(config: TrainConfig, tmp_path: Path) -> Path:
    """SFT that would take long, a reward model and PPO of two steps each."""
    config.optimization.max_steps = 400
    config.logging.eval_every = 0
    (tmp_path / "own.yaml").write_text(to_yaml(config))
    short = {
        "optimization.max_steps": 2,
        "optimization.effective_batch": 4,
        "data.train": [str(pairs(tmp_path / "pairs.jsonl"))],
    }
    steps = [
        {"name": "sft", "config": "own.yaml"},
        {"name": "judge", "config": "own.yaml", "set": {"method": "reward", **short}},
        {
            "name": "ppo",
            "config": "own.yaml",
            "set": {"method": "ppo", "ppo.rollouts": 4, "ppo.epochs": 1, "ppo.max_new_tokens": 4, **short},
        },
    ]
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({"name": "rlhf", "steps": steps}))
    return path


def test_a_chain_is_stopped_killed_and_finished(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chain", str(plan), "--detach", "--json"]) == 0
    path = Path(json.loads(capsys.readouterr().out)["path"])
    for file in ("plan.yaml", "own.yaml"):  # what the chain needs of them it has
        (tmp_path / file).unlink()

    # Stopped: its run writes a checkpoint, and no other begins.
    until(path, lambda _: runs(path)[0] is not None and read_status(runs(path)[0] or path).step >= 1)
    sft = runs(path)[0]
    assert sft is not None
    assert main(["chain", "--stop", "last"]) == 0
    status = until(path, ended)
    assert (status.state, status.reason) == (RunState.STOPPED, "stopped on request.")
    stopped = read_status(sft)
    assert (stopped.state, stopped.total) == (RunState.STOPPED, 400)
    assert runs(path)[1:] == [None, None]

    # Resumed: with the same run, from its checkpoint. (Its end is brought near, or this test takes long.)
    text = (sft / layout.CONFIG).read_text().replace("max_steps: 400", f"max_steps: {stopped.step + 2}")
    (sft / layout.CONFIG).write_text(text)
    assert main(["chain", "--resume", path.name[:10], "--detach"]) == 0

    # Killed while the second run computes, just before it could note which run that is.
    until(path, lambda _: runs(path)[1] is not None)
    judge = runs(path)[1]
    assert judge is not None
    assert read_status(sft).state is RunState.FINISHED
    pid = read_status(path).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert until(path, ended).state is RunState.LOST
    noted = json.loads((path / chains.STEPS).read_text())
    noted["steps"][1]["run"] = None
    (path / chains.STEPS).write_text(json.dumps(noted))
    capsys.readouterr()
    assert main(["chain", "--resume", "last"]) == 0  # and followed to its end
    assert "step ppo (ppo): " in (shown := capsys.readouterr().out)
    assert f"report: {runs(path)[2]}/report.md" in shown.replace("\n", "")

    status = read_status(path)
    assert (status.state, status.step, status.total) == (RunState.FINISHED, 3, 3), status.reason
    found = runs(path)
    assert found[:2] == [sft, judge]
    ppo = found[2]
    assert ppo is not None
    assert len(list_runs()) == 3  # none was begun twice
    assert all(read_status(run or path).state is RunState.FINISHED for run in found)

    # Each began with what the one before had made.
    judging, learning = load_config(judge / layout.CONFIG), load_config(ppo / layout.CONFIG)
    assert judging.model.adapter == learning.model.adapter == str(sft / layout.ADAPTER)
    assert learning.ppo.reward_model == str(judge / layout.ADAPTER)
    assert RunReader(ppo).manifest()["chain"]["number"] == 3

    # One report: the last run's names those before.
    report = json.loads((ppo / "report.json").read_text())
    assert [(step["name"], step["state"]) for step in report["chain"]["before"]] == [
        ("sft", "finished"),
        ("judge", "finished"),
    ]
    page = (ppo / "report.md").read_text()
    assert "## The steps before" in page
    assert judge.name in page
    assert main(["report", ppo.name]) == 0
    assert "The steps before" in capsys.readouterr().out
    assert main(["report", sft.name]) == 0
    assert "The steps before" in capsys.readouterr().out  # it is the first of a chain, and says so
    assert (path / chains.LOG).read_text() == ""


def test_a_chain_whose_run_fails_says_which_and_why(
    plan: Path, config: TrainConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    values = yaml.safe_load(plan.read_text())
    values["steps"] = [{"name": "short", "config": "own.yaml", "set": {"data.max_length": 16}}]
    plan.write_text(yaml.safe_dump(values))
    assert main(["chain", str(plan), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "failed"
    assert "step short: run " in found["reason"]
    assert "raise data.max_length" in found["reason"]
    assert found["steps"][0]["state"] == "failed"
