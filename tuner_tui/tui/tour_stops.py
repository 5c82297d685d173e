"""The story of the guided demo: its stops, what each says, and the real work that some of them
start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tuner_tui.demo import ANSWERS, describe_rate, start_base_measurement
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


Text = Callable[[Journey], str]


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: its screen, its texts before, during and after its work, and what Enter does there."""

    step: str
    title: str
    before: Text
    onward: str
    arrive: Callable[[Journey], None] = lambda journey: None
    action: str = ""
    during: Text = lambda journey: ""
    after: Text = lambda journey: ""
    work: Work | None = None


def _says(text: str) -> Text:
    return lambda journey: text


def _demo_config(journey: Journey) -> TrainConfig:
    return journey.config if journey.config is not None else load_preset("demo")


def _begin(journey: Journey) -> None:
    journey.answers = {}
    journey.recommendation = journey.baseline = journey.baseline_dir = None
    journey.dataset = journey.inspection = journey.config = journey.run_dir = None


def _fill_answers(journey: Journey) -> None:
    journey.answers = dict(ANSWERS)


def _choose_data(journey: Journey) -> None:
    journey.dataset = load_preset("demo").data.train[0]
    journey.inspection = None


def _choose_preset(journey: Journey) -> None:
    journey.config = load_preset("demo")


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


def _measured_base(journey: Journey) -> str:
    arms = journey.baseline or {}
    told = [f"{ARM_TITLES[arm]}: {_share(arms, arm)}" for arm in ARM_TITLES if arm in arms]
    return (
        f"Calls exactly right: {'; '.join(told)}. Each figure stands with its 95% interval, as 64 "
        "requests are a sample. Better prompts help a lot, and still leave many calls wrong: now "
        "there is something to decide on."
    )


def _measured_tuned(journey: Journey) -> str:
    arms = _arms(journey)
    tuned = arms.get("tuned", {})
    return (
        f"With the plain prompt, the tuned model gets {describe_rate(tuned.get('full_match'))} "
        f"calls exactly right, and keeps {describe_rate(tuned.get('no_call'))} of the requests that "
        "no tool serves in words. Press c for the answers that changed, side by side, and f to "
        "come back to the figures."
    )


def _conclusion(journey: Journey) -> str:
    arms = _arms(journey)
    figures = ", ".join(f"{ARM_TITLES[arm].lower()} {_share(arms, arm)}" for arm in ARM_TITLES if arm in arms)
    return (
        f"Calls right: {figures}. The verdict comes first, then what supports it, and how to repeat "
        "it. The same report lies beside the run as Markdown and JSON. Your own data: press 2 and "
        "choose a file."
    )


def _arms(journey: Journey) -> dict[str, Any]:
    summary = load_summary(heldout_dir(journey.run_dir)) if journey.run_dir else None
    return dict(summary["arms"]) if summary else {}


def _share(arms: dict[str, Any], arm: str) -> str:
    rate = arms.get(arm, {}).get("full_match", {}).get("rate")
    return "not measured" if rate is None else f"{rate:.0%}"


STOPS: Final[tuple[Stop, ...]] = (
    Stop(
        "home",
        "Five minutes, six steps",
        _says(
            "You will see a small base model fail at calling tools, train it, and measure what "
            "that brought. All of it happens now, on this machine, without a download; nothing is "
            "played back. Look around as you like: the keys of every screen work, and F2 brings "
            "you back here."
        ),
        "begin",
        arrive=_begin,
    ),
    Stop(
        "decide",
        "Prompt or train?",
        _says(
            "The story: your own tools, a few hundred checked rows, no GPU, and prompts that were "
            "only judged by eye. The advice follows from the answers by rules that you can read. "
            "Training costs more than a prompt, so it says: prompt first, and count. Change an "
            "answer and watch it."
        ),
        "look at the data",
        arrive=_fill_answers,
    ),
    Stop(
        "data",
        "What would be trained on",
        _says(
            "This is the real training file. The screen says what is in it and what is wrong with "
            "it; the row view shows one row as the model will see it, with the tokens it learns "
            "from marked: only what the assistant says. A bad row teaches as well as a good one, "
            "so mend findings before you train."
        ),
        "measure the base model",
        arrive=_choose_data,
    ),
    Stop(
        "evaluate",
        "Measure before you train",
        _says(
            "The untouched model answers held-out requests, whose tools occur in no training row, "
            "with three prompts: plain, with an instruction, with worked examples. The best prompt "
            "is the figure that training has to beat. It takes about a minute."
        ),
        "decide again, with figures",
        action="start measuring",
        during=_says(
            "A process of its own asks the model each request three times and stores every answer. "
            "It would go on if this window were closed. Some requests can be served by no tool: "
            "there, the right answer is words."
        ),
        after=_measured_base,
        work=Work(
            start=lambda journey: start_base_measurement(_demo_config(journey)),
            existing=lambda journey: journey.baseline_dir,
            started=_baseline_started,
            look=_look_at_evaluation,
            ended=_baseline_ended,
        ),
    ),
    Stop(
        "decide",
        "The same questions, with a measurement",
        _says(
            "The advice has changed, because it now rests on counts and quotes them: the best "
            "prompt leaves consistent failures, so training has something to teach. Had the best "
            "prompt reached 90%, it would say: do not train."
        ),
        "configure the run",
        arrive=_fill_answers,
    ),
    Stop(
        "configure",
        "A preset, explained",
        _says(
            "QLoRA: the base model is held in 4 bits and stays frozen; small adapter matrices "
            "beside each layer are trained. Each field says what it does and what happens when it "
            "is too high or too low. The estimate tells beforehand whether it fits, and the YAML "
            "holds all of it: `tuner train FILE` repeats the run."
        ),
        "go to training",
        arrive=_choose_preset,
    ),
    Stop(
        "train",
        "Train",
        _says(
            "Enter starts the run in a process of its own, so that closing this window or losing "
            "the connection costs nothing. On two CPU cores it takes about two minutes."
        ),
        "evaluate it",
        action="start the run",
        during=_says(
            "The loss says how surprised the model is by the right answers: it should fall fast "
            "and then flatten. The second curve is the loss on rows that are not trained on; where "
            "it rises while the first falls, the model learns by heart. Close the window if you "
            "like: `tuner watch last` comes back."
        ),
        after=_says(
            "The run is finished and its adapter is saved. A low loss is not yet a right tool "
            "call: that is measured next, on the requests that the base model failed at."
        ),
        work=Work(
            start=lambda journey: launch(_demo_config(journey)),
            existing=lambda journey: journey.run_dir,
            started=_run_started,
            look=_look_at_run,
            ended=_nothing,
        ),
    ),
    Stop(
        "evaluate",
        "The same requests again",
        _says(
            "Now the tuned model answers the same held-out requests, with the plain prompt. What "
            "the base model answered is taken over from before, so the two are compared item by "
            "item."
        ),
        "read the report",
        action="evaluate the tuned model",
        during=_says(
            "The base weights and the parser are the same as before; only the adapter is new. So a "
            "difference is the adapter's doing."
        ),
        after=_measured_tuned,
        work=Work(
            start=_start_tuned,
            existing=_tuned_place,
            started=_nothing,
            look=_look_at_evaluation,
            ended=_nothing,
        ),
    ),
    Stop("report", "What it brought", _conclusion, "end the tour"),
)
