"""Ways to start a run: (config, run directory) -> a detached process or a job."""

import importlib.util
import sys
from pathlib import Path

from tuner_tui.errors import UserError
from tuner_tui.training.cards import detect
from tuner_tui.training.config import TrainConfig

DIVIDING = ("fsdp", "deepspeed")
"""Engines that divide a model among GPUs; on CPUs the libraries would quietly do without them."""
_ONE_PROCESS = ("ppo",)
"""Methods whose rollouts are made by one process."""


def command(config: TrainConfig, run_dir: Path) -> list[str]:
    """What is run on each machine for this configuration: the recipe, under torchrun where it has several
    processes.

    With several machines the words in capitals stand for what the job knows (`slurm.script` fills them in).

    Raises:
        UserError: the method or the engine cannot do that.
    """
    launch = config.launch
    recipe = ["-m", f"tuner_tui.recipes.{config.method}", str(run_dir)]
    check(config)
    if launch.gpus == launch.nodes == 1:
        return [sys.executable, *recipe]
    torchrun = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={launch.gpus}"]
    if launch.nodes == 1:
        return [*torchrun, "--standalone", "--nnodes=1", *recipe]
    return [
        *torchrun,
        f"--nnodes={launch.nodes}",
        "--rdzv-id=$SLURM_JOB_ID",
        "--rdzv-backend=c10d",
        "--rdzv-endpoint=$HEAD:$PORT",
        *recipe,
    ]


def check(config: TrainConfig) -> None:
    """See that the method and the engine can do what the section `launch` says.

    Raises:
        UserError: what cannot be done, and what can.
    """
    launch, wanted = config.launch, config.optimization
    processes = launch.gpus * launch.nodes
    if processes == 1:
        if launch.engine in DIVIDING:
            raise UserError(
                f"launch.engine: {launch.engine} divides a model among GPUs; set launch.gpus to more than 1."
            )
        return
    if config.method in _ONE_PROCESS:
        raise UserError(f"launch.gpus: the method {config.method} runs in one process; set it to 1.")
    if wanted.effective_batch % (wanted.micro_batch * processes):
        raise UserError(
            f"optimization.effective_batch ({wanted.effective_batch}) must be a multiple of micro_batch x "
            f"processes ({wanted.micro_batch} x {processes})."
        )
    if launch.engine == "deepspeed" and importlib.util.find_spec("deepspeed") is None:
        raise UserError(
            "launch.engine: deepspeed is not installed; `pip install 'tuner-tui[deepspeed]'`, or take fsdp."
        )


def check_here(config: TrainConfig) -> None:
    """See that this machine has what the engine needs; a job of Slurm finds out where it runs.

    Raises:
        UserError: there is no GPU to divide a model among.
    """
    engine = config.launch.engine
    if config.launch.slurm is None and engine in DIVIDING and detect() is None:
        raise UserError(
            f"launch.engine: {engine} divides a model among GPUs, and this machine has none; take ddp."
        )


ENVIRONMENT = {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "600"}
"""Seconds that torchrun gives its processes to write a last checkpoint before it kills them; its own
half minute is too short for that."""
