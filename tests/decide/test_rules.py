"""Each rule decides where it should, and no other does."""

from typing import Any

import pytest

from tuner_tui.decide.questions import QUESTIONS, check_answers
from tuner_tui.decide.recommendation import VERDICTS
from tuner_tui.decide.rules import RULES, recommend
from tuner_tui.decide.techniques import TECHNIQUES, technique
from tuner_tui.errors import UserError
from tuner_tui.evaluation.statistics import rate
from tuner_tui.training.presets import preset_names

READY = {"prompting": "systematic", "failures": ["wrong_arguments"], "rows": "hundreds"}


def baseline(right: int, kept: int = 24, arm: str = "examples", total: int = 64) -> dict[str, Any]:
    return {"arms": {arm: {"full_match": rate(right, total), "no_call": rate(kept, 24)}}}


@pytest.mark.parametrize(
    ("answers", "rule", "verdict", "technique_id"),
    [
        ({}, "prompt_first", "prompt", "prompt"),
        ({"failures": ["none"]}, "nothing_fails", "prompt", "prompt"),
        ({"failures": ["none"], "goal": "smaller_model", "prompting": "systematic"}, "tune", "tune", "qlora"),
        ({"knowledge": "fresh"}, "facts_come_from_retrieval", "retrieve", "rag"),
        ({"failures": ["facts"]}, "facts_come_from_retrieval", "retrieve", "rag"),
        ({"goal": "proprietary"}, "facts_come_from_retrieval", "retrieve", "rag"),
        ({**READY, "knowledge": "fresh"}, "tune", "tune", "qlora"),
        ({"prompting": "none", "failures": ["format"]}, "prompt_first", "prompt", "prompt"),
        ({"prompting": "quick", "failures": ["format"]}, "prompt_first", "prompt", "prompt"),
        ({"goal": "prototype", "failures": ["style"]}, "prompt_first", "prompt", "prompt"),
        ({"prompting": "systematic"}, "measure_first", "measure", "prompt"),
        ({"prompting": "systematic", "failures": ["unknown"]}, "measure_first", "measure", "prompt"),
        ({"prompting": "systematic", "failures": ["format"]}, "constrain_the_format", "prompt", "prompt"),
        ({**READY, "rows": "none"}, "collect_data", "collect", "prompt"),
        ({**READY, "rows": "few"}, "collect_data", "collect", "prompt"),
        ({**READY, "rows": "few", "goal": "smaller_model"}, "collect_data", "collect", "prompt"),
        (READY, "tune", "tune", "qlora"),
    ],
)
def test_rule_that_decides(answers: dict[str, Any], rule: str, verdict: str, technique_id: str) -> None:
    advice = recommend(answers)
    assert (advice.rule, advice.verdict, advice.technique) == (rule, verdict, technique_id)
    assert advice.headline and advice.reasons and advice.first_steps and advice.alternatives


@pytest.mark.parametrize(
    ("answers", "technique_id", "preset"),
    [
        ({"gpu": "none", "model": "tiny"}, "qlora", "cpu-small"),
        ({"gpu": "none", "model": "medium"}, "qlora", "gpu-24gb-qlora"),
        ({"gpu": "none", "model": "small"}, "qlora", "gpu-80gb-lora"),
        ({"gpu": "small", "model": "large"}, "qlora", "gpu-24gb-qlora"),
        ({"gpu": "small", "model": "medium"}, "qlora", "gpu-24gb-qlora"),
        ({"gpu": "24gb", "model": "small"}, "lora", "gpu-24gb-qlora"),
        ({"gpu": "24gb", "model": "medium", "goal": "agent"}, "qlora", "gpu-24gb-qlora"),
        ({"gpu": "80gb", "model": "medium"}, "lora", "gpu-80gb-lora"),
        ({"gpu": "several", "model": "large"}, "lora", "gpu-80gb-lora"),
        ({"failures": ["style"], "preferences": "pairs"}, "dpo", "dpo"),
        ({"preferences": "pairs"}, "qlora", "gpu-24gb-qlora"),
        ({"preferences": "program", "gpu": "24gb", "model": "small"}, "grpo", "grpo"),
        ({"preferences": "program", "gpu": "80gb", "model": "medium"}, "grpo", "gpu-80gb-grpo"),
        (
            {"preferences": "program", "gpu": "24gb", "time": "hours", "model": "small"},
            "lora",
            "gpu-24gb-qlora",
        ),
        ({"preferences": "program", "gpu": "none", "model": "tiny"}, "qlora", "cpu-small"),
        ({"preferences": "program", "failures": ["style"]}, "qlora", "gpu-24gb-qlora"),
        (
            {"failures": ["needless_calls"], "preferences": "stream", "gpu": "several", "time": "weeks"},
            "rlhf",
            "reward",
        ),
        ({"failures": ["style"], "preferences": "stream", "gpu": "24gb"}, "dpo", "dpo"),
        ({"rows": "many", "gpu": "several", "time": "weeks", "model": "medium"}, "sft", None),
    ],
)
def test_method_fits_the_means(answers: dict[str, Any], technique_id: str, preset: str | None) -> None:
    advice = recommend({**READY, **answers})
    assert (advice.verdict, advice.technique, advice.preset) == ("tune", technique_id, preset)


def test_a_baseline_outweighs_the_answers() -> None:
    advice = recommend({"prompting": "none", "failures": ["none"], "rows": "hundreds"}, baseline(33))
    assert advice.rule == "tune"
    quoted = "The best prompt (an instruction with examples) gets 52% [40–63] of calls right."
    assert advice.reasons[0] == quoted


def test_a_good_prompt_means_no_training() -> None:
    advice = recommend(READY, baseline(61))
    assert (advice.rule, advice.preset) == ("prompt_is_enough", None)
    assert advice.headline.startswith("Do not train")


def test_a_constraint_or_retrieved_rows_that_close_the_gap_mean_no_training() -> None:
    def with_arm(arm: str, right: int) -> Any:
        return recommend(
            READY, baseline(20) | {"arms": baseline(20)["arms"] | baseline(right, arm=arm)["arms"]}
        )

    assert with_arm("constrained", 62).rule == "constraint_is_enough"
    assert with_arm("constrained", 40).rule == "tune"
    assert with_arm("retrieved+constrained", 62).rule == "retrieval_is_enough"
    assert with_arm("tuned_constrained", 62).rule == "tune"


def test_right_calls_are_not_enough_when_every_request_gets_one() -> None:
    advice = recommend(READY, baseline(63, kept=6))
    assert advice.rule == "tune"
    assert any("keeps only 25%" in reason for reason in advice.reasons)


def test_the_best_prompt_is_the_one_that_answers_most_items() -> None:
    arms = baseline(40)["arms"] | baseline(45, kept=0, arm="instruction")["arms"]
    assert "an instruction with examples" in recommend(READY, {"arms": arms}).reasons[0]
    assert "an instruction with examples" in recommend(READY, arms).reasons[0]


def test_few_items_are_said_to_be_few() -> None:
    few = {"base": {"full_match": rate(2, 12), "no_call": rate(0, 0)}}
    assert any("Only 12 items" in reason for reason in recommend(READY, few).reasons)


def test_a_baseline_without_prompt_arms_is_none() -> None:
    assert recommend({}, {"arms": {"tuned": {"full_match": rate(1, 2)}}}).rule == "prompt_first"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"colour": "red"}, "no question is called 'colour'"),
        ({"goal": "riches"}, "'riches' does not answer goal"),
        ({"goal": ["agent", "prototype"]}, "goal takes one answer, not 2"),
        ({"goal": 3}, "goal must be one of"),
        ({"failures": ["format", "none"]}, "'none' of failures stands alone"),
    ],
)
def test_bad_answers_are_named(answers: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        recommend(answers)


def test_open_questions_are_left_out() -> None:
    assert check_answers({"goal": [], "failures": ["facts", "format"]}) == {"failures": ("format", "facts")}


def test_every_answer_by_itself_is_advice() -> None:
    for question in QUESTIONS:
        for option in question.options:
            advice = recommend({question.id: option.id})
            assert advice.verdict in VERDICTS
            technique(advice.technique)


def test_the_last_rule_always_has_something_to_say() -> None:
    assert [rule.__name__ for rule in RULES][-1] == "tune"


def test_presets_and_techniques_that_are_named_exist() -> None:
    for model in QUESTIONS[7].options:
        for gpu in QUESTIONS[6].options:
            advice = recommend({**READY, "model": model.id, "gpu": gpu.id, "preferences": "pairs"})
            assert advice.preset in preset_names()
            for alternative in advice.alternatives:
                technique(alternative.technique)


def test_techniques_say_what_when_not_and_needs() -> None:
    assert [each.id for each in TECHNIQUES] == [
        *("prompt", "rag", "sft", "lora", "qlora", "dpo", "grpo", "rlhf")
    ]
    assert all(each.what and each.when and each.avoid and each.needs for each in TECHNIQUES)
