"""How a process of the evaluator ends: whatever happens in its work, `status.json` says it in a sentence."""

import traceback
from collections.abc import Callable
from pathlib import Path

from tuner_tui.errors import UserError
from tuner_tui.evaluation import layout
from tuner_tui.evaluation.driver import Stopped
from tuner_tui.evaluation.heartbeat import Heartbeat
from tuner_tui.runs.layout import RunState

_GOES_ON = "stopped on request; start it again to go on where it was."


def see_through(
    work: Callable[[], None], folder: Path, heartbeat: Heartbeat, *, stopped: str = _GOES_ON
) -> int:
    """Do the work, and write how it ended; a request to stop is taken away.

    Args:
        work: may raise Stopped, and UserError for what a person can mend; what else it raises goes to stderr.
        folder: where the request to stop may lie.
        stopped: the reason that is given for a stop.

    Returns:
        The exit status of the process: 1 when the work failed.
    """
    state, reason = _end_of(work, stopped)
    (folder / layout.STOP).unlink(missing_ok=True)
    heartbeat.end(state, reason)
    return int(state is RunState.FAILED)


def _end_of(work: Callable[[], None], stopped: str) -> tuple[RunState, str | None]:
    try:
        work()
    except Stopped:
        return RunState.STOPPED, stopped
    except UserError as error:
        return RunState.FAILED, str(error)
    except Exception as error:
        traceback.print_exc()
        # By name: torch need not be here.
        if type(error).__name__ == "OutOfMemoryError":
            return RunState.FAILED, "the GPU has too little memory; make evaluation.batch smaller."
        first = (str(error).strip().splitlines() or [""])[0]
        return RunState.FAILED, f"{type(error).__name__}: {first} (the log has the rest)"
    return RunState.FINISHED, None
