"""Answers and, where there is one, a measured baseline -> a recommendation with its reasons. Pure.

The rule of thumb: prompt first; tune when an evaluation still shows consistent failures. The rules
are asked in the order of `RULES`, and the first that has something to say decides.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tuner_tui.decide.baseline import ENOUGH, few_items, read_baseline
from tuner_tui.decide.evidence import read_evidence
from tuner_tui.decide.methods import Method, choose_method
from tuner_tui.decide.questions import Answers, check_answers
from tuner_tui.decide.recommendation import Alternative, Recommendation, Situation
from tuner_tui.decide.without_training import (
    constrain_the_format,
    facts_come_from_retrieval,
    no_training_is_enough,
    nothing_fails,
    prompt_first,
    prompt_is_enough,
)


def recommend(answers: Answers, baseline: Mapping[str, Any] | None = None) -> Recommendation:
    """The recommendation for these answers.

    `answers` maps question ids to an option id, or to a list of them; every question may be left
    open. `baseline` is the content of an evaluation's `summary.json`: its prompt arms (base,
    instruction, examples) are quoted, and outweigh what the person believes about failures. Raises
    UserError for unknown answers.
    """
    situation = Situation(
        check_answers(answers),
        read_baseline(baseline) if baseline else None,
        read_evidence({"arms": baseline.get("arms", baseline)}) if baseline else None,
    )
    return next(found for rule in RULES if (found := rule(situation)) is not None)


def measure_first(now: Situation) -> Recommendation | None:
    """Prompts were tried with care, but nobody has counted what fails."""
    if now.baseline is not None or now.failures or now.one("goal") == "smaller_model":
        return None
    return Recommendation(
        verdict="measure",
        technique="prompt",
        headline="Count the failures before you decide.",
        reasons=[
            "You have good prompts, but no counts. Impressions favour the failures that annoy.",
            "What to do depends on the kind: a broken format, a wrong tool and a missing fact "
            "have different cures.",
        ],
        first_steps=[
            "Measure your prompts on held-out cases: `tuner eval MODEL --data FILE`.",
            "Read the error types, and answer these questions again.",
        ],
        preset=None,
        alternatives=[Alternative("qlora", "if the best prompt is right in fewer than 90% of cases.")],
        rule="measure_first",
    )


def collect_data(now: Situation) -> Recommendation | None:
    """Training would be right, but there is too little to learn from."""
    rows = now.one("rows")
    if rows not in ("none", "few") or now.one("preferences") == "stream":
        return None
    steps = [
        "Collect real requests from logs, and write or correct the answers; two people should agree on them.",
        "Aim at 300 rows for a fixed set of tools, 1,000 or more for varied behaviour; "
        "at least one row in five is a request that no tool serves.",
        "Hold 50 to 100 back for evaluation, and never train on them. `tuner inspect FILE` checks the rest.",
    ]
    if now.one("goal") == "smaller_model":
        steps[0] = "Let the large model answer real requests, and keep only the answers that pass a check."
    return Recommendation(
        verdict="collect",
        technique="prompt",
        headline="Tuning looks right, but collect examples first.",
        reasons=[
            *_evidence(now),
            "You have no examples yet."
            if rows == "none"
            else "Up to 100 examples teach a few tools at best, and leave none to measure with.",
        ],
        first_steps=steps,
        preset=None,
        alternatives=[
            Alternative("prompt", "in the meantime, with your best examples inside the prompt."),
            Alternative("qlora", "as a trial on what you have: it shows whether more rows will help."),
        ],
        rule="collect_data",
    )


def tune(now: Situation) -> Recommendation:
    """Consistent failures remain, or a smaller model has to be taught: fine-tune, with the method that
    fits."""
    method: Method = choose_method(now.answers, now.failures)
    reasons = [*_evidence(now), *method.reasons]
    alternatives = [Alternative(id, reason) for id, reason in method.alternatives]
    if now.one("knowledge") == "fresh" or "facts" in now.failures:
        reasons.append("Training will not bring in missing or changing facts: add retrieval for those.")
        alternatives.append(Alternative("rag", "beside the tuned model, for the facts."))
    return Recommendation(
        verdict="tune",
        technique=method.technique,
        headline=method.headline,
        reasons=reasons,
        first_steps=[
            "Inspect the data and mend every error: `tuner inspect FILE --model MODEL`.",
            "Hold 50 to 100 cases back for evaluation, some that no tool serves.",
            *method.steps,
            "Compare the base model with the best prompt and the tuned model on the same cases: "
            "`tuner report RUN`.",
        ],
        preset=method.preset,
        alternatives=alternatives,
        rule="tune",
    )


RULES: tuple[Callable[[Situation], Recommendation | None], ...] = (
    prompt_is_enough,
    no_training_is_enough,
    nothing_fails,
    facts_come_from_retrieval,
    prompt_first,
    measure_first,
    constrain_the_format,
    collect_data,
    tune,
)


def _evidence(now: Situation) -> list[str]:
    """What says that training is worth its price."""
    base = now.baseline
    if base is None:
        if now.one("goal") == "smaller_model":
            return [
                "A smaller model can take over a narrow task from a large one: it learns from its answers."
            ]
        return ["Good prompts leave consistent failures, by your own account: measure them before you train."]
    evidence = [f"The best prompt ({base.prompt}) gets {base.full_match} of calls right."]
    if base.full_match.rate < ENOUGH:
        evidence.append("Consistent failures remain, so training has something to teach.")
    if base.no_call is not None and base.no_call.rate < ENOUGH:
        evidence.append(f"It keeps only {base.no_call} of the requests that no tool serves without a call.")
    return evidence + few_items(base)
