"""Each state of training is told from curves that show it."""

import math
import random
from typing import Any

from tuner_tui.evaluation.convergence import Check, training_checks, training_verdict


def records(loss: list[float], held: dict[int, float] | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"step": i + 1, "loss": value} for i, value in enumerate(loss)]
    return found + [{"step": step, "eval_loss": value} for step, value in (held or {}).items()]


FALLING = [0.2 + 2 * math.exp(-i / 8) for i in range(60)]


def test_converged() -> None:
    found = training_verdict(records(FALLING, {15: 0.6, 30: 0.4, 45: 0.35, 60: 0.34}))
    assert (found.state, found.best_step) == ("converged", 60)
    assert found.gap is not None and 0.1 < found.gap < 0.2


def test_overfitting_names_the_turn() -> None:
    found = training_verdict(records(FALLING, {15: 0.6, 30: 0.4, 45: 0.5, 60: 0.7}))
    assert (found.state, found.best_step) == ("overfitting", 30)
    assert "turned at step 30" in found.sentence


def test_a_wobble_is_no_turn() -> None:
    assert training_verdict(records(FALLING, {30: 0.400, 45: 0.401, 60: 0.403})).state == "converged"


def test_still_falling() -> None:
    assert training_verdict(records([2 - 0.02 * i for i in range(60)])).state == "still_falling"


def test_diverged() -> None:
    assert training_verdict(records([2.0, 1.9, 2.5, 3.5, 4.5, 5.0])).state == "diverged"


def test_a_loss_that_is_no_number() -> None:
    broken = [*records(FALLING), {"step": 61, "loss": None, "nonfinite": ["loss"]}]
    found = training_verdict(broken)
    assert found.state == "unstable" and "step 61" in found.sentence


def test_too_few_values() -> None:
    assert training_verdict([]).state == "unknown"
    assert training_verdict(records([2.0, 1.0, 0.5])).state == "unknown"


def test_every_verdict_states_its_rule() -> None:
    for curve in ([], FALLING, [2.0, 1.9, 2.5, 3.5, 4.5, 5.0]):
        assert training_verdict(records(curve)).rule


def test_a_loss_that_hardly_moves_is_not_converged() -> None:
    found = training_verdict(records([2.0 - 0.0002 * i + 0.001 * (i % 3) for i in range(60)]))
    assert found.state == "not_learned" and "hardly fell" in found.sentence


def checks(
    loss: list[float],
    held: dict[int, float] | None = None,
    more: list[dict[str, Any]] | None = None,
    checkpoints: tuple[int, ...] = (),
) -> dict[str, Check]:
    found = training_checks([*records(loss, held), *(more or [])], checkpoints)
    return {check.name: check for check in found}


def states(found: dict[str, Check]) -> dict[str, str]:
    return {name: check.state for name, check in found.items()}


def test_a_good_run_passes_all_four_questions() -> None:
    found = checks(FALLING, {15: 0.6, 30: 0.4, 45: 0.30, 60: 0.295}, [{"step": 60, "epoch": 2.0}])
    assert set(states(found).values()) == {"good"} and len(found) == 4
    assert all(check.rule and check.sentence for check in found.values())


def test_without_values_nothing_is_said() -> None:
    assert set(states(checks([])).values()) == {"unknown"}
    assert states(checks(FALLING))["overfitting"] == "unknown"


def test_convergence_fails_on_a_flat_and_on_a_falling_loss() -> None:
    assert states(checks([2.0] * 30))["convergence"] == "bad"
    assert states(checks([2 - 0.02 * i for i in range(60)]))["convergence"] == "bad"


def test_overfitting_names_the_turn_the_gap_and_the_best_checkpoint() -> None:
    found = checks(FALLING, {15: 0.6, 30: 0.4, 45: 0.5, 60: 0.7}, checkpoints=(20, 40, 60))["overfitting"]
    assert found.state == "bad" and "turned at step 30" in found.sentence
    assert found.values["best_step"] == 30 and found.values["best"] == 0.4
    assert found.values["gap"] > 0.4
    # 20 lies nearest to the eval loss of step 15 (0.6), 40 to that of 45 (0.5), 60 to its own (0.7).
    assert found.values["best_checkpoint"] == 40 and "step 40" in found.sentence


def test_overfitting_is_told_by_the_gap_too() -> None:
    found = checks(FALLING, {15: 0.9, 30: 0.8, 45: 0.79, 60: 0.79})["overfitting"]
    assert found.state == "bad" and "by heart" in found.sentence


def test_under_training_by_the_late_fall_and_by_no_fall() -> None:
    assert states(checks([2 - 0.02 * i for i in range(60)]))["under_training"] == "bad"
    late = checks(FALLING, {15: 0.9, 30: 0.7, 45: 0.5, 60: 0.3})["under_training"]
    assert late.state == "bad" and "33% of the fall" in late.sentence
    assert states(checks([2.0] * 30))["under_training"] == "bad"
    part = checks(FALLING, more=[{"step": 60, "epoch": 0.4}])["under_training"]
    assert part.state == "good" and "after 40% of the rows" in part.sentence


def test_instability_by_spikes_by_the_gradient_and_by_what_is_no_number() -> None:
    spiky = list(FALLING)
    spiky[30], spiky[40] = 3.0, 2.5
    found = checks(spiky)["instability"]
    assert found.state == "bad" and found.values["spikes"] == 2 and "step 31" in found.sentence
    norms = [{"step": i + 1, "grad_norm": 40.0 if i == 20 else 1.0 + 0.1 * (i % 5)} for i in range(60)]
    found = checks(FALLING, more=norms)["instability"]
    assert found.state == "bad" and found.values["norm_jumps"] == 1 and "step 21" in found.sentence
    for name in ("loss", "grad_norm", "eval_loss"):
        found = checks(FALLING, more=[{"step": 61, name: None, "nonfinite": [name]}])["instability"]
        assert found.state == "bad" and found.values["nonfinite_step"] == 61


def test_ordinary_noise_is_no_spike() -> None:
    draw = random.Random(3)
    for scale in (0.05, 0.1):
        noisy = [value * (1 + draw.gauss(0, scale)) for value in FALLING * 1]
        assert states(checks(noisy))["instability"] == "good"
