"""Ship it, do not ship, or collect more data: one sentence, and the rule that it follows from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuner_tui.decide.rules import ENOUGH
from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.evaluation.shapes import Summary
from tuner_tui.report.text import percent
from tuner_tui.runs.layout import RunState, Status

SIGNIFICANT = 0.05

GOOD_JUDGE, POOR_JUDGE = 0.8, 0.6
"""Accuracy of a reward model on held-out pairs from which others can learn from it, and below which not."""

TITLES = {
    "use_it": "Good enough to train with",
    "do_not_use": "Do not train with it",
    "ship": "Ship it",
    "do_not_ship": "Do not ship",
    "collect_data": "Collect more data",
    "not_evaluated": "Not evaluated yet",
    "not_finished": "Not finished yet",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`decision` is a key of TITLES; `sentence` says why, `rule` how it was decided."""

    decision: str
    sentence: str
    rule: str

    @property
    def title(self) -> str:
        return TITLES[self.decision]


def decide(status: Status, summary: Summary | None) -> Verdict:
    """The verdict on a run, from its state and its evaluation."""
    if (unfinished := _unfinished(status)) is not None:
        return unfinished
    if summary is None or "tuned" not in summary["arms"]:
        return Verdict(
            "not_evaluated",
            "The tuned model has not been measured: run `tuner eval` on this run.",
            "A verdict needs the same items answered by base and tuned model.",
        )
    if not summary["comparison_best"]:
        return Verdict(
            "not_evaluated",
            "The base model has not been measured, so nobody knows what training has changed.",
            "A verdict needs the same items answered by base and tuned model.",
        )
    return _compared(summary)


def decide_reward(status: Status, accuracy: Mapping[str, Any] | None) -> Verdict:
    """The verdict on a reward model, which answers nothing that could be evaluated.

    Args:
        accuracy: on held-out pairs, a rate with its interval; None when no pairs were held out.
    """
    if (unfinished := _unfinished(status)) is not None:
        return unfinished
    if accuracy is None:
        return Verdict(
            "collect_data",
            "No pairs were held out, so nobody knows how well it judges; set data.eval_fraction.",
            "A verdict on a reward model needs pairs that it was not trained on.",
        )
    share = accuracy["rate"] or 0.0
    low, high = accuracy["interval"]
    said = (
        f"It gives the better answer the higher score in {accuracy['count']} of {accuracy['total']} held-out "
        f"pairs ({share:.0%} [{100 * low:.0f}–{100 * high:.0f}])"
    )
    if share < POOR_JUDGE:
        return Verdict(
            "do_not_use",
            f"{said}, where one half is chance: what learns from it learns noise. Look at the pairs first.",
            f"Accuracy on held-out pairs below {POOR_JUDGE:.0%}.",
        )
    if share < GOOD_JUDGE:
        return Verdict(
            "collect_data",
            f"{said}: better than chance, and not good enough. More pairs, or more careful ones, would help.",
            f"Accuracy on held-out pairs below {GOOD_JUDGE:.0%}.",
        )
    return Verdict(
        "use_it",
        f"{said}: ppo.reward_model can name this run.",
        f"Accuracy on held-out pairs of at least {GOOD_JUDGE:.0%}.",
    )


def _unfinished(status: Status) -> Verdict | None:
    if status.state in (RunState.FAILED, RunState.LOST):
        return Verdict(
            "do_not_ship",
            f"The run {'failed' if status.state is RunState.FAILED else 'was lost'}: "
            f"{status.reason or 'its process has gone'}".rstrip(".")
            + ".",
            "A run that did not finish has nothing to ship.",
        )
    if status.state.live:
        return Verdict(
            "not_finished",
            f"The run is {status.state} at step {status.step} of {status.total}.",
            "A verdict needs a finished run and its evaluation.",
        )
    return None


def _compared(summary: Summary) -> Verdict:
    tuned, best = summary["arms"]["tuned"], summary["best_prompt"] or "base"
    change = summary["comparison_best"]["full_match"]
    right, before = tuned["full_match"], summary["arms"][best]["full_match"]
    figures = f"{percent(right)} of calls exactly right, against {percent(before)} with the best prompt"
    prompt = ARM_TITLES[best].lower()
    if change["p_value"] < SIGNIFICANT and change["delta"] < 0:
        return Verdict(
            "do_not_ship",
            f"Training made it worse: {figures} ({prompt}).",
            f"Fewer right calls than the best prompt, p < {SIGNIFICANT}.",
        )
    kept = tuned["no_call"]
    if kept["rate"] is not None and kept["rate"] < ENOUGH:
        was = summary["arms"][best]["no_call"]
        return Verdict(
            "do_not_ship",
            f"It calls tools where none serves: {percent(kept)} of such requests are kept without a call, "
            f"against {percent(was)} before. Add examples without a call to the training data.",
            f"Fewer than {ENOUGH:.0%} of the requests that no tool serves are kept without a call.",
        )
    if change["p_value"] >= SIGNIFICANT and (before["rate"] or 0.0) >= ENOUGH:
        return Verdict(
            "do_not_ship",
            f"A prompt is enough: {figures} ({prompt}). The adapter adds nothing that was measured.",
            f"The best prompt reaches {ENOUGH:.0%}, and the difference from it is not significant (exact "
            "McNemar, "
            f"p ≥ {SIGNIFICANT}).",
        )
    if change["p_value"] >= SIGNIFICANT:
        return Verdict(
            "collect_data",
            f"No evidence of a gain: {figures} ({prompt}; p = {change['p_value']:.2g}, "
            f"{change['pairs']} items). More held-out items may show one; more training rows may make one.",
            f"The difference from the best prompt is not significant (exact McNemar, p ≥ {SIGNIFICANT}).",
        )
    if (right["rate"] or 0.0) < ENOUGH:
        return Verdict(
            "collect_data",
            f"Better, and not good enough: {figures} ({prompt}). Collect rows of the kinds that still fail.",
            f"A significant gain, but fewer than {ENOUGH:.0%} of calls exactly right.",
        )
    return Verdict(
        "ship",
        f"The tuned model gets {figures} ({prompt}).",
        f"At least {ENOUGH:.0%} of calls exactly right and of unanswerable requests kept without a call, "
        f"and more right calls than the best prompt, p < {SIGNIFICANT}.",
    )
