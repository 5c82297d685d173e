"""Held-out rows: items of one tool are drawn together."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.evaluation.compare import difference
from tuner_tui.evaluation.driver import judge_given
from tuner_tui.evaluation.suites.heldout import HeldoutTask
from tuner_tui.evaluation.tasks import Answer

TOOLS = ("open_gate", "close_gate", "paint_wall", "feed_cat", "water_plant")
ASKED = (0, 0, 0, 1, 1, 2, 2, 2, 3, 4, 4, None)
"""The tool of each row; None for one that no tool serves."""
FIXED = frozenset({0, 1, 2, 5, 6, 8})
"""The rows that only the second model answers rightly; all of two tools, two of three of another."""


def row(tool: int | None, number: int) -> dict[str, Any]:
    names = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in TOOLS]
    call = {"type": "function", "function": {"name": TOOLS[tool or 0], "arguments": {"number": number}}}
    answer: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [call]}
    if tool is None:
        answer = {"role": "assistant", "content": "None of the tools can do that."}
    return {"messages": [{"role": "user", "content": f"Request {number}."}, answer], "tools": names}


@pytest.fixture
def task(tmp_path: Path) -> HeldoutTask:
    path = tmp_path / "heldout.jsonl"
    path.write_text("".join(json.dumps(row(tool, place)) + "\n" for place, tool in enumerate(ASKED)))
    return HeldoutTask(path)


def lines(task: HeldoutTask, right: frozenset[int]) -> list[dict[str, Any]]:
    found = []
    for place, item in enumerate(task.items):
        said = "No."
        if place in right and item.gold:
            call = {"name": item.gold[0].name, "arguments": item.gold[0].arguments}
            said = f"<tool_call>\n{json.dumps(call)}\n</tool_call>"
        line = judge_given(task, item, [Answer(said, parse_answer(said), 1, 0.0)])
        assert line is not None
        found.append(line)
    return found


def test_requests_for_one_tool_are_one_group(task: HeldoutTask) -> None:
    assert [item.group for item in task.items] == ["" if tool is None else TOOLS[tool] for tool in ASKED]


def test_the_interval_is_that_of_drawing_tools(task: HeldoutTask) -> None:
    found = difference(lines(task, frozenset()), lines(task, FIXED), "full_match", ("base", "tuned"))
    # By hand, of each tool: what was won, and its items. All resamples of five are equally likely.
    tools = [(3, 3), (0, 2), (2, 3), (1, 1), (0, 2)]
    gains = [
        sum(net for net, _ in drawn) / sum(size for _, size in drawn)
        for drawn in itertools.product(tools, repeat=5)
    ]
    tail = scipy.stats.norm.cdf(-math.sqrt(5 / 4) * scipy.stats.t.ppf(0.975, 4))
    low, high = np.quantile(gains, [tail, 1 - tail])
    assert (found["pairs"], found["fixed"], found["delta"]) == (11, 6, 0.5455)
    assert found["interval"] == pytest.approx([low, high], abs=0.02)
    by_items = [{**line, "group": ""} for line in lines(task, frozenset())]
    narrower = difference(by_items, lines(task, FIXED), "full_match", ("base", "tuned"))["interval"]
    assert narrower[1] - narrower[0] < high - low - 0.1, "items of one tool count as more than they are"
