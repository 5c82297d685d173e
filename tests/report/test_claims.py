"""Corrections and claims against answers computed elsewhere."""

import pytest

from tuner_tui.report.claims import claim, survives_overlap
from tuner_tui.report.numbers import paired_mean


@pytest.mark.parametrize(
    ("delta", "p", "state", "said"),
    [
        (0.2, 0.01, "better", "Better: +20 points [+5 to +30], 30 fixed, 10 broken of 100"),
        (-0.2, 0.01, "worse", "Worse: -20 points"),
        (0.2, 0.05, "no_evidence", "No evidence of a difference"),
    ],
)
def test_what_may_be_claimed(delta: float, p: float, state: str, said: str) -> None:
    change = {"delta": delta, "interval": [0.05, 0.3], "fixed": 30, "broken": 10, "pairs": 100}
    found = claim(change, p, 3)
    assert found["state"] == state and said in found["sentence"]
    assert "after Holm over 3" in found["sentence"]


def test_a_gain_beside_an_overlap() -> None:
    change = {"fixed": 10, "broken": 0}
    assert survives_overlap(change, 4)  # 6 to 0: p = 0.031
    assert not survives_overlap(change, 5)  # 5 to 0: p = 0.0625


def test_paired_means() -> None:
    mean, low, high = paired_mean([0.0, 1.0] * 50)
    assert mean == 0.5
    assert (low, high) == pytest.approx((0.4, 0.6), abs=0.02)
    assert paired_mean([2.0]) == (2.0, 2.0, 2.0)
