"""What the Evaluate screen shows, read from files in one go: called in a thread, no widgets here."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.evaluation.arms import PROMPT_ARMS
from tuner_tui.evaluation.compare import Changed, changed_items
from tuner_tui.evaluation.launch import start_baseline, start_evaluation
from tuner_tui.evaluation.layout import heldout_dir
from tuner_tui.evaluation.progress import EvalProgress, load_items, load_summary, read_progress
from tuner_tui.evaluation.shapes import Summary
from tuner_tui.evaluation.statistics import detectable_difference
from tuner_tui.evaluation.suites.heldout import HeldoutTask
from tuner_tui.report.suites import read_suites
from tuner_tui.runs.layout import ADAPTER, CONFIG, MODEL
from tuner_tui.runs.reader import RunReader, read_status
from tuner_tui.runs.store import list_runs
from tuner_tui.training.config import TrainConfig, load_config
from tuner_tui.training.presets import load_preset
from tuner_tui.tui.journey import Journey


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be asked. `detectable` is the smallest difference that so many items can show (0
    to 1).
    """

    heldout: Path
    calls: int
    no_calls: int
    rejected: int

    @property
    def detectable(self) -> float:
        return detectable_difference(self.calls)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated: a run, or a base model before any run (`run_dir` None).

    `obstacle` says in a sentence why it cannot be evaluated now, and what to do about it.
    """

    config: TrainConfig
    run_dir: Path | None = None
    eval_dir: Path | None = None
    adopted: bool = False
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """One reading of everything."""

    subject: Subject
    plan: Plan | None = None
    progress: EvalProgress | None = None
    summary: Summary | None = None
    changed: list[Changed] = field(default_factory=list)
    compared: tuple[str, str] = ("base", "tuned")
    suites: list[dict[str, Any]] = field(default_factory=list)

    @property
    def live(self) -> bool:
        """Whether an evaluation is going on."""
        return self.progress is not None and self.progress.state.live

    @property
    def outcomes(self) -> dict[str, Any]:
        """Outcomes by arm; empty before anything was measured."""
        return dict(self.summary["arms"]) if self.summary else {}


def find_subject(journey: Journey) -> Subject:
    """The journey's run; else the base model that is being measured or configured; else the newest
    trained run.
    """
    if journey.run_dir is not None:
        return _run_subject(journey.run_dir, adopted=False)
    if journey.baseline_dir is None and journey.config is None and not journey.tour:
        newest = next((run.path for run in list_runs() if _can_answer(run.path)), None)
        if newest is not None:
            return _run_subject(newest, adopted=True)
    config = journey.config or load_preset("demo")
    return Subject(config, eval_dir=journey.baseline_dir)


def read_view(journey: Journey, known_plan: Plan | None = None) -> EvaluationView:
    """Read the subject's evaluation. `known_plan` spares counting the held-out file again.

    Raises:
        UserError: the run or its configuration cannot be read.
    """
    subject = find_subject(journey)
    plan, obstacle = _plan(subject, known_plan)
    if obstacle and not subject.obstacle:
        subject = replace(subject, obstacle=obstacle)
    suites = read_suites(subject.run_dir) if subject.run_dir is not None else []
    if subject.eval_dir is None or not subject.eval_dir.is_dir():
        return EvaluationView(subject, plan, suites=suites)
    progress = read_progress(subject.eval_dir)
    summary = load_summary(subject.eval_dir)
    compared = _compared(summary)
    changed: list[Changed] = []
    if summary is not None and not progress.state.live and compared:
        before, after = (load_items(subject.eval_dir, arm) for arm in compared)
        changed = changed_items(before, after)
    return EvaluationView(subject, plan, progress, summary, changed, compared or ("base", "tuned"), suites)


def _compared(summary: Summary | None) -> tuple[str, str] | None:
    """The two arms whose items are set side by side: base and tuned, or, without a run, plain and
    best prompt.
    """
    if summary is None:
        return None
    if "base" in summary["arms"] and "tuned" in summary["arms"]:
        return "base", "tuned"
    best = summary["best_prompt"]
    return ("base", best) if best in PROMPT_ARMS[1:] and "base" in summary["arms"] else None


def _run_subject(run_dir: Path, *, adopted: bool) -> Subject:
    config = load_config(run_dir / CONFIG)
    state = read_status(run_dir).state
    obstacle = ""
    if config.method == "reward":
        obstacle = "the run made a reward model, which scores answers and gives none; 6 Report judges it."
    elif not _has_result(run_dir):
        obstacle = (
            "the run is still training; it can be evaluated once it has finished."
            if state.live
            else f"the run ended ({state}) before it saved an adapter; resume it on 4 Train (u), or choose "
            "another (r)."
        )
    return Subject(config, run_dir, heldout_dir(run_dir), adopted, obstacle)


def _has_result(run_dir: Path) -> bool:
    return any((run_dir / name).is_dir() for name in (ADAPTER, MODEL))


def _can_answer(run_dir: Path) -> bool:
    return _has_result(run_dir) and RunReader(run_dir).method() != "reward"


def _plan(subject: Subject, known: Plan | None) -> tuple[Plan | None, str]:
    heldout = _heldout(subject.config)
    if heldout is None:
        return None, "the configuration names no held-out file; set it on 3 Configure, under Evaluation."
    if known is not None and known.heldout == heldout:
        return known, ""
    try:
        task = HeldoutTask(heldout)
    except UserError as error:
        return None, str(error)
    calls = sum(bool(item.gold) for item in task.items)
    return Plan(heldout, calls, len(task.items) - calls, task.rejected), ""


def _heldout(config: TrainConfig) -> Path | None:
    # Without a held-out file the evaluation file serves, as the configuration's help says.
    return config.evaluation.heldout or config.data.eval


def start(subject: Subject) -> Path:
    """Start the evaluator for the subject, detached; returns its folder.

    Raises:
        UserError: it cannot be evaluated, with the reason.
    """
    if subject.run_dir is not None:
        return start_evaluation(subject.run_dir)
    config = subject.config
    heldout = _heldout(config)
    if heldout is None:
        raise UserError("there is nothing to measure: choose a held-out file on 3 Configure.")
    return start_baseline(
        config.model.name,
        heldout,
        bits=config.quantization.bits,
        double=config.quantization.double,
        dtype=config.model.dtype,
        batch=config.evaluation.batch,
        max_new_tokens=config.evaluation.max_new_tokens,
    )
