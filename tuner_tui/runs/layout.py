"""The names inside a run directory, and the shape of its `status.json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1

CONFIG = "config.yaml"
MANIFEST = "manifest.json"
STATUS = "status.json"
METRICS = "metrics.jsonl"
EVENTS = "events.jsonl"
LOG = "train.log"
REJECTED = "rejected.jsonl"
CHECKPOINTS = "checkpoints"
ADAPTER = "adapter"
MODEL = "model"
CONTROL = "control"
STOP = "control/stop"
SAVE = "control/save"
EVALUATIONS = "eval"
FAULT = ".fault"
RETRY = "retry.json"
SLURM = "slurm.json"
SLURM_SCRIPT = "slurm.sh"

BY_SLURM = "stopped by Slurm"
"""How the reason of a stop begins that nobody asked for: the job is queued again, and the run goes on."""

HEARTBEAT_SECONDS = 3.0
"""How often a live trainer rewrites its status, also while it loads a model."""

STALE_SECONDS = 30.0
"""A heartbeat older than this is no sign of life; a new process has as long for its first."""


class RunState(StrEnum):
    """Where a run is in its life. `LOST` is never written: a reader concludes it."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    LOST = "lost"

    @property
    def live(self) -> bool:
        """Whether a process stands behind this state."""
        return self in (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)


@dataclass(frozen=True, slots=True)
class Status:
    """What `status.json` says. Times are seconds since the Unix epoch.

    `pid_start` is the start time of the process, which tells a reused process id from the
    trainer's own; `phase` is what the process does at this moment, in words ("loading the model",
    "training"); `reason` says in one sentence why the run ended as it did.
    """

    state: RunState
    step: int = 0
    total: int = 0
    epoch: float | None = None
    phase: str = ""
    reason: str | None = None
    pid: int | None = None
    pid_start: float | None = None
    host: str | None = None
    started: float | None = None
    heartbeat: float = 0.0
    ended: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The object that is written, and that `tuner ls --json` shows."""
        return {"schema": SCHEMA_VERSION, **asdict(self), "state": str(self.state)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Status":
        """Read what `to_json` wrote; unknown keys (of a newer version) are ignored.

        Raises:
            ValueError: `state` is missing or unknown.
        """
        known = {key: item for key, item in value.items() if key in cls.__slots__}
        return cls(**{**known, "state": RunState(str(value.get("state")))})
