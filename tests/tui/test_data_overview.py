"""The histograms of the overview, and the line above it while a file is inspected."""

import pytest
from conftest import until
from textual.app import App, ComposeResult

from tuner_tui.data.progress import Progress
from tuner_tui.data.spreads import bins, spread
from tuner_tui.tui import dataset_state
from tuner_tui.tui.widgets.histogram import Histogram


class HistogramApp(App[None]):
    """A histogram and nothing else."""

    CSS = "Histogram { height: 8; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"bad": "red", "quiet": "gray"}

    def compose(self) -> ComposeResult:
        yield Histogram()


@pytest.mark.parametrize("width", [20, 60, 120])
@pytest.mark.parametrize("values", [{0: 1, 1: 7, 2: 2}, {n * 37: n for n in range(1, 90)}])
async def test_a_histogram_keeps_to_its_width_and_tells_its_figures(
    width: int, values: dict[int, int]
) -> None:
    app = HistogramApp()
    async with app.run_test(size=(width, 10)) as pilot:
        histogram = app.query_one(Histogram)
        await until(pilot, lambda: histogram.size.width > 0)
        histogram.show(bins(values, 20), spread(values))
        lines = histogram.render().plain.split("\n")
        assert len(lines) == 8
        assert all(len(line.rstrip()) <= width for line in lines[:-1])
        assert f"most {max(values):,}" in lines[-1]
        assert "█" in lines[-3]
        histogram.show(bins({3: 5}, 20), spread({3: 5}))
        assert histogram.render().plain.strip() == "always 3"


async def test_the_limit_is_drawn_and_what_lies_beyond_it_is_told() -> None:
    app = HistogramApp()
    async with app.run_test(size=(100, 10)) as pilot:
        histogram = app.query_one(Histogram)
        values = {100: 5, 150: 3, 900: 1}
        await until(pilot, lambda: histogram.size.width > 0)
        histogram.show(bins(values, 20), spread(values), 500, 1)
        drawn = histogram.render()
        assert "max_length 500" in drawn.plain and "┊" in drawn.plain and "1 longer than 500" in drawn.plain
        assert any("$bad" in str(span.style) for span in drawn.spans)
        histogram.show(bins(values, 20), spread(values), 1000, 0)  # a little beyond the longest
        assert "max_length 1,000" in histogram.render().plain
        histogram.show(bins(values, 20), spread(values), 50_000, 0)
        drawn = histogram.render()
        assert "all within 50,000" in drawn.plain and "max_length" not in drawn.plain


def test_progress_tells_share_speed_and_how_to_stop() -> None:
    text = dataset_state.inspecting("x.jsonl", Progress(512 << 20, 1 << 30, 300_000, 3.0)).plain
    for part in (
        "50%",
        "512 MiB of 1.0 GiB",
        "300,000 rows",
        "100,000 rows/s",
        "about 3 s left",
        "Esc stops",
    ):
        assert part in text
    slow = dataset_state.inspecting("x.jsonl", Progress(1 << 20, 1 << 30, 10, 3.0)).plain
    assert "about 51 min left" in slow
    assert "left" not in dataset_state.inspecting("x.jsonl", Progress(0, 1 << 30, 0, 0.0)).plain
