"""Ship it, do not ship, or collect more data: one sentence, and the rule that it follows from. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner_tui.decide.baseline import ENOUGH
from tuner_tui.evaluation.arms import ARM_TITLES
from tuner_tui.report.claims import SIGNIFICANT, survives_overlap
from tuner_tui.report.suites import primary_suite, row_of
from tuner_tui.report.text import percent
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """`decision` is a key of TITLES; `sentence` says why, `rule` how it was decided."""

    decision: str
    sentence: str
    rule: str

    @property
    def title(self) -> str:
        return TITLES[self.decision]


def decide(status: Status, suites: Sequence[Suite]) -> Verdict:
    """The verdict on a run, from its state and the sections of its suites (`suites.read_suites`)."""
    if (unfinished := _unfinished(status)) is not None:
        return unfinished
    needs = "A verdict needs the same items answered by base and tuned model."
    first = primary_suite(suites)
    if first is None or "tuned" not in first["arms"]:
        return Verdict(
            "not_evaluated", "The tuned model has not been measured: run `tuner eval` on this run.", needs
        )
    if first["claim"] is None:
        return Verdict(
            "not_evaluated",
            "The base model has not been measured, so nobody knows what training has changed.",
            needs,
        )
    found = _compared(first)
    if found.decision == "do_not_ship":
        return found
    return _blocked(first, suites, found) or _with_what_was_kept(suites, found)


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


def _compared(suite: Suite) -> Verdict:
    """What the suite that counts most says by itself."""
    row, claim, best = row_of(suite), suite["claim"], suite["best_prompt"] or "base"
    change = row["change_best"] or row["change"]
    right, before = row["tuned"], row["best"] or row["base"]
    what = (
        "calls exactly right" if row["name"] == "full_match" else f"{suite['title']}: {row['title'].lower()}"
    )
    of = f"of {what}" if row["name"] == "full_match" else f"({what})"
    figures = f"{percent(right)} {of}, against {percent(before)} with the best prompt"
    prompt = ARM_TITLES[best].lower()
    p = claim["p_holm"]
    holm = f", after Holm over {claim['family']} suites" if claim["family"] > 1 else ""
    if claim["state"] == "worse":
        return Verdict(
            "do_not_ship",
            f"Training made it worse: {figures} ({prompt}).",
            f"Fewer right calls than the best prompt, p < {SIGNIFICANT}{holm}.",
        )
    kept = next((each for each in suite["rows"] if each["name"] == "no_call"), None)
    if kept and kept["tuned"] and kept["tuned"]["rate"] is not None and kept["tuned"]["rate"] < ENOUGH:
        was = kept["best"] or kept["base"]
        return Verdict(
            "do_not_ship",
            f"It calls tools where none serves: {percent(kept['tuned'])} of such requests are kept without a "
            f"call, against {percent(was)} before. Add examples without a call to the training data.",
            f"Fewer than {ENOUGH:.0%} of the requests that no tool serves are kept without a call.",
        )
    if claim["state"] == "no_evidence" and (before["rate"] or 0.0) >= ENOUGH:
        return Verdict(
            "do_not_ship",
            f"A prompt is enough: {figures} ({prompt}). The adapter adds nothing that was measured.",
            f"The best prompt reaches {ENOUGH:.0%}, and the difference from it is not significant (exact "
            f"McNemar, p ≥ {SIGNIFICANT}{holm}).",
        )
    if claim["state"] == "no_evidence":
        return Verdict(
            "collect_data",
            f"No evidence of a gain: {figures} ({prompt}; p = {p:.2g}, "
            f"{change['pairs']} items). More held-out items may show one; more training rows may make one.",
            f"The difference from the best prompt is not significant (exact McNemar, p ≥ {SIGNIFICANT}"
            f"{holm}).",
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
        f"and more right calls than the best prompt, p < {SIGNIFICANT}{holm}.",
    )


def _blocked(first: Suite, suites: Sequence[Suite], found: Verdict) -> Verdict | None:
    """What another suite, general ability or the training data says against a gain."""
    for suite in suites:
        if suite["claim"] and suite["claim"]["state"] == "worse":
            return Verdict(
                "do_not_ship",
                f"It became worse on {suite['title']}. {suite['claim']['sentence']}",
                f"No suite may lose against the best prompt (p < {SIGNIFICANT}, Holm over all suites).",
            )
    figures = [each for suite in suites for each in suite.get("kept") or ()]
    lost = [each for each in figures if each["state"] == "lost"]
    if lost:
        return Verdict(
            "do_not_ship",
            f"It lost general ability. {lost[0]['sentence']}",
            "No figure of general ability may fall beyond its margin.",
        )
    if found.decision != "ship":
        return None
    overlap = first["overlap"]
    both = (int(overlap.get("exact") or 0) + int(overlap.get("near") or 0)) if overlap else 0
    row = row_of(first)
    if both and not survives_overlap(row["change_best"] or row["change"], both):
        return Verdict(
            "collect_data",
            f"{both} of {overlap['items']} items are in the training data too, so the gain may be memory. "
            "Measure on rows that were not trained on.",
            "A gain counts only if it stands when every overlapping item is taken from the fixed ones.",
        )
    unclear = [each for each in figures if each["state"] == "undecided"]
    if unclear:
        return Verdict(
            "collect_data",
            f"{found.sentence} But whether it kept its general ability is not known. "
            + str(unclear[0]["sentence"]),
            "Every figure of general ability has to be shown to lie within its margin (non-inferiority).",
        )
    return None


def _with_what_was_kept(suites: Sequence[Suite], found: Verdict) -> Verdict:
    if found.decision != "ship":
        return found
    kept = any(suite.get("kept") for suite in suites)
    said = "General ability is kept." if kept else "Whether it kept its general ability was not measured."
    return Verdict(found.decision, f"{found.sentence} {said}", found.rule)
