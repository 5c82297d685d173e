"""Answers and, where there is one, a measured baseline -> a recommendation with its reasons. Pure.

The rule of thumb: prompt first; tune when an evaluation still shows consistent failures. The rules
are asked in the order of `RULES`, and the first that has something to say decides.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tuner_tui.decide.baseline import ENOUGH, FEW_ITEMS, Baseline, read_baseline
from tuner_tui.decide.evidence import read_evidence
from tuner_tui.decide.measured import constraint_is_enough, retrieval_is_enough
from tuner_tui.decide.methods import Method, choose_method
from tuner_tui.decide.questions import Answers, check_answers
from tuner_tui.decide.recommendation import Alternative, Recommendation, Situation


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


def prompt_is_enough(now: Situation) -> Recommendation | None:
    """Measured: the best prompt is right often enough, with calls and without."""
    base = now.baseline
    if base is None or base.full_match.rate < ENOUGH:
        return None
    if base.no_call is not None and base.no_call.rate < ENOUGH:
        return None
    reasons = [f"The best prompt ({base.prompt}) gets {base.full_match} of calls exactly right."]
    if base.no_call is not None:
        reasons.append(f"It keeps {base.no_call} of the requests that no tool serves without a call.")
    reasons.append(
        "What is left to gain is smaller than what a training run costs to make, check and maintain."
    )
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Do not train: a prompt is enough.",
        reasons=reasons + _few_items(base),
        first_steps=[
            "Put that prompt into use, and keep it under version control.",
            "Keep the held-out cases, and count again whenever the prompt or the model changes.",
            "Look at the failures that are left, one by one: some may be mended by a better tool "
            "description.",
        ],
        preset=None,
        alternatives=[Alternative("lora", "if the long prompt makes each request too slow or too dear.")],
        rule="prompt_is_enough",
    )


def no_training_is_enough(now: Situation) -> Recommendation | None:
    """Measured: constrained decoding or retrieved rows close the gap."""
    if now.evidence is None:
        return None
    return constraint_is_enough(now.evidence) or retrieval_is_enough(now.evidence)


def nothing_fails(now: Situation) -> Recommendation | None:
    """Not measured, but the person sees no failure that matters."""
    if now.baseline is not None or now.failures or "none" not in now.answers.get("failures", ()):
        return None
    if now.one("goal") == "smaller_model":
        return None
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Do not train: nothing that matters fails.",
        reasons=["You see no failure that matters, so there is nothing that training could mend."],
        first_steps=[
            "Write down 50 real requests with the answers you would sign, and count: it guards "
            "what works today.",
            "Come back when the counts show the same failure again and again.",
        ],
        preset=None,
        alternatives=[Alternative("lora", "if you want the same quality from a smaller, cheaper model.")],
        rule="nothing_fails",
    )


def facts_come_from_retrieval(now: Situation) -> Recommendation | None:
    """The answers need facts that change, or facts are all that is wrong."""
    if now.baseline is not None or not now.failures <= {"facts"}:
        return None
    fresh, only_facts = now.one("knowledge") == "fresh", now.failures == {"facts"}
    documents = now.one("goal") == "proprietary"
    if not (fresh or only_facts or documents):
        return None
    reasons = []
    if fresh:
        reasons.append("Your facts change each week; weights hold what they were at the time of training.")
    if only_facts:
        reasons.append(
            "Only facts are missing or outdated. Tuning teaches form and behaviour well, and facts badly."
        )
    if documents:
        reasons.append(
            "Retrieved text can be cited, updated, deleted and kept from people who may not see it."
        )
    return Recommendation(
        verdict="retrieve",
        technique="rag",
        headline="Retrieve the facts at the time of the request; do not train them in.",
        reasons=reasons,
        first_steps=[
            "Collect 50 questions, each with the passage that answers it.",
            "Put the right passage into the prompt by hand, and count: this is the best that "
            "retrieval can reach.",
            "Build the search, and count how often it finds that passage.",
        ],
        preset=None,
        alternatives=[
            Alternative(
                "lora",
                "if answers stay wrong in form or judgement with the right passage in the prompt.",
            ),
            Alternative("prompt", "if all the facts fit into the prompt: then no search is needed."),
        ],
        rule="facts_come_from_retrieval",
    )


def prompt_first(now: Situation) -> Recommendation | None:
    """Nothing is measured, and prompting has not been tried well enough to be the figure to "
    "beat."""
    tried, goal = now.one("prompting"), now.one("goal")
    if now.baseline is not None or tried == "systematic":
        return None
    if goal == "prototype":
        reasons = ["While the task may still change, a prompt changes in a minute and a dataset does not."]
    elif tried in ("", "none"):
        reasons = [
            "No prompt has been counted on your own cases, so nobody knows what training would have to beat."
        ]
    else:
        reasons = ["A quick try says that prompting is imperfect, not how far a good prompt would get."]
    reasons.append("A prompt costs an afternoon; training costs days, most of them for data.")
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Prompt first, and count.",
        reasons=reasons,
        first_steps=[
            "Write 50 or more real requests with the answers you would sign; include requests "
            "that no tool serves.",
            "Measure a plain prompt, one with a clear instruction, and one with worked examples: "
            "`tuner eval MODEL --data FILE`.",
            "Answer these questions again with that baseline: below 90% right, tuning is worth its price.",
        ],
        preset=None,
        alternatives=[
            Alternative("qlora", "once counts show that the same failures stay with the best prompt.")
        ],
        rule="prompt_first",
    )


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


def constrain_the_format(now: Situation) -> Recommendation | None:
    """Only the format breaks: a constrained decoder mends that without training."""
    if now.failures != {"format"} or now.baseline is not None:
        return None
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Constrain the output to your schema; do not train for format alone.",
        reasons=[
            "Only the format breaks. A server with structured output (vLLM, llama.cpp, most hosted "
            "models) "
            "makes an answer outside the schema impossible, today and without data.",
            "It cannot choose the tool or the values; those are what training is for.",
        ],
        first_steps=[
            "Switch on structured output or tool calling in your server, with your JSON schema.",
            "Leave a way to answer in words, or the model has to call a tool for every request.",
            "Count again: if wrong tools or wrong values show up behind the format, come back.",
        ],
        preset=None,
        alternatives=[
            Alternative(
                "qlora",
                "if your server cannot constrain the output, or values are wrong behind the format.",
            )
        ],
        rule="constrain_the_format",
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
    """Consistent failures remain, or a smaller model has to be taught: fine-tune, with the method "
    "that fits."""
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
    return evidence + _few_items(base)


def _few_items(base: Baseline) -> list[str]:
    if base.items >= FEW_ITEMS:
        return []
    return [
        f"Only {base.items} items were measured: the interval is wide, so add items before you rely on it."
    ]
