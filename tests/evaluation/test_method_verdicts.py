"""What metric records say of the methods that are not SFT: by rule, on courses whose answer is known."""

from typing import Any

import pytest

from tuner_tui.evaluation.method_verdicts import method_verdict, start_and_end

Records = list[dict[str, Any]]


def preference(steps: int = 40, *, held: float = 0.9, margin: float = 1.0, turn: bool = False) -> Records:
    records: Records = []
    for step in range(1, steps + 1):
        share = step / steps
        row = {"loss": 0.7 - 0.5 * share, "rewards/accuracies": 0.5 + 0.4 * share}
        records.append({"step": step, **row, "rewards/margins": margin * share, "rewards/chosen": 0.1})
        if step % 10 == 0:
            loss = 0.7 - 0.5 * share if not turn else 0.4 + abs(share - 0.5)
            accuracy = 0.5 + (held - 0.5) * share
            held_out = {"eval_loss": loss, "eval_rewards/accuracies": accuracy}
            records.append({"step": step, **held_out, "eval_rewards/margins": margin * share})
    return records


def tried_out(rise: float = 2.0, *, kl_end: float = 1.0, late: bool = False, steps: int = 40) -> Records:
    records: Records = []
    for step in range(1, steps + 1):
        share = step / steps
        course = share if late else min(1.0, 2 * share)
        kl = 0.2 + (kl_end if share > 0.85 else 0.0)
        records.append({"step": step, "reward": rise * course, "reward_std": 1.0, "kl": kl})
    return records


def test_pairs_that_are_told_apart_are_learned() -> None:
    verdict = method_verdict("dpo", preference())
    assert verdict.state == "learned"
    assert verdict.sentence == "90% of the held-out pairs are told apart, with a margin of 1.00."


def test_near_chance_nothing_was_learned() -> None:
    verdict = method_verdict("dpo", preference(held=0.55))
    assert verdict.state == "not_learned" and "55% of the held-out pairs" in verdict.sentence


def test_without_held_out_pairs_those_of_training_count() -> None:
    records = [record for record in preference() if "loss" in record]
    assert "of the training pairs" in method_verdict("dpo", records).sentence


def test_a_held_out_loss_that_turns_is_overfitting() -> None:
    verdict = method_verdict("dpo", preference(turn=True))
    assert (verdict.state, verdict.best_step) == ("overfitting", 20)


def test_kto_is_judged_by_its_margin() -> None:
    assert method_verdict("kto", preference()).state == "learned"
    assert method_verdict("kto", preference(margin=-0.5)).state == "not_learned"


def test_better_answers_that_became_less_likely_are_told() -> None:
    records = [{**record, "rewards/chosen": -3.0} for record in preference() if "loss" in record]
    assert "less likely" in method_verdict("dpo", records).sentence


def test_a_reward_model_is_judged_by_its_accuracy() -> None:
    records = [
        {"step": step, "loss": 0.5, "accuracy": 0.9, "margin": 1.0, "eval_accuracy": 0.85, "eval_margin": 0.8}
        for step in range(1, 10)
    ]
    verdict = method_verdict("reward", records)
    assert verdict.state == "learned" and verdict.sentence.startswith("85% of the held-out pairs")


@pytest.mark.parametrize("method", ["ppo", "grpo", "rloo"])
def test_a_reward_that_rises_and_levels_off(method: str) -> None:
    assert method_verdict(method, tried_out(kl_end=0.1)).state == "rose"


def test_a_reward_that_was_still_rising() -> None:
    assert method_verdict("ppo", tried_out(late=True)).state == "still_rising"


def test_a_reward_that_does_not_rise() -> None:
    assert method_verdict("grpo", tried_out(rise=0.01, kl_end=0)).state == "no_gain"
    assert method_verdict("ppo", tried_out(rise=-1.0)).state == "no_gain"


def test_a_reward_that_rises_while_the_kl_runs_away() -> None:
    verdict = method_verdict("ppo", tried_out(kl_end=40.0))
    assert verdict.state == "drifted" and "KL ran away" in verdict.sentence
    # Large against its past, and yet small: no reason to worry.
    assert method_verdict("ppo", tried_out(kl_end=2.0)).state == "rose"


def test_a_metric_that_is_not_finite() -> None:
    records = [*tried_out(), {"step": 41, "value_loss": None, "nonfinite": ["value_loss"]}]
    verdict = method_verdict("ppo", records)
    assert verdict.state == "unstable" and "value_loss" in verdict.sentence and "41" in verdict.sentence


@pytest.mark.parametrize("method", ["dpo", "reward", "ppo", "grpo"])
def test_too_little_is_not_judged(method: str) -> None:
    assert method_verdict(method, []).state == "unknown"


def test_start_and_end_average_what_is_noisy() -> None:
    records = [{"step": step, "reward": float(step), "eval_reward": float(step)} for step in range(1, 11)]
    assert start_and_end(records, "reward") == (2.0, 9.0)
    assert start_and_end(records, "eval_reward") == (1.0, 10.0)
    assert start_and_end(records, "kl") is None
