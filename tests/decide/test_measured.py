"""Each rule on evidence decides where it should, says the figures, and lets others decide elsewhere."""

from typing import Any

import pytest

from tuner_tui.decide.evidence import Evidence, best_prompt, left_to_gain, read_evidence
from tuner_tui.decide.measured import MEASURED_RULES, recommend_measured
from tuner_tui.decide.recommendation import VERDICTS, Recommendation
from tuner_tui.decide.techniques import technique
from tuner_tui.evaluation.statistics import rate

CALLS, KEPT = 64, 24


def arm(right: int, kept: int = KEPT, **errors: int) -> dict[str, Any]:
    return {
        "right": rate(right + kept, CALLS + KEPT),
        "full_match": rate(right, CALLS),
        "no_call": rate(kept, KEPT),
        "errors": errors,
    }


def evidence(
    rows: int | None = 600, answers: dict[str, tuple[str, ...]] | None = None, gain: Any = None, **arms: Any
) -> Evidence:
    named = {name.replace("__", "+"): each for name, each in arms.items()}
    found = read_evidence({"arms": named}, rows, answers, gain)
    assert found is not None
    return found


def gain(fixed: int, broken: int, low: float, high: float) -> dict[str, Any]:
    delta = (fixed - broken) / (CALLS + KEPT)
    return {
        "delta": delta,
        "interval": [low, high],
        "p_value": 0.01,
        "fixed": fixed,
        "broken": broken,
        "pairs": CALLS + KEPT,
    }


BAD = arm(10, wrong_tool=20, wrong_value=20, unparsable_call=14)
FORM = arm(10, unparsable_call=50, wrong_value=4)
GOOD = arm(62, wrong_value=2)
NEVER_KEEPS = arm(62, kept=3, needless_call=21, wrong_value=2)

CASES = {
    "tuning_paid": evidence(base=BAD, tuned=GOOD, gain=gain(52, 0, 0.4, 0.7)),
    "tuning_did_not_pay": evidence(base=BAD, tuned=BAD, gain=gain(3, 3, -0.1, 0.1)),
    "prompt_is_enough": evidence(base=BAD, examples=GOOD),
    "constraint_is_enough": evidence(base=FORM, constrained=GOOD),
    "retrieval_is_enough": evidence(base=BAD, retrieved=GOOD),
    "constrain_first": evidence(base=FORM),
    "collect_data": evidence(base=BAD, constrained=BAD, rows=40),
    "tune": evidence(base=BAD, constrained=BAD, rows=600),
}


@pytest.mark.parametrize("rule", CASES)
def test_rule_that_decides(rule: str) -> None:
    advice = recommend_measured(CASES[rule])
    assert advice.rule == rule
    assert advice.verdict in VERDICTS and advice.reasons and advice.first_steps and advice.alternatives
    technique(advice.technique)
    assert all(technique(each.technique) for each in advice.alternatives)


def test_every_rule_has_a_case_and_the_last_always_speaks() -> None:
    assert [rule.__name__ for rule in MEASURED_RULES] == list(CASES)


@pytest.mark.parametrize(
    ("found", "rule"),
    [
        # Each is like a case above but for the one thing that its rule asks for.
        (evidence(base=BAD, tuned=GOOD, gain=gain(5, 3, -0.02, 0.1)), "tuning_did_not_pay"),
        (evidence(base=BAD, tuned=GOOD), "tune"),
        (evidence(base=BAD, examples=NEVER_KEEPS), "tune"),
        (evidence(base=FORM, constrained=NEVER_KEEPS), "tune"),
        (evidence(base=FORM, constrained=arm(40, wrong_value=24)), "tune"),
        (evidence(base=BAD, retrieved=arm(40, wrong_value=24)), "tune"),
        (evidence(base=BAD), "tune"),
        (evidence(base=BAD, rows=None), "collect_data"),
        (evidence(base=BAD, rows=100), "tune"),
        (evidence(base=BAD, answers={"knowledge": ("fresh",)}), "retrieval_is_enough"),
        (evidence(base=BAD, retrieved__constrained=GOOD), "retrieval_is_enough"),
        (evidence(base=BAD, examples__constrained=GOOD), "constraint_is_enough"),
    ],
)
def test_what_a_rule_asks_for(found: Evidence, rule: str) -> None:
    assert recommend_measured(found).rule == rule


def said(advice: Recommendation) -> str:
    return " ".join([advice.headline, *advice.reasons, *advice.first_steps])


def test_the_constraint_that_closes_the_gap_means_no_training_and_the_figure_without_it_is_said() -> None:
    words = said(recommend_measured(CASES["constraint_is_enough"]))
    assert "Do not train" in words
    assert "97%" in words and "Without a constraint, the plain prompt is right on 39%" in words


def test_training_is_credited_with_meaning_only() -> None:
    words = said(recommend_measured(CASES["tune"]))
    assert "Of the 54 items that this prompt gets wrong, 14 are wrong in form" in words
    assert "40 in meaning" in words and "54 items stay wrong" in words


def test_a_tuned_model_is_set_against_the_best_without_training() -> None:
    words = said(recommend_measured(CASES["tuning_paid"]))
    assert "+59.1 points of right items [+40.0 to +70.0], 52 fixed and 0 broken of 88" in words
    worse = evidence(base=GOOD, tuned=BAD, gain=gain(0, 52, -0.7, -0.4))
    assert "worse than what needs no training" in recommend_measured(worse).headline


def test_a_reward_goes_on_where_some_is_right_and_meaning_fails() -> None:
    half = evidence(base=BAD, tuned=arm(40, wrong_value=24), gain=gain(30, 0, 0.2, 0.5))
    assert recommend_measured(half).alternatives[0].technique == "grpo"
    assert all(each.technique != "grpo" for each in recommend_measured(CASES["tuning_paid"]).alternatives)
    never = evidence(
        base=arm(0, 0, wrong_value=88), tuned=arm(4, 2, wrong_value=82), gain=gain(6, 0, 0.01, 0.2)
    )
    assert all(each.technique != "grpo" for each in recommend_measured(never).alternatives)


def test_grpo_where_a_program_can_tell() -> None:
    means = {"preferences": ("program",), "gpu": ("24gb",), "model": ("small",), "rows": ("hundreds",)}
    advice = recommend_measured(evidence(base=BAD, answers=means))
    assert (advice.technique, advice.preset) == ("grpo", "grpo")


def test_few_items_are_said_to_be_few() -> None:
    few = {
        "right": rate(2, 12),
        "full_match": rate(2, 12),
        "no_call": rate(0, 0),
        "errors": {"wrong_value": 10},
    }
    assert "Only 12 items" in said(recommend_measured(evidence(base=few)))


def test_what_is_left_is_listed_by_error_type_with_form_first() -> None:
    rows = left_to_gain(evidence(base=BAD, constrained=arm(20, wrong_tool=44)))
    assert rows[0] == {"error": "unparsable_call", "kind": "form", "items": {"base": 14, "constrained": 0}}
    assert {row["error"]: row["items"]["constrained"] for row in rows}["wrong_tool"] == 44


def test_the_prompt_that_is_constrained_is_the_best_one() -> None:
    assert best_prompt(evidence(base=BAD, retrieved=GOOD, constrained=GOOD, tuned=GOOD)) == "retrieved"
    assert best_prompt(evidence(base=BAD, examples=BAD)) == "base"


def test_no_prompt_is_no_evidence() -> None:
    assert read_evidence({"arms": {"tuned": GOOD}}) is None
    assert read_evidence({"arms": {}}) is None
