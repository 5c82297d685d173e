"""All suites as text: every line fits, every figure has its interval, and one arm alone needs one column."""

from pathlib import Path

import pytest

from tuner_tui.report.suites import read_suite, read_suites
from tuner_tui.tui.widgets.suites_text import suites

RECORDED = Path(__file__).parent / "suites_run"


@pytest.mark.parametrize("width", [75, 96, 120])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    for details in (False, True):
        shown = suites(read_suites(RECORDED), width, details=details).plain.split("\n")
        assert max(map(len, shown)) <= width


def test_details_give_measures_categories_and_means_of_base_and_tuned() -> None:
    lines = suites(read_suites(RECORDED), details=True).plain.split("\n")
    right_tool = next(line for line in lines if line.startswith("  Right tool"))
    assert right_tool.split() == ["Right", "tool", "0%", "0/10", "0–28", "0%", "0/10", "0–28"]
    assert any(line.split()[:3] == ["by", "category", "base"] for line in lines if line.strip())
    assert any(line.startswith("  Bits per byte") for line in lines)
    # Held-out rows have tabs of their own.
    assert not any(line.startswith("  Right arguments") for line in lines[: lines.index("")])


def test_a_base_model_alone_has_no_column_for_a_tuned_one() -> None:
    section = read_suite(RECORDED / "eval" / "general")
    assert section is not None
    del section["arms"]["tuned"]
    shown = suites([{**section, "claim": None, "kept": []}], details=True).plain
    assert "base" in shown and "Tuned, plain prompt" not in shown
    assert not any("tuned" in line for line in shown.split("\n") if line.startswith("  by category"))
