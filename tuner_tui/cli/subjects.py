"""What a verb is about: a run, or a model."""

from pathlib import Path

from tuner_tui.errors import UserError


def is_model(name: str) -> bool:
    """Whether it is a model that is there: "embedded", or a folder of one."""
    return name == "embedded" or (Path(name).expanduser() / "config.json").is_file()


def run_named(name: str) -> Path | None:
    """The directory of the run of that name; None when it is a model.

    Raises:
        UserError: it is neither.
    """
    from tuner_tui.runs.store import find_run

    if is_model(name):
        return None
    try:
        return find_run(name)
    except UserError:
        # A hub id has a slash, as no run's id has; anything else is a mistyped run.
        if "/" not in name or Path(name).exists():
            raise
        return None
