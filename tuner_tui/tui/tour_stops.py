"""The story of the guided demo: its stops, what each says, and what each prepares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tuner_tui.decide.rules import recommend
from tuner_tui.demo import ANSWERS, describe_rate
from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.evaluation.layout import heldout_dir
from tuner_tui.evaluation.progress import load_summary
from tuner_tui.training.presets import load_preset
from tuner_tui.tui.journey import Journey
from tuner_tui.tui.tour_work import BASELINE, EVALUATION, TRAINING, Work

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


def _measured_base(journey: Journey) -> str:
    arms = journey.baseline or {}
    told = "; ".join(f"{ARM_TITLES[arm]}: {_share(arms, arm)}" for arm in ARM_TITLES if arm in arms)
    enough = recommend(ANSWERS, arms).rule == "prompt_is_enough"
    total = arms.get("base", {}).get("full_match", {}).get("total", 0)
    return (
        f"Calls exactly right: {told}. Each rate has its 95% interval beside it, because {total} requests "
        "are a sample. The prompt makes the difference here, and the best one "
        + (
            "leaves little to gain."
            if enough
            else "still leaves calls wrong: that is something to decide on."
        )
    )


def _decided_again(journey: Journey) -> str:
    enough = recommend(ANSWERS, journey.baseline or {}).rule == "prompt_is_enough"
    if enough:
        return (
            "The advice now rests on counts and quotes them: a prompt is enough, so do not train. The tour "
            "goes on all the same, to show how training is done and measured."
        )
    return (
        "The advice now rests on counts and quotes them: the best prompt leaves consistent failures, so "
        "training has something to teach. Had the best prompt reached 90%, it would say: do not train."
    )


def _measured_tuned(journey: Journey) -> str:
    arms = _arms(journey)
    tuned = arms.get("tuned", {})
    return (
        f"With the plain prompt, the tuned model gets {describe_rate(tuned.get('full_match'))} "
        f"calls exactly right, and keeps {describe_rate(tuned.get('no_call'))} of the requests that "
        "no tool serves in words. The key ] leads to the answers that changed, side by side."
    )


def _conclusion(journey: Journey) -> str:
    arms = _arms(journey)
    figures = ", ".join(f"{ARM_TITLES[arm].lower()} {_share(arms, arm)}" for arm in ARM_TITLES if arm in arms)
    return (
        f"Calls right: {figures}. The verdict comes first, then what supports it, and how to repeat it. w "
        "writes the report beside the run, as Markdown and JSON. Your own data: press 2 and choose a file. "
        "To say yourself which of two answers is better, for dpo or a reward model: h, then p."
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
        work=BASELINE,
    ),
    Stop(
        "decide",
        "The same questions, with a measurement",
        _decided_again,
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
        work=TRAINING,
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
        work=EVALUATION,
    ),
    Stop("report", "What it brought", _conclusion, "end the tour"),
)
