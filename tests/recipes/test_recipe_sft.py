"""Real runs, in processes of their own: finish, be killed, be resumed, be left alone, fail with a reason."""

import json
import os
import pty
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import ended, kill, wait

from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader, read_metrics
from tuner_tui.training.config import TrainConfig, to_yaml
from tuner_tui.training.launchers import local

HALF = 6


def train_steps(run_dir: Path) -> list[int]:
    return [record["step"] for record in read_metrics(run_dir) if "loss" in record]


def events(run_dir: Path) -> dict[str, dict[str, Any]]:
    return {event["code"]: event for event in RunReader(run_dir).poll_events()}


@pytest.mark.fresh_interpreter
def test_a_run_finishes_killed_and_resumed_on_the_way(config: TrainConfig) -> None:
    config.optimization.max_steps = 2 * HALF
    run_dir = local.launch(config)
    wait(run_dir, lambda status: status.step >= HALF)
    kill(run_dir, signal.SIGKILL)
    assert wait(run_dir, ended).state is RunState.LOST
    before = train_steps(run_dir)

    local.resume(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.step, status.total) == (RunState.FINISHED, 2 * HALF, 2 * HALF)
    [device] = RunReader(run_dir).manifest()["devices"]  # told twice, and the same
    assert device["kind"] in ("cpu", "gpu") and device["name"]
    assert device["count"] >= 1 and device["memory"] > 2**20
    assert RunReader(run_dir).manifest()["seed"] == config.seed, "what the launcher wrote is still there"
    resumed = events(run_dir)["resumed"]
    assert resumed["step"] % 3 == 0
    assert resumed["step"] <= before[-1]

    # No gap, no step twice, tokens that only grow, and the file that the window reads says the same.
    assert train_steps(run_dir) == list(range(1, 2 * HALF + 1))
    records = read_metrics(run_dir)
    tokens = [record["num_tokens"] for record in records]
    assert tokens == sorted(tokens)
    assert records[-1]["num_tokens"] > records[0]["num_tokens"] > 0
    losses = [record["loss"] for record in records if "loss" in record]
    assert losses[-1] < losses[0]
    assert [r["step"] for r in records if "eval_loss" in r] == [HALF, 2 * HALF]
    for name in (
        "learning_rate",
        "grad_norm",
        "mean_token_accuracy",
        "tokens_per_second",
        "memory_allocated",
    ):
        assert all(record[name] >= 0 for record in records if "loss" in record), name

    # What was left out is told, with its reason and its row.
    assert events(run_dir)["rejected"]["rows"] == 1
    rejected = [json.loads(line) for line in (run_dir / layout.REJECTED).read_text().splitlines()]
    assert {row["row"] for row in rejected} == {25}

    # The result: a float32 adapter, checkpoints that are whole, a quiet log, private files.
    from safetensors import safe_open

    with safe_open(run_dir / layout.ADAPTER / "adapter_model.safetensors", "pt") as adapter:
        assert {adapter.get_tensor(name).dtype.itemsize for name in adapter.keys()} == {4}  # noqa: SIM118
    assert sorted(path.name for path in (run_dir / layout.CHECKPOINTS).iterdir()) == ["step-12", "step-9"]
    assert (run_dir / layout.LOG).read_text() == ""
    assert all(path.stat().st_mode & 0o077 == 0 for path in run_dir.rglob("*"))
    assert json.loads((run_dir / layout.MANIFEST).read_text())["data"][0]["path"] == str(config.data.train[0])


def test_save_and_stop_are_obeyed(config: TrainConfig) -> None:
    config.optimization.max_steps = 500
    config.logging.save_every = 1000
    config.logging.eval_every = 0
    run_dir = local.launch(config)
    wait(run_dir, lambda status: status.step >= 1)
    control.request_save(run_dir)
    wait(run_dir, lambda status: not control.save_requested(run_dir))
    saved = events(run_dir)["checkpoint"]["step"]
    wait(run_dir, lambda status: status.step > saved)
    kill(run_dir, signal.SIGHUP)  # a closed terminal means nothing
    kill(run_dir, signal.SIGTERM)
    status = wait(run_dir, ended)
    assert (status.state, status.reason) == (RunState.STOPPED, "stopped on request.")
    assert saved < status.step < 500
    assert (run_dir / layout.CHECKPOINTS / f"step-{status.step}").is_dir()
    assert (run_dir / layout.ADAPTER).is_dir()
    assert train_steps(run_dir) == list(range(1, status.step + 1))


def test_a_stop_cuts_an_evaluation_short(config: TrainConfig) -> None:
    config.optimization.max_steps = 500
    config.data.eval_fraction = 0.5
    config.logging.eval_every = 1
    config.logging.save_every = 1000
    run_dir = local.launch(config)
    wait(run_dir, lambda status: status.phase == "evaluating")
    control.request_stop(run_dir)
    status = wait(run_dir, ended)
    assert status.state is RunState.STOPPED
    written = [event["path"] for event in RunReader(run_dir).poll_events() if event["code"] == "checkpoint"]
    assert written == [f"step-{status.step}"]
    assert not control.stop_requested(run_dir)


START = """
import sys
from pathlib import Path
from tuner_tui.training.config import load_config
from tuner_tui.training.launchers.local import launch
print(launch(load_config(Path(sys.argv[1]))), flush=True)
sys.stdin.read()
"""


def test_a_closed_terminal_and_a_killed_window_lose_nothing(config: TrainConfig, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", START, str(tmp_path / "config.yaml")])
    printed = b""
    while b"\n" not in printed:
        printed += os.read(terminal, 1000)
    run_dir = Path(printed.decode().splitlines()[0].strip())
    wait(run_dir, lambda status: status.pid is not None)
    os.close(terminal)  # the kernel sends SIGHUP to the session of the terminal
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    status = wait(run_dir, ended)
    assert (status.state, status.reason) == (RunState.FINISHED, None)
    assert train_steps(run_dir) == list(range(1, status.total + 1))


def test_gradients_that_are_not_numbers_end_the_run_before_they_spoil_it(
    config: TrainConfig, tiny_model: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], float("nan"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    config.model.name = str(broken)
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FAILED
    assert "gradients became infinite or not a number at step 1" in (status.reason or "")
    assert "lower the learning rate" in (status.reason or "")
    assert not (run_dir / layout.ADAPTER).exists()
    assert "TrainingAborted" in (run_dir / layout.LOG).read_text()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda c: setattr(c.data, "max_length", 16), "raise data.max_length"),
        (lambda c: c.data.train[0].write_text("not json\n"), "is neither JSON Lines nor JSON"),
    ],
)
def test_a_run_that_cannot_start_says_why(config: TrainConfig, spoil: Any, told: str) -> None:
    spoil(config)
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert status.state is RunState.FAILED
    assert told in (status.reason or "")
    assert events(run_dir)["failed"]["message"] == status.reason


def test_the_other_ways_to_train_work_too(config: TrainConfig) -> None:
    config.quantization.bits = None
    config.model.dtype = "bfloat16"
    config.lora.targets = "q_proj, v_proj"
    config.lora.dropout = 0.05
    config.data.packing = True
    config.optimization.micro_batch = 1
    config.optimization.gradient_checkpointing = True
    config.optimization.optimizer = "paged_adamw_8bit"
    config.optimization.schedule = "constant"
    config.optimization.max_steps = 2
    run_dir = local.launch(config)
    status = wait(run_dir, ended)
    assert (status.state, status.step) == (RunState.FINISHED, 2), status.reason
    adapter = json.loads((run_dir / layout.ADAPTER / "adapter_config.json").read_text())
    assert sorted(adapter["target_modules"]) == ["q_proj", "v_proj"]
    assert events(run_dir)["started"]["dtype"] == "bfloat16"
