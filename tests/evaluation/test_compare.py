"""Outcomes and changes from stored items."""

from typing import Any

from tuner_tui.data.answers.parsing import ParsedAnswer
from tuner_tui.data.answers.scoring import judge
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.compare import best_prompt, changed_items, difference, outcome

CALL = Call("find", {"to": "Oslo"})
TOOLS = [
    {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}
]


def item(id: int, gold: list[Call], calls: list[Call]) -> dict[str, Any]:
    verdict = judge(gold, ParsedAnswer("", calls), TOOLS)
    return {
        "id": str(id),
        "row": id,
        "request": f"request {id}",
        "gold": [],
        "text": "",
        "calls": [],
        "verdict": verdict.to_json(),
        "error": verdict.error,
    }


BASE = [item(1, [CALL], [CALL]), item(2, [CALL], []), item(3, [CALL], []), item(4, [], []), item(5, [], [])]
TUNED = [
    item(1, [CALL], []),
    item(2, [CALL], [CALL]),
    item(3, [CALL], [CALL]),
    item(4, [], [CALL]),
    item(5, [], []),
]


def test_outcome_counts_what_applies() -> None:
    found = outcome(BASE)
    assert found["items"] == 5
    assert (found["full_match"]["count"], found["full_match"]["total"]) == (1, 3)
    assert (found["arguments"]["count"], found["arguments"]["total"]) == (1, 1)
    assert (found["no_call"]["count"], found["no_call"]["total"]) == (2, 2)
    assert (found["call_or_no_call"]["count"], found["call_or_no_call"]["total"]) == (3, 5)
    assert found["errors"] == {"missing_call": 2}


def test_outcome_of_nothing() -> None:
    assert outcome([])["full_match"] == {"count": 0, "total": 0, "rate": None, "interval": [0.0, 1.0]}


def test_difference_is_paired() -> None:
    found = difference(BASE, TUNED, "full_match", ("base", "tuned"))
    assert (found["pairs"], found["fixed"], found["broken"]) == (3, 2, 1)
    assert found["delta"] == 0.3333
    assert found["p_value"] == 1.0
    only = difference(BASE, TUNED[:1], "full_match", ("base", "tuned"))
    assert (only["pairs"], only["delta"]) == (1, -1.0)
    assert difference(BASE, [], "full_match", ("base", "tuned"))["pairs"] == 0


def test_changed_items_name_the_broken_first() -> None:
    changed = changed_items(BASE, TUNED)
    assert [(each.id, each.direction) for each in changed] == [
        ("1", "broken"),
        ("4", "broken"),
        ("2", "fixed"),
        ("3", "fixed"),
    ]
    assert changed[0].before["verdict"]["right"] and not changed[0].after["verdict"]["right"]


def test_best_prompt_counts_requests_without_a_call_too() -> None:
    calls_everything = [
        item(1, [CALL], [CALL]),
        item(2, [CALL], [CALL]),
        item(4, [], [CALL]),
        item(5, [], [CALL]),
    ]
    arms = {"base": outcome(BASE), "examples": outcome(calls_everything), "tuned": outcome(TUNED)}
    assert best_prompt(arms) == "base"
    assert best_prompt({"tuned": outcome(TUNED)}) is None
