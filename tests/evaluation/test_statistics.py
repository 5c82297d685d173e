"""Statistics against values computed elsewhere, and properties that any such figure has."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.evaluation.statistics import bootstrap_difference, detectable_difference, mcnemar, rate, wilson


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [  # scipy 1.17.1: binomtest(count, total).proportion_ci(method="wilson")
        (0, 10, 0.000000000000, 0.277532799863),
        (41, 48, 0.728328234753, 0.927517506734),
        (64, 64, 0.943375940207, 1.000000000000),
        (3, 88, 0.011660997200, 0.095496042193),
        (500, 1000, 0.469069600368, 0.530930399632),
    ],
)
def test_wilson_agrees_with_scipy(count: int, total: int, low: float, high: float) -> None:
    assert wilson(count, total) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(
    ("fixed", "broken", "p"),
    [  # scipy 1.17.1: binomtest(min(fixed, broken), fixed + broken, 0.5).pvalue
        (8, 2, 0.109375),
        (1, 9, 0.021484375),
        (30, 3, 1.4011748135089874e-06),
        (15, 15, 1.0),
        (57, 0, 1.3877787807814457e-17),
    ],
)
def test_mcnemar_agrees_with_scipy(fixed: int, broken: int, p: float) -> None:
    assert mcnemar(fixed, broken) == pytest.approx(p, rel=1e-9)
    assert mcnemar(broken, fixed) == mcnemar(fixed, broken)


def test_no_items_and_no_discordant_pairs() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert rate(0, 0) == {"count": 0, "total": 0, "rate": None, "interval": [0.0, 1.0]}
    assert mcnemar(0, 0) == 1.0
    assert bootstrap_difference([], []) == (-1.0, 1.0)
    assert detectable_difference(0) == 1.0


def test_a_count_beyond_its_total_is_refused() -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(3, 2)


def test_unequal_lengths_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="as many items"):
        bootstrap_difference([True], [])


@given(st.integers(0, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_contains_the_rate(counted: tuple[int, int]) -> None:
    count, total = counted
    low, high = wilson(count, total)
    assert 0.0 <= low <= (count / total if total else 0.5) <= high <= 1.0


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_a_probability(fixed: int, broken: int) -> None:
    assert 0.0 <= mcnemar(fixed, broken) <= 1.0


def test_mcnemar_takes_thousands_of_pairs() -> None:
    assert 0.0 < mcnemar(2600, 2400) < 0.01


def test_bootstrap_agrees_with_the_normal_approximation() -> None:
    before = [False] * 120 + [True] * 80
    after = [True] * 60 + [False] * 60 + [True] * 70 + [False] * 10
    low, high = bootstrap_difference(before, after)
    mean = (60 - 10) / 200
    error = math.sqrt((70 / 200 - mean**2) / 200)
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.01)
    assert bootstrap_difference(before, after) == (low, high)


@pytest.mark.parametrize(("total", "points"), [(50, 12.5), (200, 6.3), (400, 4.4)])
def test_detectable_difference(total: int, points: float) -> None:
    assert 100 * detectable_difference(total) == pytest.approx(points, abs=0.06)
