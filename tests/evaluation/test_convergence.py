"""Each state of training is told from curves that show it."""

import math
from typing import Any

from tuner_tui.evaluation.convergence import training_verdict


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
