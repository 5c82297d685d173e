"""What Slurm says of the job of a run: asked for only where a run directory names one."""

import subprocess
import time
from pathlib import Path

import orjson

from tuner_tui.runs import layout

_SECONDS = 5.0
_answers: dict[int, tuple[float, str]] = {}


def job_of(run_dir: Path) -> int | None:
    """The number of the run's job; None if it is none."""
    try:
        return int(orjson.loads((run_dir / layout.SLURM).read_bytes())["job"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def job_state(job: int, *, fresh: bool = False) -> str:
    """Slurm's word for the job's state, such as PENDING or RUNNING; "" when it is not, or no longer, known.

    Asked at most every five seconds, as a window looks four times a second; `fresh` asks now.
    """
    asked, answer = _answers.get(job, (0.0, ""))
    if fresh or time.monotonic() - asked > _SECONDS or not asked:
        try:
            done = subprocess.run(
                ["squeue", "--noheader", "--jobs", str(job), "--format=%T"],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=10,
            )
            answer = done.stdout.strip().split("\n")[0]
        except (OSError, subprocess.TimeoutExpired):
            answer = ""
        _answers[job] = (time.monotonic(), answer)
    return answer


def cancel(job: int) -> None:
    """Take the job out of the queue, or end it."""
    _answers.pop(job, None)
    subprocess.run(["scancel", str(job)], capture_output=True, stdin=subprocess.DEVNULL, check=False)
