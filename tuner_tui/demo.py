"""The whole journey without the app: decide, inspect, measure, train, evaluate, report, on what
ships with the package.

Nothing is cached and nothing is played back: the base model is measured afresh, a real QLoRA run is
trained in a process of its own, and every figure is read from the files that these processes wrote.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tuner_tui import paths
from tuner_tui.data.inspection import Inspection, inspect_file
from tuner_tui.data.rules import Severity
from tuner_tui.decide.recommendation import Recommendation
from tuner_tui.decide.rules import recommend
from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.evaluation.launch import start_evaluation
from tuner_tui.evaluation.orders import Model, Order, begin
from tuner_tui.evaluation.progress import EvalProgress, load_summary, read_progress
from tuner_tui.report.build import write_report
from tuner_tui.runs import metrics
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import RunReader
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers.local import launch
from tuner_tui.training.presets import load_preset

ANSWERS: Final[Mapping[str, str | list[str]]] = {
    "goal": "domain_tools",
    "prompting": "quick",
    "failures": ["unknown"],
    "knowledge": "no",
    "rows": "hundreds",
    "preferences": "none",
    "gpu": "none",
    "model": "tiny",
    "time": "hours",
}
"""The story: your own tools, some hundred checked rows, no GPU, and prompts that were only judged
by eye.
"""

PROMPT_ARMS: Final = {"base": "plain", "instruction": "instruction", "examples": "examples"}
"""Arm of the evaluation -> name of its prompt in the result."""

PLAN: Final = (
    "This decides, inspects, measures, trains, evaluates and reports, on the small model and data "
    "that ship with tuner: about 4 minutes on 2 CPU cores, no download, every figure measured now."
)

Say = Callable[[str], None]

_POLL_SECONDS = 0.5
_SAY_SECONDS = 10.0


class DemoError(Exception):
    """A step failed; the message is one sentence for a person, with the place to look at."""


class DemoInterrupted(Exception):
    """Ctrl-C was pressed; the message says what goes on, and how to come back to it or end it."""


def run_demo(say: Say | None = None, config: TrainConfig | None = None) -> dict[str, Any]:
    """Run every step, one after the other, and return the figures.

    `say` gets a line for a person at a time. `config` takes the place of the preset "demo".

    Returns:
        The shape of `tuner demo --json`: `base` and `tuned` are outcomes, `prompts` the outcomes of the
        untouched model by prompt, `comparison` that of tuned and best prompt, `training_seconds` (from
        the start of the process to its end), `total_seconds`, `run` (its id) and `run_dir`.

    Raises:
        DemoError: a step failed.
        DemoInterrupted: Ctrl-C.
        UserError: something that a step needs is missing.
    """
    say = say or (lambda line: None)
    started = time.monotonic()
    config = config or load_preset("demo")
    say(PLAN)

    say("")
    say("1/7 Decide: prompt or train?")
    _say_recommendation(recommend(ANSWERS), say)

    say("")
    say(f"2/7 Inspect: {config.data.train[0].name}")
    _inspect(config, say)

    say("")
    say("3/7 Measure the base model before anything is trained, with three prompts")
    prompts = measure_base(config, say)

    say("")
    say("4/7 Decide again, with figures")
    _say_recommendation(recommend(ANSWERS, {"arms": prompts}), say)

    say("")
    say("5/7 Train: QLoRA, in a process of its own")
    run_dir, training_seconds = train(config, say)

    say("")
    say("6/7 Evaluate the tuned model on the same items, with the plain prompt")
    summary = evaluate(run_dir, say)

    say("")
    say("7/7 Report")
    write_report(run_dir)
    say(f"  {run_dir / 'report.md'}")
    arms = summary["arms"]
    return {
        "base": arms["base"],
        "tuned": arms["tuned"],
        "prompts": {name: arms[arm] for arm, name in PROMPT_ARMS.items()},
        "comparison": summary["comparison_best"],
        "training_seconds": round(training_seconds, 1),
        "total_seconds": round(time.monotonic() - started, 1),
        "run": run_dir.name,
        "run_dir": str(run_dir),
    }


def measure_base(config: TrainConfig, say: Say) -> dict[str, Any]:
    """The untouched model on the held-out items, once for each prompt: outcomes by arm, measured
    now.
    """
    eval_dir = start_base_measurement(config)
    follow_evaluation(eval_dir, say, "it ends by itself, and no training has been started")
    arms = dict(_summary(eval_dir)["arms"])
    for arm, outcome in arms.items():
        say(f"  {ARM_TITLES[arm]}: {describe_rate(outcome['full_match'])} calls exactly right")
    return arms


def start_base_measurement(config: TrainConfig) -> Path:
    """Start the evaluator on the base model of `config`, loaded as the run will load it; returns
    its folder.

    Kept baselines are thrown away (`fresh`): a demo that showed figures of another day would prove
    nothing.
    """
    return begin(Model.of(config), Order("heldout", fresh=True))


def train(config: TrainConfig, say: Say) -> tuple[Path, float]:
    """Train to the end; returns the run directory and the seconds from launch to the last word."""
    started = time.monotonic()
    run_dir = launch(config)
    say(f"  run {run_dir.name}")
    reader = RunReader(run_dir)
    records: list[dict[str, Any]] = []
    phase = ""
    try:
        while (status := reader.status()).state.live:
            if status.phase != phase:
                phase = status.phase
                say(f"  {phase}")
            _say_records(reader.poll_metrics(), records, status, say)
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        raise DemoInterrupted(
            f"run {run_dir.name} goes on without this window: `tuner watch {run_dir.name}` shows "
            f"it, `tuner stop {run_dir.name}` ends it with a checkpoint."
        ) from None
    _say_records(reader.poll_metrics(), records, status, say)
    if status.state is not RunState.FINISHED:
        why = f": {status.reason}" if status.reason else ""
        raise DemoError(f"training {status.state}{why.rstrip('.')}; see {run_dir / 'train.log'}.")
    return run_dir, time.monotonic() - started


def evaluate(run_dir: Path, say: Say) -> dict[str, Any]:
    """Evaluate the run; the base arms were measured a moment ago with the same settings, and are
    taken over.
    """
    eval_dir = start_evaluation(run_dir)
    follow_evaluation(eval_dir, say, f"`tuner report {run_dir.name}` shows it once it has ended")
    summary = _summary(eval_dir)
    tuned = summary["arms"]["tuned"]
    say(f"  {describe_rate(tuned['full_match'])} calls exactly right")
    say(f"  {describe_rate(tuned['no_call'])} requests that no tool serves kept without a call")
    return summary


def describe_rate(rate: Mapping[str, Any] | None) -> str:
    """A rate in words: `41 of 64 (64%, between 52% and 75%)`."""
    if not rate or not rate["total"]:
        return "not measured"
    low, high = rate["interval"]
    return f"{rate['count']} of {rate['total']} ({rate['rate']:.0%}, between {low:.0%} and {high:.0%})"


def _inspect(config: TrainConfig, say: Say) -> Inspection:
    model = Path(paths.resolve_model(config.model.name))
    inspection = inspect_file(config.data.train[0], model=model, max_length=config.data.max_length)
    kinds = ", ".join(
        f"{count} {kind.replace('_', ' ')}" for kind, count in inspection.kinds.items() if count
    )
    say(f"  {inspection.rows} rows: {kinds}")
    if inspection.lengths:
        say(
            f"  {sum(inspection.lengths):,} tokens, of which {sum(inspection.trained):,} are "
            f"trained; the longest row has {max(inspection.lengths)}"
        )
    if inspection.worst is Severity.ERROR:
        raise DemoError(f"{inspection.path} has errors; `tuner inspect {inspection.path}` lists them.")
    say("  no errors")
    return inspection


def follow_evaluation(eval_dir: Path, say: Say, afterwards: str) -> None:
    """Wait until the evaluator has ended; raise DemoError unless it finished.

    `afterwards` tells a person who presses Ctrl-C what becomes of it.
    """
    said_arm, said_at = "", 0.0
    try:
        while (progress := read_progress(eval_dir)).state.live:
            now = time.monotonic()
            if progress.arm and (progress.arm != said_arm or now - said_at >= _SAY_SECONDS):
                said_arm, said_at = progress.arm, now
                say(_progress_line(progress))
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        raise DemoInterrupted(f"the evaluation goes on in {eval_dir}; {afterwards}.") from None
    if progress.state is not RunState.FINISHED:
        why = f": {progress.error}" if progress.error else ""
        raise DemoError(f"the evaluation {progress.state}{why.rstrip('.')}; see {eval_dir}.")


def _summary(eval_dir: Path) -> dict[str, Any]:
    summary = load_summary(eval_dir)
    if summary is None:
        raise DemoError(f"the evaluation left no summary in {eval_dir}.")
    return dict(summary)


def _progress_line(progress: EvalProgress) -> str:
    left = f", about {progress.eta:.0f} s left" if progress.eta else ""
    arm = ARM_TITLES[progress.arm] if progress.arm else "starting"
    return f"  {arm}: {progress.done} of {progress.total}{left}"


def _say_recommendation(recommendation: Recommendation, say: Say) -> None:
    say(f"  {recommendation.headline}")
    for reason in recommendation.reasons:
        say(f"  - {reason}")


def _say_records(new: list[dict[str, Any]], records: list[dict[str, Any]], status: Status, say: Say) -> None:
    """Add new metric records to those before, and say the loss about a dozen times in a run."""
    every = max(1, status.total // 12)
    for record in new:
        records.append(record)
        step, loss, held = record.get("step", 0), record.get("loss"), record.get("eval_loss")
        figures = f"loss {loss:.3f}" if loss is not None and step % every == 0 else ""
        figures += f"eval loss {held:.3f}" if held is not None else ""
        if figures:
            left = metrics.eta(records, status.total)
            ahead = f"  {left[0]:.0f}–{left[1]:.0f} s left" if left and left[1] >= 1 else ""
            say(f"  step {step}/{status.total}  {figures}{ahead}")
