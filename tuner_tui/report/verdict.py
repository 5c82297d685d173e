"""Ship it, do not ship, or collect more data: why, by which rule, and what to do next. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner_tui.decide.baseline import ENOUGH
from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.report.claims import SIGNIFICANT
from tuner_tui.report.suites import overlapping, primary_suite, row_of
from tuner_tui.report.text import percent, within
from tuner_tui.runs.layout import RunState, Status

Suite = Mapping[str, Any]

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
_KEEP = "Keep what you run today."
_MEND = "Look at the broken items, mend the rows that teach them, and train again."


@dataclass(frozen=True, slots=True)
class Verdict:
    """`decision` is a key of TITLES; `sentence` says why, `rule` how that was decided, `next` what to do."""

    decision: str
    sentence: str
    rule: str
    next: str

    @property
    def title(self) -> str:
        return TITLES[self.decision]


def decide(run_id: str, status: Status, suites: Sequence[Suite]) -> Verdict:
    """The verdict on a run, from its state and the sections of its suites (`suites.read_suites`)."""
    if (unfinished := _unfinished(run_id, status)) is not None:
        return unfinished
    needs = "A verdict needs the same items answered by base and tuned model."
    evaluate = f"`tuner eval {run_id}` measures both."
    first = primary_suite(suites)
    if first is None or "tuned" not in first["arms"]:
        return Verdict("not_evaluated", "The tuned model has not been measured.", needs, evaluate)
    if first["claim"] is None:
        return Verdict(
            "not_evaluated",
            "The base model has not been measured, so nobody knows what training has changed.",
            needs,
            evaluate,
        )
    found = _compared(run_id, first)
    if found.decision == "do_not_ship":
        return found
    return _blocked(first, suites, found) or _with_what_was_kept(run_id, suites, found)


def decide_reward(run_id: str, status: Status, accuracy: Mapping[str, Any] | None) -> Verdict:
    """The verdict on a reward model, which answers nothing that could be evaluated.

    Args:
        accuracy: on held-out pairs, a rate with its interval; None when no pairs were held out.
    """
    if (unfinished := _unfinished(run_id, status)) is not None:
        return unfinished
    if accuracy is None:
        return Verdict(
            "collect_data",
            "No pairs were held out, so nobody knows how well it judges.",
            "A verdict on a reward model needs pairs that it was not trained on.",
            "Set data.eval_fraction, and train again.",
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
            f"{said}, where one half is chance: what learns from it learns noise.",
            f"Accuracy on held-out pairs below {POOR_JUDGE:.0%}.",
            "Look at the pairs first: `tuner prefer` judges them anew, blind.",
        )
    if share < GOOD_JUDGE:
        return Verdict(
            "collect_data",
            f"{said}: better than chance, and not good enough.",
            f"Accuracy on held-out pairs below {GOOD_JUDGE:.0%}.",
            "Collect more pairs, or more careful ones: `tuner prefer`.",
        )
    return Verdict(
        "use_it",
        f"{said}.",
        f"Accuracy on held-out pairs of at least {GOOD_JUDGE:.0%}.",
        f"Train against it: ppo.reward_model: {run_id}.",
    )


def _unfinished(run_id: str, status: Status) -> Verdict | None:
    if status.state in (RunState.FAILED, RunState.LOST):
        return Verdict(
            "do_not_ship",
            f"The run {'failed' if status.state is RunState.FAILED else 'was lost'}: "
            f"{status.reason or 'its process has gone'}".rstrip(".")
            + ".",
            "A run that did not finish has nothing to ship.",
            f"Read the end of its train.log; `tuner resume {run_id}` goes on from the last checkpoint.",
        )
    if status.state.live:
        return Verdict(
            "not_finished",
            f"The run is {status.state} at step {status.step} of {status.total}.",
            "A verdict needs a finished run and its evaluation.",
            f"`tuner watch {run_id}` shows how far it is.",
        )
    return None


def _compared(run_id: str, suite: Suite) -> Verdict:
    """What the suite that counts most says by itself."""
    row, claim, best = row_of(suite), suite["claim"], suite["best_prompt"] or "base"
    change = row["change_best"] or row["change"]
    right, before = row["tuned"], row["best"] or row["base"]
    of = "of calls exactly right" if row["name"] == "full_match" else f"({within(row['title'])})"
    prompt = ARM_TITLES[best].lower()
    figures = (
        f"{_measured_on(suite)}: {percent(right)} {of}, against {percent(before)} with the best prompt "
        f"({prompt})"
    )
    holm = f", after Holm over {claim['family']} suites" if claim["family"] > 1 else ""
    if claim["state"] == "worse":
        return Verdict(
            "do_not_ship",
            f"Training made it worse. {figures}.",
            f"Fewer right than with the best prompt, p < {SIGNIFICANT}{holm}.",
            f"{_KEEP} {_MEND}",
        )
    kept = next((each for each in suite["rows"] if each["name"] == "no_call"), None)
    if kept and kept["tuned"] and kept["tuned"]["rate"] is not None and kept["tuned"]["rate"] < ENOUGH:
        was = kept["best"] or kept["base"]
        return Verdict(
            "do_not_ship",
            f"It calls tools where none serves: {percent(kept['tuned'])} of such requests are kept without a "
            f"call, against {percent(was)} before.",
            f"Fewer than {ENOUGH:.0%} of the requests that no tool serves are kept without a call.",
            f"{_KEEP} Add rows without a call to the training data, and train again.",
        )
    if claim["state"] == "no_evidence" and (before["rate"] or 0.0) >= ENOUGH:
        return Verdict(
            "do_not_ship",
            f"A prompt is enough. {figures}. The adapter adds nothing that was measured.",
            f"The best prompt reaches {ENOUGH:.0%}, and the difference from it is not significant (exact "
            f"McNemar, p ≥ {SIGNIFICANT}{holm}).",
            f"Run the base model with that prompt ({prompt}).",
        )
    if claim["state"] == "no_evidence":
        return Verdict(
            "collect_data",
            f"No evidence of a gain. {figures}; p = {claim['p_holm']:.2g}, {change['pairs']} items compared.",
            f"The difference from the best prompt is not significant (exact McNemar, p ≥ {SIGNIFICANT}"
            f"{holm}).",
            "More held-out items may show a gain; more training rows of the kinds that fail may make one.",
        )
    if (right["rate"] or 0.0) < ENOUGH:
        return Verdict(
            "collect_data",
            f"Better, and not good enough. {figures}.",
            f"A significant gain, but fewer than {ENOUGH:.0%} right.",
            "Collect rows of the kinds that still fail, and train again.",
        )
    return Verdict(
        "ship",
        f"{figures}.",
        f"At least {ENOUGH:.0%} right and of unanswerable requests kept without a call, and more right than "
        f"with the best prompt, p < {SIGNIFICANT}{holm}.",
        f"`tuner export {run_id} --adapter FOLDER` copies the adapter with its model card.",
    )


def _measured_on(suite: Suite) -> str:
    """What a gain was measured on, and whether training has seen it: said before the gain."""
    on = f"{suite['title']}, {suite['items']:,} items"
    if suite["overlap"] is None:
        return f"{on} (whether they are in the training data was not checked)"
    return f"{on}, {overlapping(suite) or 'none'} of them in the training data"


def _blocked(first: Suite, suites: Sequence[Suite], found: Verdict) -> Verdict | None:
    """What another suite, general ability or the training data says against a gain."""
    for suite in suites:
        if suite["claim"] and suite["claim"]["state"] == "worse":
            return Verdict(
                "do_not_ship",
                f"It became worse on {suite['title']}. {suite['claim']['sentence']}",
                f"No suite may lose against the best prompt (p < {SIGNIFICANT}, Holm over all suites).",
                f"{_KEEP} {_MEND}",
            )
    figures = [each for suite in suites for each in suite.get("kept") or ()]
    lost = [each for each in figures if each["state"] == "lost"]
    if lost:
        gained = f" It gained elsewhere. {found.sentence}" if found.decision == "ship" else ""
        return Verdict(
            "do_not_ship",
            f"It lost general ability. {lost[0]['sentence']}{gained}",
            "No figure of general ability may fall beyond its margin.",
            f"{_KEEP} Mix general conversation into the training data (`tuner mix --general`), or train for "
            "fewer steps.",
        )
    if first["claim"]["state"] == "better" and not first["claim"]["stands"]:
        both = overlapping(first)
        return Verdict(
            "collect_data",
            f"{both} of {first['overlap']['items']} items are in the training data too, so the gain on "
            f"{first['title']} may be memory.",
            "A gain counts only if it stands when every overlapping item is taken from the fixed ones.",
            "Measure on rows that were not trained on: `tuner split` keeps alike rows on one side.",
        )
    unclear = [each for each in figures if each["state"] == "undecided"]
    if unclear and found.decision == "ship":
        return Verdict(
            "collect_data",
            f"{found.sentence} But whether it kept its general ability is not known. "
            + str(unclear[0]["sentence"]),
            "Every figure of general ability has to be shown to lie within its margin (non-inferiority).",
            "Measure more items of general ability: `tuner eval --suite general --data FILE` takes your own.",
        )
    return None


def _with_what_was_kept(run_id: str, suites: Sequence[Suite], found: Verdict) -> Verdict:
    if found.decision != "ship":
        return found
    if any(suite.get("kept") for suite in suites):
        return Verdict(found.decision, f"{found.sentence} General ability is kept.", found.rule, found.next)
    return Verdict(
        found.decision,
        f"{found.sentence} Whether it kept its general ability was not measured.",
        found.rule,
        f"`tuner eval {run_id} --suite general` asks what was lost. Then {found.next}",
    )
