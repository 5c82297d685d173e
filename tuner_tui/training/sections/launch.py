"""Where a run computes."""

from typing import Literal, Self

from pydantic import model_validator

from tuner_tui.training.sections.base import Section, explained


class LaunchConfig(Section):
    """Where the run computes."""

    gpus: int = explained(
        1,
        title="GPUs",
        description="Processes on each machine, one for each GPU.",
        unit="GPUs",
        ge=1,
        le=1024,
    )
    nodes: int = explained(
        1,
        title="Machines",
        description="Machines of a Slurm job; more than one needs Slurm.",
        unit="machines",
        ge=1,
        le=4096,
    )
    engine: Literal["auto", "ddp", "fsdp", "deepspeed"] = explained(
        "auto",
        title="Engine",
        description="ddp: a whole model on each GPU, the fastest where it fits. fsdp: the model is divided "
        "among the GPUs. deepspeed: ZeRO-3, where deepspeed is installed. auto: ddp.",
    )
    slurm: str | None = explained(
        None,
        title="Slurm",
        description="Options of sbatch, with commas, such as partition=gpu,time=04:00:00. Empty: the run "
        "starts on this machine at once.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.nodes > 1 and self.slurm is None:
            raise ValueError("nodes: more than one machine needs slurm; give slurm its options")
        return self
