"""Statistics against values computed elsewhere, and properties that any such figure has."""

import math
import random

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from tuner_tui.evaluation.statistics import (
    bootstrap_difference,
    design_effect,
    detectable_clustered,
    detectable_difference,
    holm,
    mcnemar,
    rate,
    t_quantile,
    wilson,
)


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


@given(st.integers(1, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_equals_two_libraries_on_random_tables(counted: tuple[int, int]) -> None:
    count, total = counted
    theirs = scipy.stats.binomtest(count, total).proportion_ci(method="wilson")
    assert wilson(count, total) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert wilson(count, total) == pytest.approx(proportion_confint(count, total, method="wilson"), abs=1e-9)


@given(st.tuples(*[st.integers(0, 60)] * 4))
def test_mcnemar_equals_statsmodels_on_random_tables(cells: tuple[int, int, int, int]) -> None:
    both, broken, fixed, neither = cells
    theirs = statsmodels_mcnemar([[both, broken], [fixed, neither]], exact=True).pvalue
    assert mcnemar(fixed, broken) == pytest.approx(min(1.0, float(theirs)), rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.integers(1, 500))
def test_t_quantile_agrees_with_scipy(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(scipy.stats.t.ppf(0.975, freedom), rel=3e-3)


def test_wilson_covers_what_it_promises() -> None:
    drawn = np.random.default_rng(3)
    for share in (0.05, 0.3, 0.5, 0.85):
        hits = 0
        for count in drawn.binomial(60, share, size=2000):
            low, high = wilson(int(count), 60)
            hits += low <= share <= high
        assert 0.93 <= hits / 2000 <= 0.98, share


def clustered(draw: np.random.Generator, groups: int, size: int) -> tuple[list[bool], list[bool], list[str]]:
    """Pairs whose groups share their fate: within one, nine items in ten change as the group does."""
    before, after, names = [], [], []
    for group in range(groups):
        fate = draw.choice([-1, 0, 1], p=[0.15, 0.55, 0.3])
        for _ in range(size):
            mine = fate if draw.random() < 0.9 else draw.choice([-1, 0, 1], p=[0.15, 0.55, 0.3])
            before.append(bool(mine < 0))
            after.append(bool(mine > 0))
            names.append(f"tool {group}")
    return before, after, names


def test_the_bootstrap_covers_the_truth_where_items_come_in_groups_and_only_by_groups() -> None:
    draw, truth, trials = np.random.default_rng(5), 0.15, 400
    by_groups = by_items = 0
    for _ in range(trials):
        before, after, names = clustered(draw, 25, 8)
        low, high = bootstrap_difference(before, after, draws=1000, groups=names)
        by_groups += low <= truth <= high
        low, high = bootstrap_difference(before, after, draws=1000)
        by_items += low <= truth <= high
    assert 0.92 <= by_groups / trials <= 0.98
    assert by_items / trials < 0.7, "items of a group are not independent"


def test_the_bootstrap_covers_the_truth_for_independent_items() -> None:
    draw, trials, hits = np.random.default_rng(7), 400, 0
    for _ in range(trials):
        fates = draw.choice([-1, 0, 1], p=[0.1, 0.6, 0.3], size=80)
        low, high = bootstrap_difference(list(fates < 0), list(fates > 0), draws=1000)
        hits += low <= 0.2 <= high
    assert 0.92 <= hits / trials <= 0.98


def test_the_bootstrap_by_groups_equals_drawing_the_groups() -> None:
    random.seed(1)
    before = [random.random() < 0.5 for _ in range(120)]
    after = [random.random() < 0.6 for _ in range(120)]
    names = [f"g{random.randrange(30)}" for _ in range(120)]
    mine = bootstrap_difference(before, after, groups=names)
    sums: dict[str, list[int]] = {}
    for was, now, name in zip(before, after, names, strict=True):
        net, size = sums.get(name, [0, 0])
        sums[name] = [net + now - was, size + 1]
    units = np.array(list(sums.values()))
    drawn = units[np.random.default_rng(2).integers(len(units), size=(20_000, len(units)))].sum(axis=1)
    wide = scipy.stats.norm.cdf(
        -math.sqrt(len(units) / (len(units) - 1)) * scipy.stats.t.ppf(0.975, len(units) - 1)
    )
    assert mine == pytest.approx(np.quantile(drawn[:, 0] / drawn[:, 1], [wide, 1 - wide]), abs=0.012)


def test_one_group_says_nothing_and_no_groups_change_nothing() -> None:
    before, after = [False, True, False], [True, True, True]
    assert bootstrap_difference(before, after, groups=["a"] * 3) == (-1.0, 1.0)
    assert bootstrap_difference(before, after, groups=[""] * 3) == bootstrap_difference(before, after)
    assert bootstrap_difference(before, after, groups=list("abc")) == bootstrap_difference(before, after)
    with pytest.raises(ValueError, match="as many items"):
        bootstrap_difference(before, after, groups=["a"])


def test_groups_hide_differences() -> None:
    assert design_effect(["a"] * 10 + ["b"] * 10, 0.1) == pytest.approx(1.9)
    assert design_effect([""] * 20) == 1.0
    assert detectable_clustered([""] * 200) == detectable_difference(200)
    assert detectable_clustered(["a"] * 100 + ["b"] * 100) > 3 * detectable_difference(200)
    assert detectable_clustered([]) == 1.0
