"""The rules that say what to do instead of training, or before it. Pure."""

from tuner_tui.decide.baseline import ENOUGH, few_items
from tuner_tui.decide.measured import constraint_is_enough, retrieval_is_enough
from tuner_tui.decide.recommendation import Alternative, Recommendation, Situation


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
        reasons=reasons + few_items(base),
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
    """Nothing is measured, and prompting has not been tried well enough to be the figure to beat."""
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


def constrain_the_format(now: Situation) -> Recommendation | None:
    """Only the format breaks: a constrained decoder mends that without training."""
    if now.failures != {"format"} or now.baseline is not None:
        return None
    return Recommendation(
        verdict="prompt",
        technique="prompt",
        headline="Constrain the output to your schema; do not train for format alone.",
        reasons=[
            "Only the format breaks. A server with structured output (vLLM, llama.cpp, most hosted models) "
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
