"""The real processes of the guided demo: how each is started, found again, and looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuner_tui.demo import start_base_measurement
from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.evaluation.launch import start_evaluation
from tuner_tui.evaluation.layout import heldout_dir
from tuner_tui.evaluation.progress import load_summary, read_progress
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.reader import read_status
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers.local import launch
from tuner_tui.training.presets import load_preset
from tuner_tui.tui.journey import Journey


@dataclass(frozen=True, slots=True)
class Progress:
    """What a process in the background does: `live` while it goes on, `ok` once it has succeeded."""

    live: bool
    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Work:
    """A detached process of a stop. All but `started` and `ended` touch files: they are called in threads.

    `existing` is the place of such a process that the person has started with the screen's own key.
    """

    start: Callable[[Journey], Path]
    existing: Callable[[Journey], Path | None]
    started: Callable[[Journey, Path], None]
    look: Callable[[Path], Progress]
    ended: Callable[[Journey, Path], None]


def _demo_config(journey: Journey) -> TrainConfig:
    return journey.config if journey.config is not None else load_preset("demo")


def _look_at_evaluation(eval_dir: Path) -> Progress:
    progress = read_progress(eval_dir)
    if progress.state.live:
        arm = f"{ARM_TITLES.get(progress.arm, progress.arm)}: " if progress.arm else ""
        left = f", about {progress.eta:.0f} s left" if progress.eta else ""
        counted = f"{progress.done} of {progress.total} answers" if progress.total else ""
        return Progress(True, False, f"{arm}{counted or progress.phase or 'starting'}{left}")
    why = f": {progress.error}" if progress.error else "."
    return Progress(False, progress.state is RunState.FINISHED, f"The evaluation {progress.state}{why}")


def _look_at_run(run_dir: Path) -> Progress:
    status = read_status(run_dir)
    if status.state.live:
        steps = f"step {status.step} of {status.total}" if status.total else status.phase
        return Progress(True, False, steps or "starting")
    why = f": {status.reason}" if status.reason else "."
    return Progress(False, status.state is RunState.FINISHED, f"Training {status.state}{why}")


def _baseline_started(journey: Journey, eval_dir: Path) -> None:
    journey.baseline_dir = eval_dir


def _baseline_ended(journey: Journey, eval_dir: Path) -> None:
    summary = load_summary(eval_dir)
    journey.baseline = dict(summary["arms"]) if summary else None


def _run_started(journey: Journey, run_dir: Path) -> None:
    journey.run_dir = run_dir


def _start_tuned(journey: Journey) -> Path:
    assert journey.run_dir is not None  # the stop before has made it
    return start_evaluation(journey.run_dir)


def _tuned_place(journey: Journey) -> Path | None:
    place = heldout_dir(journey.run_dir) if journey.run_dir is not None else None
    return place if place is not None and place.is_dir() else None


def _nothing(journey: Journey, place: Path) -> None:
    return None


BASELINE: Final = Work(
    start=lambda journey: start_base_measurement(_demo_config(journey)),
    existing=lambda journey: journey.baseline_dir,
    started=_baseline_started,
    look=_look_at_evaluation,
    ended=_baseline_ended,
)
TRAINING: Final = Work(
    start=lambda journey: launch(_demo_config(journey)),
    existing=lambda journey: journey.run_dir,
    started=_run_started,
    look=_look_at_run,
    ended=_nothing,
)
EVALUATION: Final = Work(
    start=_start_tuned,
    existing=_tuned_place,
    started=_nothing,
    look=_look_at_evaluation,
    ended=_nothing,
)
