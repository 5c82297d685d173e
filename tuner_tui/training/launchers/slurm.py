"""Start a run as a job of Slurm: `sbatch` of a script that starts torchrun on every machine.

The run directory must be on a file system that all machines share; its files say all that there is to know,
as for any run. `slurm.json` in it holds the job's number.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from time import time

from tuner_tui.errors import UserError
from tuner_tui.runs import files, layout
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import ENVIRONMENT, command

_TERM_SECONDS = 120
"""Before the time limit: what a run has to write its last checkpoint."""

_OURS = (
    "nodes",
    "ntasks",
    "ntasks-per-node",
    "output",
    "error",
    "open-mode",
    "requeue",
    "signal",
    "job-name",
)

_SCRIPT = """\
#!/bin/bash
{directives}

# Slurm starts this script again after a preemption; the recipe goes on from its newest checkpoint.
set -uo pipefail
umask 077
{environment}
HEAD=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
PORT=$((20000 + SLURM_JOB_ID % 20000))
export HEAD PORT
rm -f {fault}  # of a try before this one
trap : TERM  # the signal is for the run, which writes a checkpoint
srun --kill-on-bad-exit=1 bash -c {inner}
code=$?
# A run that was stopped for want of time, or to make room within a time of grace, has a checkpoint and ends
# well; Slurm would take it for done.
if grep -q {stopped} {status} && scontrol show job "$SLURM_JOB_ID" | grep -q JobState=RUNNING; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
"""


def options(text: str) -> dict[str, str]:
    """`partition=gpu,time=04:00:00` as a mapping; an option without a value is a flag.

    Raises:
        UserError: an option that this launcher sets itself, or a text that is none.
    """
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        name, _, value = part.strip(" ").partition("=")
        name = name.lstrip("-")
        if not name.replace("-", "").isalnum() or any(map(str.isspace, value)):
            raise UserError(f"launch.slurm: {part!r} is no option of sbatch, such as partition=gpu.")
        if name in _OURS:
            raise UserError(f"launch.slurm: {name} is set by tuner; leave it out.")
        found[name] = value
    return found


def script(config: TrainConfig, run_dir: Path) -> str:
    """The batch script of a run.

    Raises:
        UserError: see `options` and `launchers.check`.
    """
    launch = config.launch
    chosen = options(launch.slurm or "")
    asks_for_gpus = any(name.startswith(("gpus", "gres")) for name in chosen)
    lines: dict[str, str] = {
        "job-name": f"tuner-{run_dir.name}",
        "nodes": str(launch.nodes),
        "ntasks-per-node": "1",
        "output": str(run_dir / layout.LOG),
        "open-mode": "append",
        "signal": f"TERM@{_TERM_SECONDS}",
        "requeue": "",
        **({} if asks_for_gpus else {"gpus-per-node": str(launch.gpus)}),
        **chosen,
    }
    if lines.get("gpus-per-node") == "0":  # a partition without GPUs
        del lines["gpus-per-node"]
    directives = "\n".join(f"#SBATCH --{name}{f'={value}' if value else ''}" for name, value in lines.items())
    words = command(config, run_dir)
    # What the job knows must not be quoted away; everything else must be.
    inner = " ".join(word if word.startswith("--rdzv") else shlex.quote(word) for word in words)
    environment = {**ENVIRONMENT, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", **_own()}
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
    return _SCRIPT.format(
        directives=directives,
        environment=exports,
        inner=shlex.quote(f"exec {inner}"),
        fault=shlex.quote(str(run_dir / layout.FAULT)),
        stopped=shlex.quote(layout.BY_SLURM),
        status=shlex.quote(str(run_dir / layout.STATUS)),
    )


def submit(config: TrainConfig, run_dir: Path) -> int:
    """Hand the run to Slurm; the number of its job.

    Raises:
        UserError: there is no Slurm here, or it refuses the job.
    """
    if shutil.which("sbatch") is None:
        raise UserError("launch.slurm: there is no sbatch on this machine; log in where Slurm is.")
    path = run_dir / layout.SLURM_SCRIPT
    files.write_atomic(path, script(config, run_dir).encode())
    done = subprocess.run(
        ["sbatch", "--parsable", str(path)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise UserError(f"Slurm refuses the job: {' '.join(done.stderr.split()) or 'sbatch gave no reason'}.")
    job = int(done.stdout.strip().split(";")[0])
    files.write_json(run_dir / layout.SLURM, {"job": job, "submitted": time()})
    return job


def _own() -> Mapping[str, str]:
    """What the job must find as it is here: the place of the runs."""
    return {name: os.environ[name] for name in ("TUNER_HOME", "HF_HOME") if os.environ.get(name)}
