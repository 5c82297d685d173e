"""What thread workers tell the screens: workers post these and never touch a widget."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message import Message

from tuner_tui.runs.layout import Status
from tuner_tui.runs.reader import RunReader
from tuner_tui.runs.store import RunSummary


@dataclass
class RunPolled(Message):
    """What a run's files said when they were looked at, and what was new in them."""

    run_dir: Path
    status: Status
    generation: int
    """Another one than before: `metrics` is the whole history, and the curves begin anew."""
    metrics: list[dict[str, Any]]
    events: list[dict[str, Any]]
    log: list[str]
    method: str = "sft"


@dataclass
class RunUnreadable(Message):
    """The run's files cannot be read; `reason` is for a person."""

    run_dir: Path
    reason: str


@dataclass
class RunLaunched(Message):
    """A run has been started or resumed in a process of its own."""

    run_dir: Path


@dataclass
class LaunchFailed(Message):
    """A run could not be started or resumed; `reason` is for a person."""

    reason: str


def poll(reader: RunReader) -> RunPolled:
    """Look at a run's files. UserError when the folder is no readable run."""
    # The status first: a run that ended before it was read has written all its metrics by then.
    status = reader.status()
    metrics = reader.poll_metrics()
    return RunPolled(
        reader.run_dir,
        status,
        reader.generation,
        metrics,
        reader.poll_events(),
        reader.poll_log(),
        reader.method(),
    )


@dataclass
class RunsListed(Message):
    """The runs on this machine, newest first."""

    runs: list[RunSummary]
