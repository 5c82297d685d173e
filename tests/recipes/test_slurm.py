"""Runs as jobs of a real Slurm: submitted, watched, preempted, queued again, resumed, stopped."""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_cluster import NoSlurm, cluster
from tiny_runs import ended, wait

from tuner_tui.errors import UserError
from tuner_tui.runs import control, layout, slurm, store
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import RunReader, read_metrics, read_status
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import local
from tuner_tui.training.launchers.slurm import options, script

pytestmark = pytest.mark.fresh_interpreter  # Slurm must have started what it is to end
STEPS = 100_000
"""More than a run makes in its time here: it must not end before Slurm takes its machine away."""


@pytest.fixture(scope="module")
def slurm_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    try:
        with cluster(tmp_path_factory.mktemp("slurm")) as environment:
            yield environment
    except NoSlurm as reason:
        pytest.skip(f"no Slurm can be started here: {reason}")


@pytest.fixture
def job_config(
    config: TrainConfig, slurm_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> TrainConfig:
    for name, value in slurm_environment.items():
        monkeypatch.setenv(name, value)
    config.optimization.max_steps = STEPS
    config.logging.eval_every = 0
    config.logging.save_every = 100
    config.launch.slurm = "partition=low,gpus-per-node=0,cpus-per-task=2,exclusive"
    return config


def call(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_run_is_preempted_goes_on_and_is_stopped_and_resumed(job_config: TrainConfig) -> None:
    run_dir = local.launch(job_config)
    job = slurm.job_of(run_dir)
    assert job is not None
    wait(run_dir, lambda status: status.step >= 2)
    assert call("squeue", "--noheader", f"--jobs={job}", "--format=%T %j") == f"RUNNING tuner-{run_dir.name}"

    # A job of a better partition takes the machine: the run has its time of grace, and writes a checkpoint.
    call("sbatch", "--partition=high", "--exclusive", "--output=/dev/null", "--wrap=true")
    status = wait(run_dir, lambda status: status.phase == f"queued as Slurm job {job}")
    assert status.state is RunState.STARTING
    reached = status.step
    assert (run_dir / layout.CHECKPOINTS / f"step-{reached}").is_dir()
    call("scontrol", "update", f"JobId={job}", "StartTime=now")  # Slurm itself waits for two minutes

    # Stopped by a person, it stays out of the queue, and goes on as a new job.
    wait(run_dir, lambda status: status.step > reached)
    control.request_stop(run_dir)
    status = wait(run_dir, ended)
    assert (status.state, status.reason) == (RunState.STOPPED, "stopped on request.")
    second = status.step
    local.resume(run_dir)
    assert slurm.job_of(run_dir) not in (None, job)
    wait(run_dir, lambda status: status.step > second)
    control.request_stop(run_dir)
    last = wait(run_dir, ended)
    assert (last.state, last.total) == (RunState.STOPPED, STEPS), last.reason
    assert not call("squeue", "--noheader", f"--jobs={job}", "--states=PENDING,RUNNING", "--format=%T")
    resumed = [event for event in RunReader(run_dir).poll_events() if event["code"] == "resumed"]
    assert [event["step"] for event in resumed] == [reached, second]
    assert [r["step"] for r in read_metrics(run_dir) if "loss" in r] == list(range(1, last.step + 1))


def test_a_job_that_waits_is_shown_and_taken_out_of_the_queue(job_config: TrainConfig) -> None:
    job_config.launch.slurm = f"{job_config.launch.slurm},begin=now+1hour"
    run_dir = local.launch(job_config)
    job = slurm.job_of(run_dir)
    status = wait(run_dir, lambda status: status.phase == f"queued as Slurm job {job}")
    assert status.state is RunState.STARTING
    with pytest.raises(UserError, match="stop it first"):
        store.delete_run(run_dir)
    control.request_stop(run_dir)
    status = read_status(run_dir)
    assert (status.state, status.reason) == (RunState.STOPPED, "taken out of Slurm's queue on request.")
    store.delete_run(run_dir)


def test_what_slurm_refuses_is_told_and_no_run_seems_alive(job_config: TrainConfig) -> None:
    job_config.launch.slurm = "partition=nowhere,gpus-per-node=0"
    with pytest.raises(UserError, match=r"Slurm refuses the job: .*partition"):
        local.launch(job_config)
    (run,) = store.list_runs()
    assert run.status.state is RunState.FAILED


def test_the_script_starts_torchrun_on_every_machine(config: TrainConfig, tmp_path: Path) -> None:
    run_dir = tmp_path / "a run's folder"
    run_dir.mkdir()
    launch = {"gpus": 4, "nodes": 2, "slurm": "partition=gpu,time=04:00:00"}
    config = TrainConfig.model_validate(
        {**config.model_dump(), "launch": launch, "optimization": {"micro_batch": 1, "effective_batch": 16}}
    )
    text = script(config, run_dir)
    path = tmp_path / "job.sh"
    path.write_text(text)
    subprocess.run(["bash", "-n", str(path)], check=True)
    for line in (
        "nodes=2",
        "ntasks-per-node=1",
        "gpus-per-node=4",
        "requeue",
        "signal=TERM@120",
        "partition=gpu",
    ):
        assert f"#SBATCH --{line}\n" in text
    (start,) = (line for line in text.splitlines() if line.startswith("srun "))
    inner = shlex.split(shlex.split(start)[-1])
    assert inner[:4] == ["exec", inner[1], "-m", "torch.distributed.run"]
    assert {"--nnodes=2", "--nproc-per-node=4", "--rdzv-backend=c10d"} <= set(inner)
    assert inner[-1] == str(run_dir)


@pytest.mark.parametrize("text", ["nodes=3", "--signal=KILL", "partition=a b;rm -rf\n", "=x"])
def test_options_that_cannot_be_are_told(text: str) -> None:
    with pytest.raises(UserError, match=r"launch\.slurm"):
        options(text)


def test_options_are_read() -> None:
    assert options("partition=gpu, time=04:00:00,exclusive") == {
        "partition": "gpu",
        "time": "04:00:00",
        "exclusive": "",
    }
