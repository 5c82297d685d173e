"""What the evaluator does, followed to its end on stderr."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner_tui.evaluation.progress import EvalProgress

_POLL_SECONDS = 0.5


def follow(
    folder: Path, *, quiet: bool, tell: Callable[["EvalProgress"], str] | None = None
) -> "EvalProgress":
    """Wait for the end of what the evaluator does in a folder; say on stderr how far it is, in place on a
    terminal. `tell` says it in words: by default of an evaluation, or of several. Returns the end."""
    from tuner_tui.evaluation.progress import read_progress

    tell = tell or partial(_of_suites, folder)
    in_place = sys.stderr.isatty()
    said = ""
    while True:
        progress = read_progress(folder)
        line = tell(progress)
        if not quiet and line != said:
            sys.stderr.write(f"\r\x1b[2K{line}" if in_place else f"{line}\n")
            sys.stderr.flush()
            said = line
        if not progress.state.live:
            break
        time.sleep(_POLL_SECONDS)
    if in_place and not quiet:
        sys.stderr.write("\r\x1b[2K")
    return progress


def _of_suites(folder: Path, progress: "EvalProgress") -> str:
    """How far an evaluation is; of several that which is at work."""
    from tuner_tui.evaluation.progress import read_progress
    from tuner_tui.evaluation.several import read_queue

    queue = read_queue(folder) if progress.state.live else None
    if queue is not None and (at_work := queue.folders.get(queue.progress.phase)):
        return f"{queue.progress.phase}: {_line(read_progress(at_work))}"
    return _line(progress)


def _line(progress: "EvalProgress") -> str:
    from tuner_tui.evaluation.arms import ARM_TITLES

    if not progress.state.live:
        return f"evaluation {progress.state}"
    if progress.arm is None:
        return f"{progress.phase} ..."
    left = f", about {progress.eta:.0f} s left" if progress.eta is not None else ""
    done, total = progress.arms.get(progress.arm, (0, 0))
    return f"{ARM_TITLES.get(progress.arm, progress.arm)}: {done} of {total} items{left}"
