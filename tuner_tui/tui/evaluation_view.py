"""What the Evaluate screen shows, read from files in one go: called in a thread, no widgets here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner_tui.evaluation import layout
from tuner_tui.evaluation.arms import PROMPT_ARMS
from tuner_tui.evaluation.compare import Changed, changed_items
from tuner_tui.evaluation.launch import stop_evaluation
from tuner_tui.evaluation.orders import Model, Order, heldout_file
from tuner_tui.evaluation.progress import EvalProgress, load_items, load_summary, read_progress
from tuner_tui.evaluation.several import Queue, queue_dir, read_queue, stop_suites
from tuner_tui.evaluation.shapes import Summary
from tuner_tui.evaluation.suites import SUITES
from tuner_tui.report.suites import read_suite, read_suites
from tuner_tui.runs.layout import ADAPTER, CONFIG, EVALUATIONS, MODEL, RunState
from tuner_tui.runs.reader import RunReader, read_status
from tuner_tui.runs.store import list_runs
from tuner_tui.training.config import TrainConfig, load_config
from tuner_tui.training.presets import load_preset
from tuner_tui.tui.journey import Journey


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated: a run, or a base model before any run (`run_dir` None).

    `obstacle` says in a sentence why it cannot be evaluated now, and what to do about it.
    """

    config: TrainConfig
    run_dir: Path | None = None
    adopted: bool = False
    obstacle: str = ""

    @property
    def what(self) -> Path | Model:
        """What the evaluator takes."""
        return Model.of(self.config) if self.run_dir is None else self.run_dir

    def source(self, suite: str) -> Path | None:
        """The file of a suite's items that the configuration names."""
        return heldout_file(self.config) if suite == "heldout" else None


@dataclass(frozen=True, slots=True)
class SuiteState:
    """One suite of the subject: how far its evaluation is (None: never begun), its figures (a section of the
    report; None: none yet), whether its turn is still to come, and why it could not be measured."""

    name: str
    progress: EvalProgress | None = None
    section: dict[str, Any] | None = None
    waiting: bool = False
    fault: str = ""

    @property
    def live(self) -> bool:
        """Whether it is being measured now."""
        return self.progress is not None and self.progress.state.live


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """One reading of everything; `summary` and `changed` are of the held-out rows, `suites` the sections of
    all suites that have figures, `folders` where each suite is, or would be, measured, `unfinished` what
    was asked for last, here or by a command, and has not been measured, at work or not."""

    subject: Subject
    states: dict[str, SuiteState]
    queue: Queue | None = None
    summary: Summary | None = None
    changed: list[Changed] = field(default_factory=list)
    compared: tuple[str, str] = ("base", "tuned")
    suites: list[dict[str, Any]] = field(default_factory=list)
    folders: dict[str, Path] = field(default_factory=dict)
    unfinished: list[Order] = field(default_factory=list)

    @property
    def at_work(self) -> SuiteState | None:
        """The suite that is being measured."""
        return next((state for state in self.states.values() if state.live), None)

    @property
    def live(self) -> bool:
        """Whether an evaluation is going on."""
        queued = self.queue is not None and self.queue.progress.state.live
        return queued or self.at_work is not None

    @property
    def outcomes(self) -> dict[str, Any]:
        """Outcomes of the held-out rows by arm; empty before anything was measured."""
        return dict(self.summary["arms"]) if self.summary else {}

    @property
    def has_tuned(self) -> bool:
        """Whether the tuned model has figures of any suite."""
        return any("tuned" in suite["arms"] for suite in self.suites)


class EvaluationReader:
    """Reads the subject's evaluations again and again; sections are made anew only when their files are."""

    def __init__(self) -> None:
        self._sections: tuple[object, list[dict[str, Any]]] = ((), [])

    def read(self, journey: Journey) -> EvaluationView:
        """One reading.

        Raises:
            UserError: the run or its configuration cannot be read.
        """
        subject = find_subject(journey)
        queue = _queue(subject, journey)
        folders = _folders(subject, queue, journey)
        suites = self._read_sections(subject, list(folders.values()))
        sections = {suite["name"]: suite for suite in suites}
        waiting = queue.waiting if queue is not None else []
        faults = queue.faults if queue is not None else {}
        states = {
            name: SuiteState(
                name, _progress(folders.get(name)), sections.get(name), name in waiting, faults.get(name, "")
            )
            for name in SUITES
        }
        heldout = folders.get("heldout")
        summary = load_summary(heldout) if heldout is not None else None
        compared = _compared(summary)
        changed: list[Changed] = []
        if heldout is not None and compared and not states["heldout"].live:
            before, after = (load_items(heldout, arm) for arm in compared)
            changed = changed_items(before, after)
        return EvaluationView(
            subject,
            states,
            queue,
            summary,
            changed,
            compared or ("base", "tuned"),
            suites,
            folders,
            _unfinished(queue, states, folders),
        )

    def _read_sections(self, subject: Subject, folders: Sequence[Path]) -> list[dict[str, Any]]:
        if subject.run_dir is not None:
            folders = sorted((subject.run_dir / EVALUATIONS).glob("*/"))
        stamp = [(path, path.stat().st_mtime_ns) for f in folders if (path := f / layout.SUMMARY).is_file()]
        if stamp != self._sections[0]:
            if subject.run_dir is not None:
                self._sections = (stamp, read_suites(subject.run_dir))
            else:
                found = [read_suite(folder) for folder in folders]
                self._sections = (stamp, [suite for suite in found if suite is not None])
        return self._sections[1]


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
    return Subject(journey.config or load_preset("demo"))


def stop(view: EvaluationView) -> None:
    """Ask the suite at work to end, and those that wait not to begin."""
    stop_suites(queue_dir(view.subject.what))
    if view.at_work is not None and view.at_work.name in view.folders:
        stop_evaluation(view.folders[view.at_work.name])


def _queue(subject: Subject, journey: Journey) -> Queue | None:
    queue = read_queue(queue_dir(subject.what))
    if queue is None or subject.run_dir is not None:
        return queue
    # Of a base model only what was asked for in this window, or is still going on: the guided demo
    # measures anew, and shows no figures of another day.
    live = queue.progress.state.live and not journey.tour
    return queue if queue.subject == subject.config.model.name and (journey.base_queue or live) else None


def _folders(subject: Subject, queue: Queue | None, journey: Journey) -> dict[str, Path]:
    """Where each suite is, or would be, measured."""
    if subject.run_dir is not None:
        return {name: layout.suite_dir(subject.run_dir, name) for name in SUITES}
    begun = {"heldout": journey.baseline_dir} if journey.baseline_dir is not None else {}
    return {**begun, **(queue.folders if queue is not None else {})}


def _progress(folder: Path | None) -> EvalProgress | None:
    return read_progress(folder) if folder is not None and (folder / layout.STATUS).is_file() else None


def _unfinished(
    queue: Queue | None, states: Mapping[str, SuiteState], folders: Mapping[str, Path]
) -> list[Order]:
    found = {name: each.progress.state for name, each in states.items() if each.progress}
    begun, orders = (queue.folders, queue.orders) if queue is not None else ({}, ())
    left = [
        order
        for order in orders
        if order.suite not in begun or found.get(order.suite) is not RunState.FINISHED
    ]
    known = {order.suite for order in orders}
    stopped = [
        name for name, state in found.items() if state in (RunState.STOPPED, RunState.LOST) or state.live
    ]
    return [*left, *(_asked(name, folders[name]) for name in stopped if name not in known)]


def _asked(name: str, folder: Path) -> Order:
    """What the evaluation in a folder was asked for."""
    try:
        request = json.loads((folder / layout.REQUEST).read_bytes())
    except (OSError, ValueError):
        return Order(name)
    source = request.get("heldout") if SUITES[name].source != "none" and name != "heldout" else None
    return Order(
        name,
        Path(source) if source else None,
        request.get("limit"),
        arms=tuple(request.get("arms", ())) or None,
        seed=request.get("seed", 0),
        repeats=request.get("repeats", 1),
        temperature=request.get("temperature", 0.0),
    )


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
    return Subject(config, run_dir, adopted, obstacle)


def _has_result(run_dir: Path) -> bool:
    return any((run_dir / name).is_dir() for name in (ADAPTER, MODEL))


def _can_answer(run_dir: Path) -> bool:
    return _has_result(run_dir) and RunReader(run_dir).method() != "reward"
