"""Chains: several runs, one after the other, in a process of their own that needs nobody to watch it.

A chain has a folder, `$TUNER_HOME/chains/<id>/`: `plan.yaml`, the configuration of each step in `steps/`,
`steps.json` (which run each step has become), and, as a run has, `status.json`, `events.jsonl` and
`control/stop`. Its process (`training.chain_process`) starts each run through the launcher and reads its
status; it may be killed and started again at any time.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.runs import control, files, layout, process, store
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import read_status
from tuner_tui.training.chain_plan import Link, Plan
from tuner_tui.training.config import to_yaml
from tuner_tui.training.launchers import local

PLAN, STEPS, CONFIGS, LOG = "plan.yaml", "steps.json", "steps", "chain.log"


@dataclass(slots=True)
class ChainStep:
    """A step and what has become of it: `run` is the folder of its run, once there is one."""

    name: str
    method: str
    begins_with: str | None
    reward_from: str | None
    run: str | None = None

    @property
    def run_dir(self) -> Path | None:
        """The folder of its run, if it has one that is still there."""
        return Path(self.run) if self.run and (Path(self.run) / layout.STATUS).is_file() else None


@dataclass(slots=True)
class Chain:
    """A chain as its folder says."""

    path: Path
    name: str
    evaluate: bool
    created: float
    steps: list[ChainStep]

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.path.name

    def config_file(self, number: int) -> Path:
        """Where the configuration of a step (counted from 0) is kept."""
        return self.path / CONFIGS / f"{number + 1}-{self.steps[number].name}.yaml"

    def save(self) -> None:
        """Write `steps.json`; only the chain's own process does."""
        value = {
            "schema": layout.SCHEMA_VERSION,
            "name": self.name,
            "evaluate": self.evaluate,
            "created": self.created,
            "steps": [asdict(step) for step in self.steps],
        }
        files.write_json(self.path / STEPS, value)

    def to_json(self) -> dict[str, Any]:
        """What `tuner chain --json` shows."""
        status = read_status(self.path)
        steps = []
        for step in self.steps:
            run = read_status(step.run_dir) if step.run_dir else None
            steps.append(
                {
                    "name": step.name,
                    "method": step.method,
                    "run": step.run_dir.name if step.run_dir else None,
                    "path": step.run,
                    "state": str(run.state) if run else "waiting",
                    "step": run.step if run else 0,
                    "total": run.total if run else 0,
                }
            )
        last = self.steps[-1].run_dir
        report = last / "report.md" if last else None
        return {
            "chain": self.id,
            "path": str(self.path),
            "name": self.name,
            "created": self.created,
            "state": str(status.state),
            "phase": status.phase,
            "reason": status.reason,
            "steps": steps,
            "report": str(report) if report and report.is_file() else None,
        }


def start(plan: Plan, links: Sequence[Link], text: str) -> Path:
    """Make the folder of a chain and start its process, detached; returns at once.

    Args:
        text: of the plan's file, which is kept.

    Raises:
        UserError: an input of any step is missing, or the folder cannot be made.
    """
    configs = []
    for link in links:
        try:
            config = local.absolute(link.config)
            local.check_inputs(config)
        except UserError as error:
            raise UserError(f"step {link.name}: {error}") from error
        # A copy: to assign would be to validate, and the reward model of PPO is yet to come.
        configs.append(config.model_copy(update={"name": f"{plan.name} {link.name}"[:60]}))
    steps = [
        ChainStep(link.name, config.method, link.begins_with, link.reward_from)
        for link, config in zip(links, configs, strict=True)
    ]
    root = folder()
    created = time.time()
    try:
        for place in (paths.home(), root):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=root, prefix=".new-"))
        (staging / layout.CONTROL).mkdir(mode=0o700)
        (staging / CONFIGS).mkdir(mode=0o700)
        chain = Chain(staging, plan.name, plan.evaluate, created, steps)
        for number, config in enumerate(configs):
            files.write_atomic(chain.config_file(number), to_yaml(config).encode())
        files.write_atomic(staging / PLAN, text.encode())
        chain.save()
        store.write_starting(staging, Status(RunState.STARTING, total=len(steps)))
        path = store.publish(staging, root, plan.name, created)
    except OSError as error:
        raise UserError(
            f"cannot create a chain in {root}: {error}; set TUNER_HOME to a writable folder."
        ) from error
    _start(path)
    return path


def resume(path: Path) -> None:
    """Start the process of a chain again; it goes on with the step that it had come to.

    Raises:
        UserError: the chain is live or finished.
    """
    status = read_status(path)
    if status.state.live:
        raise UserError(f"chain {path.name} is {status.state} already.")
    if status.state is RunState.FINISHED:
        raise UserError(f"chain {path.name} is finished; there is nothing left to resume.")
    control.clear_stop(path)
    store.write_starting(path, status)
    _start(path)


def stop(path: Path) -> None:
    """Ask a chain to stop: its present run writes a checkpoint, and no other is begun.

    Raises:
        UserError: it is not live. A run that its killed process had left behind is asked to stop all the
        same.
    """
    status = read_status(path)
    if status.state.live:
        control.request_stop(path)
        return
    live = [
        step.run_dir for step in read(path).steps if step.run_dir and read_status(step.run_dir).state.live
    ]
    if not live:
        raise UserError(f"chain {path.name} is {status.state}, so there is nothing to stop.")
    for run_dir in live:
        control.request_stop(run_dir)


def folder() -> Path:
    """One folder per chain."""
    return paths.home() / "chains"


def read(path: Path) -> Chain:
    """The chain in a folder.

    Raises:
        UserError: there is none that can be read.
    """
    try:
        value = orjson.loads((path / STEPS).read_bytes())
        steps = [ChainStep(**step) for step in value["steps"]]
        return Chain(path, value["name"], bool(value["evaluate"]), float(value["created"]), steps)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a readable chain: {error}.") from error


def all_chains() -> list[Chain]:
    """The chains on this machine, newest first; what cannot be read is left out."""
    found = []
    for path in _folders():
        try:
            found.append(read(path))
        except UserError:
            continue
    return sorted(found, key=lambda chain: (chain.created, chain.id), reverse=True)


def find(text: str) -> Path:
    """The chain that a person means: an id, the start of one id, or "last".

    Raises:
        UserError: none, or more than one, fits.
    """
    if text == "last":
        chains = all_chains()
        if not chains:
            raise UserError("there are no chains yet; `tuner chain PLAN` starts one.")
        return chains[0].path
    names = sorted(path.name for path in _folders())
    fitting = [text] if text in names else [name for name in names if text and name.startswith(text)]
    if len(fitting) == 1:
        return folder() / fitting[0]
    if fitting:
        raise UserError(
            f'"{text}" fits {len(fitting)} chains ({", ".join(fitting[:5])}); give more of the id.'
        )
    raise UserError(f'no chain is called "{text}"; `tuner chain` lists them.')


def discard(path: Path) -> None:
    """Delete the folder of a chain that is not live; its runs stay.

    Raises:
        UserError: it is live.
    """
    status = read_status(path)
    if status.state.live:
        raise UserError(
            f"chain {path.name} is {status.state}; stop it first: `tuner chain --stop {path.name}`."
        )
    shutil.rmtree(path)


def _start(path: Path) -> None:
    argv = [sys.executable, "-m", "tuner_tui.training.chain_process", str(path)]
    try:
        process.start_detached(argv, path / LOG)
    except OSError as error:
        raise UserError(f"cannot start the chain: {error}.") from error


def _folders() -> list[Path]:
    if not folder().is_dir():
        return []
    return [path for path in folder().iterdir() if not path.name.startswith(".") and (path / STEPS).is_file()]
