"""The arithmetic behind the charts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.runs.metrics import Pyramid, ema, eta


def test_ema_starts_at_the_first_value_and_passes_gaps_over() -> None:
    assert ema([4.0, 4.0, 4.0], 0.9) == pytest.approx([4.0, 4.0, 4.0])
    assert ema([1.0, 3.0], 0.0) == [1.0, 3.0]
    gap = ema([math.nan, 2.0, math.nan, 4.0], 0.5)
    assert math.isnan(gap[0])
    assert gap[1] == gap[2] == 2.0
    assert 2.0 < gap[3] < 4.0


def test_eta_is_a_range_of_the_recent_speed() -> None:
    assert eta([], 10) is None
    assert eta([{"step": 1, "time": 0.0}], 10) is None
    steady = [{"step": step, "time": 2.0 * step} for step in range(1, 6)]
    assert eta(steady, 10) == (10.0, 10.0)
    uneven = [{"step": s, "time": t} for s, t in enumerate([0, 1, 3, 4, 6, 7, 9], start=1)]
    low, high = eta(uneven, 17) or (0, 0)
    assert (low, high) == (10.0, 20.0)
    assert eta(steady, 5) == (0.0, 0.0)


def test_eta_ignores_records_of_one_step() -> None:
    records = [{"step": 1, "time": 0.0}, {"step": 1, "time": 50.0}, {"step": 2, "time": 52.0}]
    assert eta(records, 4) == (4.0, 4.0)


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=900),
    st.integers(1, 60),
    st.integers(1, 7),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_pyramid_agrees_with_the_plain_computation(
    values: list[float], columns: int, pieces: int, one: float, other: float
) -> None:
    steps = np.cumsum(np.arange(len(values)) % 3)
    pyramid = Pyramid()
    for part_steps, part in zip(np.array_split(steps, pieces), np.array_split(values, pieces), strict=True):
        pyramid.extend(list(part_steps), list(part))
    assert len(pyramid) == len(values)
    first, last = sorted((one * steps[-1], other * steps[-1]))
    low, high = pyramid.columns(first, last, columns)
    edges = np.linspace(first, last, columns + 1)
    array = np.asarray(values)
    for column in range(columns):
        right = steps <= edges[-1] if column == columns - 1 else steps < edges[column + 1]
        inside = array[(steps >= edges[column]) & right]
        inside = inside[~np.isnan(inside)]
        if len(inside):
            assert (low[column], high[column]) == (inside.min(), inside.max())
        else:
            assert np.isnan(low[column])
            assert np.isnan(high[column])


def test_pyramid_refuses_steps_that_go_back() -> None:
    pyramid = Pyramid()
    pyramid.extend([1, 2], [0.0, 0.0])
    with pytest.raises(ValueError, match="decrease"):
        pyramid.extend([1], [0.0])
    with pytest.raises(ValueError, match="as many"):
        pyramid.extend([3], [])
    pyramid.extend([], [])
    assert list(pyramid.values) == [0.0, 0.0]
