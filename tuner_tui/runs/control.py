"""Requests from a watcher to the trainer: an empty file each, removed once obeyed."""

import time
from dataclasses import replace
from pathlib import Path

from tuner_tui.runs import files, layout, slurm
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import read_status


def request_stop(run_dir: Path) -> None:
    """Ask the trainer to write a checkpoint and end; a job that waits in Slurm's queue is taken out of it."""
    job = slurm.job_of(run_dir)
    if job is not None and slurm.job_state(job, fresh=True) == "PENDING":
        slurm.cancel(job)
        # No trainer is alive that could say it.
        status = replace(
            read_status(run_dir),
            state=RunState.STOPPED,
            phase="",
            reason="taken out of Slurm's queue on request.",
            ended=time.time(),
        )
        files.write_json(run_dir / layout.STATUS, status.to_json())
        return
    _request(run_dir / layout.STOP)


def request_save(run_dir: Path) -> None:
    """Ask the trainer to write a checkpoint at its next step and go on."""
    _request(run_dir / layout.SAVE)


def stop_requested(run_dir: Path) -> bool:
    """Whether a stop was asked for and not yet obeyed."""
    return (run_dir / layout.STOP).exists()


def save_requested(run_dir: Path) -> bool:
    """Whether a checkpoint was asked for and not yet written."""
    return (run_dir / layout.SAVE).exists()


def clear_stop(run_dir: Path) -> None:
    """The trainer has obeyed, or a new trainer starts and an old request means nothing to it."""
    (run_dir / layout.STOP).unlink(missing_ok=True)


def clear_save(run_dir: Path) -> None:
    """The trainer has written the checkpoint that was asked for."""
    (run_dir / layout.SAVE).unlink(missing_ok=True)


def _request(path: Path) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
