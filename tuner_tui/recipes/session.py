"""What every recipe's process does around its training: signals, status, and a last word. No torch here."""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tuner_tui.recipes import ranks, retry
from tuner_tui.recipes.faults import Stopped, explain, is_out_of_memory
from tuner_tui.runs import control, layout
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import read_status
from tuner_tui.runs.silent import SilentRun
from tuner_tui.runs.writer import RunWriter
from tuner_tui.training.config import TrainConfig, load_config

_WATCH_SECONDS = 0.5
_TELL_SECONDS = 60.0


class Session:
    """One trainer process at work in one run directory.

    SIGTERM and SIGINT mean: stop with a checkpoint. SIGHUP, a closed terminal, means nothing.
    """

    def __init__(self, run: RunWriter | SilentRun) -> None:
        self.run = run
        self.meter: Callable[[], dict[str, Any] | None] | None = None  # see `device.energy_meter`
        self._signalled = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    @property
    def stop_requested(self) -> bool:
        """Whether anyone asked this run to stop, by signal or by file."""
        return self._signalled or control.stop_requested(self.run.run_dir)

    @property
    def stop_reason(self) -> str:
        """Who wanted the stop; a job that Slurm stops goes on later, and is shown so."""
        job = os.environ.get("SLURM_JOB_ID")
        if self._signalled and job and not control.stop_requested(self.run.run_dir):
            return f"{layout.BY_SLURM} (job {job}): preempted, or out of time."
        return "stopped on request."

    def config(self) -> TrainConfig:
        """The run's configuration, with what an earlier try had to change for want of memory.

        Raises:
            UserError: it cannot be read.
        """
        run_dir = self.run.run_dir
        return retry.apply(load_config(run_dir / layout.CONFIG), run_dir)

    def phase(self, what: str) -> None:
        """Say what is done next, unless a stop was asked for.

        Raises:
            Stopped: it was.
        """
        if self.stop_requested:
            raise Stopped
        self.run.update(phase=what)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True


def run_recipe(run_dir: Path, recipe: Callable[[Session], RunState]) -> int:
    """Run a recipe so that, whatever happens in it, the run directory says how it ended.

    Args:
        run_dir: the run.
        recipe: does the training, and returns `finished` or `stopped`.

    Returns:
        The exit status of the process: 0 when the recipe returned, 1 when it raised.
    """
    main = ranks.is_main()
    with RunWriter(run_dir) if main else SilentRun(run_dir) as run:
        session = Session(run)
        if main:
            control.clear_stop(run_dir)
            if ranks.world() > 1:
                threading.Thread(target=_watch_others, args=(run,), name="faults", daemon=True).start()
        again = False
        try:
            state = recipe(session)
            reason = session.stop_reason if state is RunState.STOPPED else None
        except Stopped:
            state, reason = RunState.STOPPED, "stopped on request, before the first step."
        except Exception as error:
            traceback.print_exc()
            if is_out_of_memory(error) and not session.stop_requested and _try_smaller(session):
                again = True
            state, reason = RunState.FAILED, explain(error)
            if not main:
                ranks.leave_fault(run_dir, reason)
                _wait_until_told(run_dir)
        _tell_energy(session)
        if again:
            run.update(state=RunState.STARTING, phase="starting again with less at once")
            retry.again()
        if main:
            control.clear_stop(run_dir)
            control.clear_save(run_dir)
        # The event first: whoever sees that the run has ended finds it.
        run.event(str(state), reason or "the run is finished.", process=os.getpid())
        run.end(state, reason)
    return int(state is RunState.FAILED)


def _tell_energy(session: Session) -> None:
    """What this process has taken, whatever came of it."""
    if session.meter is not None and (taken := session.meter()) is not None:
        hours = taken["joules"] / 3600
        session.run.event("energy", f"the GPUs took {hours:,.3g} Wh since training was prepared.", **taken)


def _try_smaller(session: Session) -> bool:
    """Whether the run can go on with less at once; said in its events. Several processes end together
    instead: one cannot begin anew without the others."""
    if ranks.world() > 1:
        return False
    step = session.run.status.step
    changed = retry.reduce(session.config(), session.run.run_dir)
    if changed is None:
        return False
    session.run.event("retry", f"out of memory after step {step}; going on with {changed}.")
    return True


def _wait_until_told(run_dir: Path) -> None:
    """Leave the first process the time to say why the run ends: torchrun ends all once one is gone, and
    the first may not even have begun."""
    deadline = time.monotonic() + _TELL_SECONDS
    while read_status(run_dir).state.live and time.monotonic() < deadline:
        threading.Event().wait(_WATCH_SECONDS)


def _watch_others(run: RunWriter | SilentRun) -> None:
    """End the run when another of its processes has failed: the first would wait for it for ever, inside a
    library that no signal reaches."""
    while (reason := ranks.fault(run.run_dir)) is None:
        threading.Event().wait(_WATCH_SECONDS)
    run.event(str(RunState.FAILED), reason, process=os.getpid())
    run.end(RunState.FAILED, reason)
    os._exit(1)
