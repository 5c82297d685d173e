"""What several ways of asking one model reach on the same items -> a recommendation with figures. Pure.

What a grammar can rule out is form; constrained decoding mends that without training. Whether to call, which
tool and which values is meaning: training is credited with that only.
"""

from collections.abc import Callable

from tuner_tui.decide.baseline import ENOUGH
from tuner_tui.decide.evidence import Evidence
from tuner_tui.decide.figures import credit, figures, gain, named, the_prompt
from tuner_tui.decide.methods import Method, choose_method
from tuner_tui.decide.recommendation import Alternative, Recommendation

ENOUGH_ROWS = 100
"""Training rows below which there is too little to learn from (as in the questionnaire)."""

_REWARDED = (0.2, ENOUGH)
"""Shares of right answers between which a reward teaches: below nothing is rewarded, above little is left."""

_FAILURES = {
    "wrong_tool": "wrong_tool",
    "wrong_count": "wrong_tool",
    "missing_call": "wrong_tool",
    "invented_tool": "format",
    "unparsable_call": "format",
    "needless_call": "needless_calls",
    "missing_argument": "wrong_arguments",
    "unknown_argument": "wrong_arguments",
    "wrong_type": "wrong_arguments",
    "wrong_value": "wrong_arguments",
}


def recommend_measured(evidence: Evidence) -> Recommendation:
    """The first of `MEASURED_RULES` that has something to say decides."""
    return next(found for rule in MEASURED_RULES if (found := rule(evidence)) is not None)


def tuning_paid(now: Evidence) -> Recommendation | None:
    """There is a tuned model, and it beats what needs no training."""
    if now.tuned is None or now.gain is None or now.gain["interval"][0] <= 0:
        return None
    reasons = [gain(now), *figures(now, now.tuned)]
    steps = ["Serve it with constrained decoding if the rate without it is not enough: it costs nothing."]
    alternatives = [Alternative("lora", "once more, with rows for the errors that are left.")]
    low, high = _REWARDED
    if low <= now.tuned.right.rate < high and now.tuned.meaning > now.tuned.form:
        reasons.append(
            f"{now.tuned.meaning} items are still wrong in meaning, and a program can tell right calls from "
            "wrong ones: a reward can go on from here."
        )
        alternatives.insert(
            0, Alternative("grpo", "from this adapter on, with the calls' own check as reward.")
        )
    return Recommendation(
        verdict="tune",
        technique="lora",
        headline="Training pays: use the tuned model.",
        reasons=reasons,
        first_steps=steps,
        preset="grpo" if alternatives[0].technique == "grpo" else None,
        alternatives=alternatives,
        rule="tuning_paid",
    )


def tuning_did_not_pay(now: Evidence) -> Recommendation | None:
    """There is a tuned model, and it is not shown to be better than what needs no training."""
    if now.tuned is None or now.gain is None:
        return None
    best = now.untrained
    assert best is not None
    worse = now.gain["interval"][1] < 0
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Do not use the tuned model: it is worse than what needs no training."
        if worse
        else "No evidence that the tuned model is better than what needs no training.",
        reasons=[gain(now), *figures(now, now.tuned)],
        first_steps=[
            f"Use {named(best)}, or measure more items before you decide.",
            "Look at the changed items of the report: they say what the training rows lack.",
        ],
        preset=None,
        alternatives=[Alternative("lora", "again, with more rows for the errors that are left.")],
        rule="tuning_did_not_pay",
    )


def prompt_is_enough(now: Evidence) -> Recommendation | None:
    """The best fixed prompt is right often enough."""
    best = now.prompt
    if best is None or not best.enough:
        return None
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Do not train: a prompt is enough.",
        reasons=[*figures(now, best), "What is left to gain is smaller than what a training run costs."],
        first_steps=[
            f"Put {named(best)} into use, under version control.",
            "Keep the items, and measure again whenever the prompt or the model changes.",
        ],
        preset=None,
        alternatives=[Alternative("lora", "if the long prompt makes each request too slow or too dear.")],
        rule="prompt_is_enough",
    )


def constraint_is_enough(now: Evidence) -> Recommendation | None:
    """Constrained decoding closes the gap: the failures were of form."""
    best = now.constrained
    if best is None or not best.enough or best.retrieved:
        return None
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Do not train: constrain the output.",
        reasons=[
            *figures(now, best),
            "Tools and values are right often enough once the form is: training would only teach the form.",
        ],
        first_steps=[
            f"Use {named(best)}: switch on structured output or strict tool calling in your server, with "
            "the schemas of your tools.",
            "Leave the model a way to answer in words.",
        ],
        preset=None,
        alternatives=[Alternative("lora", "if your server cannot constrain the output.")],
        rule="constraint_is_enough",
    )


def retrieval_is_enough(now: Evidence) -> Recommendation | None:
    """Like rows in the prompt close the gap, or the answers need facts that change."""
    best = now.best(lambda each: each.retrieved and each.enough and not each.tuned)
    fresh = "fresh" in now.answers.get("knowledge", ())
    if best is None and not fresh:
        return None
    reasons = figures(now, best or the_prompt(now))
    if best is None:
        reasons.append("Answers need facts that change each week; weights hold what they were in training.")
    return Recommendation(
        verdict="retrieve",
        technique="rag",
        headline="Do not train: retrieve examples for each request."
        if best
        else "Add retrieval for the facts before you train.",
        reasons=reasons,
        first_steps=[
            f"Use {named(best)}: an index over your rows, and the most alike in the prompt."
            if best
            else "Put the right passage into the prompt by hand, and measure: the best that retrieval can "
            "reach.",
            "Count how often the search finds what is needed.",
        ],
        preset=None,
        alternatives=[Alternative("lora", "if the longer prompt makes each request too slow or too dear.")],
        rule="retrieval_is_enough",
    )


def constrain_first(now: Evidence) -> Recommendation | None:
    """Nearly all that fails is form, and constrained decoding was not measured."""
    best = the_prompt(now)
    wrong = best.right.total - best.right.count
    if now.constrained is not None or not wrong or best.form / wrong < ENOUGH:
        return None
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Constrain the output and measure again before you train.",
        reasons=[
            *figures(now, best),
            "Nearly all that fails is form, which a grammar mends without training.",
        ],
        first_steps=["Measure with the arm constrained: pip install 'tuner-tui[constrain]'."],
        preset=None,
        alternatives=[Alternative("lora", "if wrong tools or values show behind the form.")],
        rule="constrain_first",
    )


def collect_data(now: Evidence) -> Recommendation | None:
    """Failures of meaning remain, and there is too little to learn from."""
    if now.rows is not None and now.rows >= ENOUGH_ROWS:
        return None
    had = "No training rows were named (--train FILE)" if now.rows is None else f"There are {now.rows} rows"
    return Recommendation(
        verdict="collect",
        technique="prompt",
        headline="Tuning looks right, but collect examples first.",
        reasons=[*figures(now, the_prompt(now)), *credit(now), f"{had}; {ENOUGH_ROWS} are the least."],
        first_steps=[
            "Collect real requests with the answers that you would sign, most of them for the error types "
            "above: 300 rows for a fixed set of tools, 1,000 or more for varied behaviour.",
            "At least one row in five is a request that no tool serves. Never train on these items.",
        ],
        preset=None,
        alternatives=[Alternative("prompt", "in the meantime, with your best rows as examples.")],
        rule="collect_data",
    )


def tune(now: Evidence) -> Recommendation:
    """Failures of meaning remain that no prompt and no grammar mends, and there are rows to learn from."""
    best = the_prompt(now)
    share = FEW_SHARE * best.right.total
    failures = frozenset(_FAILURES[e] for e, n in best.errors.items() if e in _FAILURES and n > share)
    method: Method = choose_method(now.answers, failures)
    return Recommendation(
        verdict="tune",
        technique=method.technique,
        headline=method.headline,
        reasons=[*figures(now, best), *credit(now), *method.reasons],
        first_steps=[
            f"Train on the {now.rows:,} rows; `tuner inspect FILE --model MODEL` first, and mend every "
            "error.",
            *method.steps,
            "Measure the run on the same items: `tuner decide --measure RUN FILE` sets it against the best "
            "that needs no training.",
        ],
        preset=method.preset,
        alternatives=[Alternative(id, reason) for id, reason in method.alternatives],
        rule="tune",
    )


FEW_SHARE = 0.05
"""Of all items: an error that is rarer is no pattern."""

MEASURED_RULES: tuple[Callable[[Evidence], Recommendation | None], ...] = (
    tuning_paid,
    tuning_did_not_pay,
    prompt_is_enough,
    constraint_is_enough,
    retrieval_is_enough,
    constrain_first,
    collect_data,
    tune,
)
