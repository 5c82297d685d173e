"""Requests from a watcher to the trainer: an empty file each, removed once obeyed."""

from pathlib import Path

from tuner_tui.runs import layout


def request_stop(run_dir: Path) -> None:
    """Ask the trainer to write a checkpoint and end."""
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
