"""The runs on this machine: create, list, find, delete."""

import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.runs import files, layout
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import read_status

_TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of a list of runs. `created` is seconds since the Unix epoch."""

    id: str
    path: Path
    name: str
    status: Status
    created: float
    last_loss: float | None

    def to_json(self) -> dict[str, Any]:
        """The object that `tuner ls --json` shows."""
        status = self.status.to_json()
        del status["schema"]
        return {
            "id": self.id,
            "name": self.name,
            "path": str(self.path),
            "created": self.created,
            "last_loss": self.last_loss,
            **status,
        }


def create_run(name: str, config_yaml: str, manifest: Mapping[str, Any], root: Path | None = None) -> Path:
    """Make a run directory with its configuration, manifest and a first status (`starting`).

    `root` is the folder that it lies in: by default that of all runs, in which it is found by its id.
    It appears under its final name complete or not at all, also when two are created in the same
    second.

    Raises:
        UserError: the place of the runs cannot be written.
    """
    root = root or paths.runs_dir()
    created = time.time()
    try:
        for folder in (paths.home(), root):  # mkdir(parents=True) would give parents the default mode
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=root, prefix=".new-"))
        (staging / layout.CONTROL).mkdir(mode=0o700)
        (staging / layout.CHECKPOINTS).mkdir(mode=0o700)
        files.write_atomic(staging / layout.CONFIG, config_yaml.encode())
        files.write_json(
            staging / layout.MANIFEST,
            {"schema": layout.SCHEMA_VERSION, "name": name, "created": created, **manifest},
        )
        write_starting(staging, Status(RunState.STARTING))
        return publish(staging, root, name, created)
    except OSError as error:
        raise UserError(
            f"cannot create a run in {root}: {error}; set TUNER_HOME to a writable folder."
        ) from error


def write_starting(run_dir: Path, previous: Status) -> None:
    """Say that a process is about to be started here; step and total stay as they are."""
    status = Status(
        RunState.STARTING,
        step=previous.step,
        total=previous.total,
        phase="starting the process",
        started=time.time(),
        heartbeat=time.time(),
    )
    files.write_json(run_dir / layout.STATUS, status.to_json())


def list_runs() -> list[RunSummary]:
    """All runs, newest first; folders that are not readable runs are left out."""
    found = []
    for path in _folders():
        try:
            found.append(summarize(path))
        except UserError:
            continue
    return sorted(found, key=lambda run: (run.created, run.id), reverse=True)


def summarize(run_dir: Path) -> RunSummary:
    """One run's line.

    Raises:
        UserError: it is not a readable run.
    """
    status = read_status(run_dir)
    try:
        manifest = orjson.loads((run_dir / layout.MANIFEST).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        manifest = {}
    return RunSummary(
        id=run_dir.name,
        path=run_dir,
        name=str(manifest.get("name") or run_dir.name),
        status=status,
        created=float(manifest.get("created") or status.started or 0.0),
        last_loss=_last_loss(run_dir / layout.METRICS),
    )


def find_run(text: str) -> Path:
    """The run that a person means: an id, a prefix of one id, a path to a run directory, or "last".

    Raises:
        UserError: none, or more than one, fits.
    """
    if text == "last":
        runs = list_runs()
        if not runs:
            raise UserError("there are no runs yet; `tuner train CONFIG` starts one.")
        return runs[0].path
    as_path = Path(text).expanduser()
    if (as_path / layout.STATUS).is_file():
        return as_path.absolute()
    names = sorted(path.name for path in _folders())
    fitting = [name for name in names if name.startswith(text)] if text else []
    if text in names:
        fitting = [text]
    if len(fitting) == 1:
        return paths.runs_dir() / fitting[0]
    if fitting:
        shown = ", ".join(fitting[:5]) + (" ..." if len(fitting) > 5 else "")
        raise UserError(f'"{text}" fits {len(fitting)} runs ({shown}); give more of the id.')
    raise UserError(f'no run is called "{text}"; `tuner ls` lists them.')


def delete_run(run_dir: Path) -> None:
    """Delete a run directory with all that is in it.

    Raises:
        UserError: it is not a run, it is still live, or it cannot be deleted.
    """
    status = read_status(run_dir)
    if status.state.live:
        raise UserError(f"run {run_dir.name} is {status.state}; stop it first: `tuner stop {run_dir.name}`.")
    # Renamed first: whatever goes wrong on the way, no half of a run is ever listed.
    doomed = run_dir.with_name(f".deleted-{run_dir.name}")
    try:
        run_dir.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise UserError(f"cannot delete run {run_dir.name}: {error}.") from error


def publish(staging: Path, root: Path, name: str, created: float) -> Path:
    """Give a finished folder its place: named by time and name, never that of another."""
    stem = time.strftime("%Y%m%d-%H%M%S", time.localtime(created)) + f"-{_slug(name)}"
    number = 1
    while True:
        target = root / (stem if number == 1 else f"{stem}-{number}")
        try:
            staging.rename(target)  # fails when the target exists: a run directory is never empty
        except OSError:
            if not target.exists():
                raise
            number += 1
        else:
            files.sync_folder(root)
            return target


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].rstrip("-") or "run"


def _folders() -> list[Path]:
    try:
        return [
            path
            for path in paths.runs_dir().iterdir()
            if not path.name.startswith(".") and (path / layout.STATUS).is_file()
        ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"cannot read {paths.runs_dir()}: {error}.") from error


def _last_loss(path: Path) -> float | None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict) and isinstance(record.get("loss"), float | int):
            return float(record["loss"])
    return None
