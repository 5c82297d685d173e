"""The loss chart, fed with what training really produces, and with what it should not."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from conftest import until
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from tuner_tui.runs.metrics import Smoother
from tuner_tui.tui.app import TunerApp
from tuner_tui.tui.widgets import axes, braille
from tuner_tui.tui.widgets.curve_chart import CurveChart
from tuner_tui.tui.widgets.log_tail import MAX_LINES, LogTail
from tuner_tui.tui.widgets.small_chart import SmallChart


class ChartApp(App[None]):
    """A chart, a small one and a log, with the app's own variables."""

    CSS = "CurveChart { height: 20; } LogTail { height: 6; }"

    def compose(self) -> ComposeResult:
        yield CurveChart()
        yield SmallChart("speed")
        yield LogTail()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return TunerApp().get_theme_variable_defaults()


@asynccontextmanager
async def laid_out(size: tuple[int, int]) -> AsyncIterator[tuple[ChartApp, Pilot[None]]]:
    """The app, when all in it has its size: a chart is drawn for the size that it has."""
    app = ChartApp()
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "waiting" in app.query_one(CurveChart).text())
        await until(pilot, lambda: app.query_one(LogTail).size.height > 0)
        yield app, pilot


def dots(chart: CurveChart) -> int:
    """Braille cells that are not blank."""
    plot = chart.text().partition("\n")[2]  # the legend has dots of its own
    return sum(0x2800 < ord(character) < 0x2900 for character in plot)


async def test_an_empty_chart_waits() -> None:
    async with laid_out((80, 40)) as (app, pilot):
        await pilot.pause()
        assert "waiting for the first step" in app.query_one(CurveChart).text()


async def test_one_point_is_drawn_with_its_value() -> None:
    async with laid_out((80, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        chart.extend("train", [1], [2.5])
        await pilot.pause()
        assert dots(chart) == 1
        assert "train 2.5" in chart.text()


async def test_a_falling_loss_falls_on_the_screen() -> None:
    async with laid_out((80, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        chart.smoothing = 0.0
        chart.total = 100
        chart.extend("train", list(range(1, 101)), [3.0 - step * 0.025 for step in range(1, 101)])
        await pilot.pause()
        columns = [
            next(x for x, cell in enumerate(line) if 0x2800 < ord(cell) < 0x2900)
            for line in chart.text().splitlines()[1:]
            if any(0x2800 < ord(cell) < 0x2900 for cell in line)
        ]
        assert columns == sorted(columns)
        assert len(columns) > 10


async def test_what_is_not_finite_is_marked_counted_and_left_out() -> None:
    async with laid_out((100, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        chart.extend("train", [1, 2, 3, 4, 5], [2.0, math.nan, math.inf, None, 1.5])
        await pilot.pause()
        text = chart.text()
        assert "✗ 3 not finite from step 2" in text
        assert "now 1.5" in text
        assert "✗" in text.splitlines()[-1]


async def test_only_values_that_are_not_finite_leave_the_app_alive() -> None:
    async with laid_out((100, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        chart.extend("train", [1, 2], [math.nan, -math.inf])
        app.query_one(SmallChart).extend([1, 2], [math.nan, None])
        await pilot.pause()
        assert "not finite" in chart.text()
        assert dots(chart) == 0


async def test_a_hundred_thousand_points_and_one_more() -> None:
    async with laid_out((80, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        steps = list(range(1, 100_001))
        chart.extend("train", steps, [2.0 * math.exp(-step / 20_000) + 0.1 for step in steps])
        chart.extend("train", [100_001], [0.11])
        await pilot.pause()
        assert dots(chart) > 60
        assert "100,000" in chart.text().splitlines()[-1]


async def test_a_log_axis_leaves_out_what_it_cannot_show() -> None:
    async with laid_out((80, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        chart.extend("train", [1, 2, 3, 4], [100.0, 1.0, 0.0, 0.01])
        chart.log_scale = True
        await pilot.pause()
        assert "log" in chart.text()
        assert "0.01" in chart.text()
        chart.clear()
        chart.extend("train", [1, 2], [-1.0, 0.0])
        await pilot.pause()
        assert "no value can be drawn on this axis" in chart.text()


async def test_steps_that_go_back_are_passed_over() -> None:
    async with laid_out((80, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        chart.extend("train", [5, 3, 6], [1.0, 9.0, 2.0])
        await pilot.pause()
        assert "now 2" in chart.text()
        assert "9" not in chart.text().splitlines()[1]


async def test_eval_points_have_a_sign_of_their_own() -> None:
    async with laid_out((80, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        chart.extend("train", [1, 10], [2.0, 1.0])
        chart.extend("eval", [5, 10], [1.8, 1.2])
        await pilot.pause()
        lines = chart.text().splitlines()
        assert "◆ eval 1.2" in lines[0]
        assert sum(line.count("◆") for line in lines[1:]) == 2


async def test_one_more_point_repaints_few_rows() -> None:
    async with laid_out((100, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        chart.total = 400
        steps = list(range(1, 200))
        chart.extend("train", steps, [2.0 * math.exp(-step / 40) + 0.1 for step in steps])
        await pilot.pause()
        regions: list[Region] = []
        whole_refresh = chart.refresh
        chart.refresh = lambda *found, **options: regions.extend(found) or whole_refresh(*found, **options)
        chart.extend("train", [200], [2.0 * math.exp(-5) + 0.1])
        assert 0 < len(regions) <= 4
        assert {region.height for region in regions} == {1}


@pytest.mark.parametrize(("low", "high"), [(0.1, 3.2), (0.0, 0.0), (5.0, 5.0), (1e-9, 2e-9), (-3.0, 1e6)])
def test_ticks_enclose_the_range_and_are_few(low: float, high: float) -> None:
    found = axes.ticks(low, high, 6)
    assert found[0] <= low
    assert found[-1] >= high
    assert 2 <= len(found) <= 14


@pytest.mark.parametrize(("low", "high"), [(0.1, 3.2), (0.9, 1.1), (1e-8, 1e4), (0.02, 0.03), (2.0, 2.0)])
def test_log_ticks_enclose_the_range(low: float, high: float) -> None:
    found = axes.log_ticks(low, high, 6)
    assert found == sorted(found)
    assert 0 < found[0] <= low * 1.001
    assert found[-1] >= high * 0.999


def test_numbers_are_short() -> None:
    values = (0, 1e-7, 2e-4, 0.02134, 1.2345, 310.0, 12_400, 3.1e6, 1e20, -0.5)
    assert all(len(axes.number(value)) <= 8 for value in values)
    assert axes.number(2e-4) == "2.0e-4"


def test_the_column_of_a_step() -> None:
    assert braille.column_of(0, 0, 10, 20) == 0
    assert braille.column_of(10, 0, 10, 20) == 19
    assert braille.column_of(11, 0, 10, 20) is None
    assert braille.column_of(3, 3, 3, 20) == 0


async def test_a_log_follows_its_end_until_one_scrolls_away() -> None:
    async with laid_out((60, 40)) as (app, pilot):
        log = app.query_one(LogTail)
        log.write_lines([f"line {number}" for number in range(100)])
        await until(pilot, lambda: log.scroll_offset.y == log.max_scroll_y > 0 and log.allow_vertical_scroll)
        log.scroll_to(y=10, animate=False, immediate=True)
        await until(pilot, lambda: log.scroll_offset.y == 10)
        log.write_lines(["one more", "and another"])
        await until(pilot, lambda: log.missed == 2)
        assert log.scroll_offset.y == 10
        log.scroll_end(animate=False, immediate=True)
        await until(pilot, lambda: log.missed == 0)
        before = log.max_scroll_y
        log.write_lines(["followed again"])
        await until(pilot, lambda: log.scroll_offset.y == log.max_scroll_y > before)


async def test_a_log_shows_control_characters_and_the_end_of_a_progress_bar() -> None:
    async with laid_out((60, 40)) as (app, pilot):
        log = app.query_one(LogTail)
        log.write_lines(["\x1b[2Jwiped [red]not[/red]", "10%\r50%\r100%", "x" * 9_000])
        await pilot.pause()
        assert log.lines[0] == "␛[2Jwiped [red]not[/red]"
        assert log.lines[1] == "100%"
        assert log.lines[2].endswith("5,000 more")


async def test_a_long_log_lets_go_of_its_beginning() -> None:
    async with laid_out((60, 40)) as (app, pilot):
        log = app.query_one(LogTail)
        log.write_lines([str(number) for number in range(MAX_LINES + 500)])
        await pilot.pause()
        assert len(log.lines) == MAX_LINES
        assert log.lines[0] == "500"
        await until(pilot, lambda: log.scroll_offset.y == log.max_scroll_y > 0)


async def test_a_chart_that_grew_looks_like_one_that_got_all_at_once() -> None:
    async with laid_out((90, 40)) as (app, pilot):
        chart = app.query_one(CurveChart)
        steps = list(range(1, 700))
        values = [2.0 * math.exp(-step / 90) + 0.3 * math.sin(step * 7.7) ** 2 + 0.1 for step in steps]
        for start in range(0, len(steps), 13):
            chart.extend("train", steps[start : start + 13], values[start : start + 13])
        await pilot.pause()
        grown = chart.text()
        chart.clear()
        chart.extend("train", steps, values)
        await pilot.pause()
        assert chart.text() == grown


@pytest.mark.parametrize("value", [7.0, 0.1, 0.0, -3.3, 1e-9, 1e12])
def test_a_curve_that_never_moves_has_distinct_ticks(value: float) -> None:
    # The smoothed curve of equal values differs from them in its last digit.
    low, high = sorted((value, Smoother(0.6).extend([value] * 30)[-1]))
    marks = axes.ticks(low, high, 4)
    assert len(set(marks)) == len(marks) >= 2 and marks[0] <= low <= high <= marks[-1]
