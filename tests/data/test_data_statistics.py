"""The figures of a dataset, drawn from a tally."""

import json
from array import array
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.data.spreads import Bin, Spread, bins, spread
from tuner_tui.data.statistics import Statistics, ToolUse
from tuner_tui.data.tally import Tally


def tally() -> Tally:
    return Tally(
        rows=12,
        sound=10,
        kinds=Counter(function_call=7, negative=3),
        tools_offered=Counter(weather=10, clock=4, radio=1),
        tools_called=Counter(weather=8, clock=1, ghost=1),
        calls_per_row=Counter({0: 3, 1: 5, 2: 1, 3: 1}),
        calls_per_turn=Counter({1: 6, 2: 2}),
        turns_per_row=Counter({2: 6, 4: 4}),
        tools_per_row=Counter({1: 6, 2: 4}),
        argument_types=Counter(string=6, integer=2),
        scripts=Counter(latin=9, han=1),
        lengths=array("I", [100, 20, 30, 400]),
        trained=array("I", [10, 0, 5, 40]),
    )


def test_statistics_of_a_tally() -> None:
    found = Statistics.of(tally())
    assert (found.rows, found.sound) == (12, 10)
    assert found.kinds == {
        "function_call": 7,
        "multi_step": 0,
        "error_recovery": 0,
        "negative": 3,
        "other": 0,
    }
    assert found.kind_shares["function_call"] == 0.7
    assert found.calls == Spread(count=10, total=10, minimum=0, median=1, p95=3, maximum=3)
    assert found.calls.mean == 1.0
    assert found.parallel_turns == 2
    assert found.tools == [
        ToolUse("weather", 10, 8),
        ToolUse("clock", 4, 1),
        ToolUse("ghost", 0, 1),
        ToolUse("radio", 1, 0),
    ]
    assert found.never_called == ["radio"]
    assert found.called_once == ["clock", "ghost"]
    assert found.undeclared == ["ghost"]
    assert found.tokens is not None
    assert found.tokens.lengths == Spread(count=4, total=550, minimum=20, median=30, p95=400, maximum=400)
    assert found.tokens.trained_share == 0.1
    assert sum(one.count for one in found.tokens.histogram) == 4


def test_statistics_go_to_json_and_to_a_table() -> None:
    found = Statistics.of(tally())
    data = json.loads(json.dumps(found.to_json()))
    assert data["kinds"]["negative"] == {"count": 3, "share": 0.3}
    assert data["tools"]["never_called"] == 1
    assert data["tools"]["most_called"][0] == {"name": "weather", "offered": 10, "called": 8}
    assert data["tokens"]["trained_share"] == 0.1
    assert data["calls_per_row"]["histogram"][0] == {"low": 0, "high": 0, "count": 3}
    table = dict(found.table())
    assert table["parallel calls"] == "in 2 of 8 calling turns (25%)"
    assert table["tools"] == "4, 1 never called, 2 called once, 1 called and never offered"
    assert table["argument types"] == "string 75%, integer 25%"
    assert table["tokens per row"] == "20 to 400, median 30, 95% at most 400; 550 in all"


def test_statistics_of_nothing() -> None:
    found = Statistics.of(Tally())
    assert found.tokens is None
    assert found.kind_shares["other"] == 0.0
    assert found.calls == Spread(0, 0, 0, 0, 0, 0)
    assert found.calls_histogram == []
    assert found.to_json()["tokens"] is None
    assert "tokens per row" not in dict(found.table())


def test_bins_have_edges_that_can_be_read() -> None:
    assert bins([3, 4, 4, 6], 10) == [Bin(3, 3, 1), Bin(4, 4, 2), Bin(5, 5, 0), Bin(6, 6, 1)]
    assert bins([0, 99], 10) == [Bin(low, low + 9, int(low in (0, 90))) for low in range(0, 100, 10)]
    assert bins([7], 5) == [Bin(7, 7, 1)]
    assert bins([1042, 1988], 2) == [Bin(1000, 1499, 1), Bin(1500, 1999, 1)]
    assert bins([999, 1001], 2) == [Bin(998, 999, 1), Bin(1000, 1001, 1)]
    with pytest.raises(ValueError, match="two bins"):
        bins([1], 1)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**7), min_size=1), st.integers(2, 60))
def test_bins_hold_every_value(values: list[int], count: int) -> None:
    made = bins(values, count)
    assert 1 <= len(made) <= count
    assert sum(one.count for one in made) == len(values)
    assert made[0].count
    assert made[-1].count
    assert len({one.high - one.low for one in made}) == 1
    assert all(before.high + 1 == after.low for before, after in pairwise(made))
    assert all(one.count == sum(one.low <= value <= one.high for value in values) for one in made)
    assert bins(Counter(values), count) == made


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1))
def test_spread_agrees_with_the_sorted_values(values: list[int]) -> None:
    ordered = sorted(values)
    found = spread(Counter(values))
    assert (found.count, found.total) == (len(values), sum(values))
    assert (found.minimum, found.maximum) == (ordered[0], ordered[-1])
    for percent, value in ((50, found.median), (95, found.p95)):
        assert sum(one <= value for one in values) * 100 >= percent * len(values)
        assert sum(one < value for one in values) * 100 < percent * len(values)
