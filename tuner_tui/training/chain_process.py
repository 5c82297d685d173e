"""The process of a chain: `python -m tuner_tui.training.chain_process FOLDER`.

It starts the run of each step when the one before it has finished, and feeds it what that one has made. All
that it
knows is in files, so it can be killed at any moment: the run in hand goes on alone, and a new process takes
it up.
"""

import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import RunReader, read_status
from tuner_tui.runs.store import list_runs
from tuner_tui.runs.writer import RunWriter
from tuner_tui.training import chain as chains
from tuner_tui.training.bases import base_model
from tuner_tui.training.chain import Chain, ChainStep
from tuner_tui.training.config import TrainConfig, load_config
from tuner_tui.training.launchers import local

_POLL_SECONDS = 0.5
_QUEUE_SECONDS = 5.0


class Stopped(Exception):
    """The chain was asked to stop, or its run was."""


class Worker:
    """The one writer of a chain's folder. SIGTERM and SIGINT mean: stop. SIGHUP means nothing."""

    def __init__(self, chain: Chain, writer: RunWriter) -> None:
        self._chain = chain
        self._writer = writer
        self._signalled = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def work(self) -> None:
        """All steps that are still to be done.

        Raises:
            Stopped: a stop was asked for, of the chain or of its run.
            UserError: a step failed.
        """
        total = len(self._chain.steps)
        for number, step in enumerate(self._chain.steps):
            self._writer.update(state=RunState.RUNNING, step=number, total=total, phase=step.name)
            self._finish(number, step)
        self._writer.update(step=total, phase="reporting")
        self._report()

    @property
    def _stopping(self) -> bool:
        return self._signalled or control.stop_requested(self._chain.path)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True

    def _finish(self, number: int, step: ChainStep) -> None:
        """See that the run of a step finishes, whatever has become of it so far."""
        run_dir = step.run_dir or self._begun(step)
        if run_dir is None:
            if self._stopping:
                raise Stopped("stopped on request.")
            run_dir = local.launch(self._config(number, step), chain=self._origin(number))
            self._take(step, run_dir, "started")
        else:
            if step.run != str(run_dir):
                self._take(step, run_dir, "found")
            status = read_status(run_dir)
            if not status.state.live and status.state is not RunState.FINISHED:
                if self._stopping:
                    raise Stopped("stopped on request.")
                local.resume(run_dir)
                self._take(step, run_dir, "resumed")
        status = self._wait(run_dir)
        if status.state is RunState.STOPPED:
            raise Stopped("stopped on request." if self._stopping else f"run {run_dir.name} was stopped.")
        if status.state is not RunState.FINISHED:
            raise UserError(f"step {step.name}: run {run_dir.name} {status.state}: {status.reason}")

    def _wait(self, run_dir: Path) -> Status:
        asked = False
        while (status := read_status(run_dir)).state.live:
            if self._stopping and not asked:
                self._writer.update(state=RunState.STOPPING)
                control.request_stop(run_dir)
                asked = True
            # Of a job that waits, Slurm's controller is asked each time: seldom.
            time.sleep(_QUEUE_SECONDS if status.phase.startswith("queued") else _POLL_SECONDS)
        return status

    def _take(self, step: ChainStep, run_dir: Path, how: str) -> None:
        step.run = str(run_dir)
        self._chain.save()
        self._writer.event(
            how, f"step {step.name}: {how} run {run_dir.name}.", name=step.name, run=run_dir.name
        )

    def _begun(self, step: ChainStep) -> Path | None:
        """A run that was started for this step just before the chain's process was killed."""
        for run in list_runs():
            origin = RunReader(run.path).manifest().get("chain") or {}
            if (origin.get("id"), origin.get("step")) == (self._chain.id, step.name):
                return run.path
        return None

    def _config(self, number: int, step: ChainStep) -> TrainConfig:
        """The configuration of a step, with what the steps before it have made."""
        runs = {earlier.name: Path(earlier.run) for earlier in self._chain.steps[:number] if earlier.run}
        overrides = []
        if step.begins_with is not None:
            overrides += _beginning(runs[step.begins_with])
        if step.reward_from is not None:
            overrides.append(f"ppo.reward_model={_quoted(runs[step.reward_from] / layout.ADAPTER)}")
        return load_config(self._chain.config_file(number), overrides)

    def _origin(self, number: int) -> dict[str, Any]:
        """What the run's manifest keeps of the chain: it makes the report of the steps before."""
        before = [
            {"name": step.name, "method": step.method, "run": step.run}
            for step in self._chain.steps[:number]
            if step.run
        ]
        return {
            "id": self._chain.id,
            "name": self._chain.name,
            "step": self._chain.steps[number].name,
            "number": number + 1,
            "of": len(self._chain.steps),
            "before": before,
        }

    def _report(self) -> None:
        """The evaluation, if it is part of the plan, and the report, each by its own verb."""
        last = self._chain.steps[-1]
        assert last.run is not None  # all steps have finished
        # A reward model answers nothing that could be compared.
        verbs = [["eval", last.run]] if self._chain.evaluate and last.method != "reward" else []
        for verb in [*verbs, ["report", last.run]]:
            self._writer.update(phase="evaluating" if verb[0] == "eval" else "reporting")
            with subprocess.Popen(
                [sys.executable, "-m", "tuner_tui", *verb], stdout=subprocess.DEVNULL
            ) as child:
                while child.poll() is None:
                    if self._stopping:
                        child.terminate()  # of the verb alone: the evaluation has a process of its own
                        child.wait()
                        raise Stopped("stopped on request.")
                    time.sleep(_POLL_SECONDS)
            if child.returncode:
                raise UserError(f"`tuner {verb[0]} {Path(last.run).name}` failed; {chains.LOG} says why.")


def _beginning(run_dir: Path) -> list[str]:
    """What a run is to begin with so that it goes on where another has ended."""
    before = load_config(run_dir / layout.CONFIG)
    if not before.lora.enabled:
        return [f"model.name={_quoted(run_dir / layout.MODEL)}", "model.adapter=null"]
    # The base of an adapter may itself be a model with an adapter merged into it.
    name = base_model(before) if before.model.adapter else before.model.name
    return [f"model.name={_quoted(name)}", f"model.adapter={_quoted(run_dir / layout.ADAPTER)}"]


def _quoted(value: object) -> str:
    """As a text in YAML."""
    return "'" + str(value).replace("'", "''") + "'"


def main() -> int:
    """Work; 0 unless the chain failed."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tuner_tui.training.chain_process FOLDER")
    os.umask(0o077)
    path = Path(sys.argv[1])
    with RunWriter(path) as writer:
        control.clear_stop(path)
        state, reason = RunState.FINISHED, None
        try:
            Worker(chains.read(path), writer).work()
        except Stopped as stopped:
            state, reason = RunState.STOPPED, str(stopped)
        except UserError as error:
            state, reason = RunState.FAILED, str(error)
        except Exception as error:
            traceback.print_exc()
            state, reason = (
                RunState.FAILED,
                f"{type(error).__name__}: {error} (the whole of it is in {chains.LOG})",
            )
        control.clear_stop(path)
        writer.event(str(state), reason or "all steps are finished.")
        writer.end(state, reason)
    return int(state is RunState.FAILED)


if __name__ == "__main__":
    sys.exit(main())
