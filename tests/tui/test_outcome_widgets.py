"""Interval bars, winners, and the comparison of calls: the pure parts of the result widgets."""

import pytest

from tuner_tui.evaluation.statistics import rate
from tuner_tui.tui.widgets.diff_view import Line, compare_calls
from tuner_tui.tui.widgets.interval_bar import figures, interval_bar, ruler
from tuner_tui.tui.widgets.outcome_table import winners


def call(name: str, **arguments: object) -> dict[str, object]:
    return {"name": name, "arguments": arguments}


@pytest.mark.parametrize("width", [12, 25, 61])
def test_a_bar_is_as_wide_as_asked_with_its_point_between_its_whiskers(width: int) -> None:
    bar = interval_bar(rate(32, 64), width).plain
    assert len(bar) == width
    assert bar.index("├") < bar.index("●") < bar.index("┤")
    assert abs(bar.index("●") - (width - 1) / 2) <= 1


def test_the_extremes_stay_inside_the_ruler() -> None:
    assert interval_bar(rate(0, 64), 40).plain.startswith("●")
    assert interval_bar(rate(64, 64), 40).plain.endswith("●")


def test_a_rate_over_no_items_draws_no_point() -> None:
    assert "●" not in interval_bar(rate(0, 0), 40).plain
    assert figures(rate(0, 0)) == ("–", "0/0", "")
    assert figures(None) == ("–", "0/0", "")


def test_figures_give_percent_count_and_interval() -> None:
    assert figures({"count": 41, "total": 48, "rate": 0.854, "interval": [0.728, 0.928]}) == (
        "85%",
        "41/48",
        "73–93",
    )


@pytest.mark.parametrize("width", [12, 25, 61])
def test_the_ruler_is_as_wide_as_the_bars(width: int) -> None:
    assert len(ruler(width)) == width
    assert ruler(width).endswith("100%")


def test_winners_are_those_with_the_highest_rate_and_nobody_among_equals() -> None:
    low, high = {"full_match": rate(1, 4)}, {"full_match": rate(3, 4)}
    assert winners({"base": low, "tuned": high}, "full_match") == {"tuned"}
    assert winners({"base": high, "tuned": high}, "full_match") == set()
    assert winners({"tuned": high}, "full_match") == set()
    assert winners({"base": {"full_match": rate(0, 0)}, "tuned": high}, "full_match") == set()


def test_arguments_are_compared_one_by_one_and_by_type() -> None:
    gold = [call("book", who="Ada", people=4, outside=True)]
    given = [call("book", people="4", who="Ada", when="now")]
    assert compare_calls(gold, given) == [
        Line("same", "book"),
        Line("same", 'who = "Ada"', 1),
        Line("differs", 'people = "4"', 1, "4"),
        Line("missing", "outside = true", 1),
        Line("extra", 'when = "now"', 1),
    ]


def test_order_of_parallel_calls_does_not_matter() -> None:
    gold = [call("add", a=1), call("add", a=2)]
    assert {line.mark for line in compare_calls(gold, gold[::-1])} == {"same"}


def test_missing_and_needless_calls_are_told_apart() -> None:
    assert compare_calls([call("add", a=1)], []) == [Line("missing", "add")]
    assert compare_calls([], [call("add", a=1)]) == [Line("extra", "add"), Line("extra", "a = 1", 1)]
    assert compare_calls([], []) == [Line("same", "no call")]


def test_arguments_of_another_shape_do_not_break_the_comparison() -> None:
    odd = [{"name": None, "arguments": "text"}, {}]
    assert compare_calls([call("add", a=1)], odd)[0] == Line("missing", "add")
