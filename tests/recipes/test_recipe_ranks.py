"""One run in two processes (gloo, NF4): saved, stopped, resumed in one; and ended when one of them fails."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from tiny_runs import ended, wait

from tuner_tui.errors import UserError
from tuner_tui.runs import control, layout, store
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader, read_metrics, read_status
from tuner_tui.training.cards import detect
from tuner_tui.training.config import TrainConfig, to_yaml
from tuner_tui.training.launchers import local

WITHOUT_DEEPSPEED = pytest.mark.skipif(find_spec("deepspeed") is not None, reason="deepspeed is installed")
WITHOUT_GPU = pytest.mark.skipif(detect() is not None, reason="there is a GPU")
FAILING = """\
import sys, threading
from pathlib import Path
from tuner_tui.errors import UserError
from tuner_tui.recipes import ranks
from tuner_tui.recipes.session import run_recipe

def recipe(session):
    session.run.update(phase="waiting")
    if not ranks.is_main():
        raise UserError("the second GPU is on strike.")
    threading.Event().wait()

sys.exit(run_recipe(Path(sys.argv[1]), recipe))
"""


def test_two_processes_are_one_run(config: TrainConfig) -> None:
    config.optimization.max_steps = 24
    config.logging.save_every = 100
    config.logging.eval_every = 0
    config.launch.gpus = 2
    config.optimization.micro_batch = 1
    run_dir = local.launch(config)
    wait(run_dir, lambda status: status.step >= 2)
    control.request_save(run_dir)
    wait(run_dir, lambda _: any((run_dir / layout.CHECKPOINTS).glob("step-*")))
    saved = next((run_dir / layout.CHECKPOINTS).glob("step-*"))
    assert {path.name for path in saved.glob("rng_state*")} == {"rng_state_0.pth", "rng_state_1.pth"}
    control.request_stop(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.reason) == (RunState.STOPPED, "stopped on request.")
    assert not (run_dir / layout.STOP).exists()
    stopped_at = status.step
    assert (run_dir / layout.CHECKPOINTS / f"step-{stopped_at}").is_dir()
    records = read_metrics(run_dir)
    assert [r["step"] for r in records if "loss" in r] == list(range(1, stopped_at + 1))

    # In one process now: the effective batch, and so the number of steps, stay.
    local.resume(run_dir, gpus=1)
    status = wait(run_dir, ended)
    assert (status.state, status.step, status.total) == (RunState.FINISHED, 24, 24), status.reason
    records = read_metrics(run_dir)
    assert [r["step"] for r in records if "loss" in r] == list(range(1, 25))
    assert (run_dir / layout.ADAPTER / "adapter_model.safetensors").is_file()
    tokens = [r["num_tokens"] for r in records if "num_tokens" in r]
    assert tokens == sorted(tokens)
    assert sum(event["code"] == "started" for event in RunReader(run_dir).poll_events()) == 2

    # The same rows make a step, however many processes share them.
    config.launch.gpus = 1
    config.optimization.max_steps = 2
    alone = local.launch(config)
    assert wait(alone, ended).state is RunState.FINISHED
    first, second = (r["loss"] for r in read_metrics(alone) if "loss" in r)
    together = [r["loss"] for r in records if "loss" in r]
    assert (first, second) == pytest.approx((together[0], together[1]), abs=2e-3)


def test_a_process_that_fails_ends_the_run_and_says_why(config: TrainConfig, tmp_path: Path) -> None:
    run_dir = store.create_run("fails", to_yaml(config), {})
    program = tmp_path / "recipe.py"
    program.write_text(FAILING)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*torchrun, str(program), str(run_dir)], capture_output=True, timeout=120)
    assert done.returncode
    status = read_status(run_dir)
    assert status.state is RunState.FAILED
    assert status.reason == "process 1 of 2: the second GPU is on strike."


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"gpus": 3}, r"effective_batch \(4\) must be a multiple of micro_batch x processes \(2 x 3\)"),
        ({"engine": "fsdp"}, r"fsdp divides a model among GPUs; set launch\.gpus"),
        pytest.param(
            {"gpus": 2, "engine": "deepspeed"}, r"deepspeed is not installed", marks=WITHOUT_DEEPSPEED
        ),
        pytest.param(
            {"gpus": 2, "engine": "fsdp"}, r"fsdp .*, and this machine has none; take ddp", marks=WITHOUT_GPU
        ),
    ],
)
def test_what_cannot_be_launched_is_told(config: TrainConfig, settings: dict[str, object], told: str) -> None:
    changed = TrainConfig.model_validate({**config.model_dump(), "launch": settings})
    with pytest.raises(UserError, match=told):
        local.launch(changed)
    assert not store.list_runs()
