"""Turns of other layouts: results tied to the calls that they answer."""

import json
from typing import Any

import pytest

from tuner_tui.data.converters import convert
from tuner_tui.data.layouts.formats import Format

A, B = ({"name": name, "arguments": {}} for name in "AB")
TOOLS = [{"type": "function", "function": {"name": name}} for name in "AB"]


def results(*turns: dict[str, Any], calls: Any = (A, B)) -> list[tuple[Any, Any, str]]:
    """Name, id and text of the results in a ShareGPT row with these turns after its calls."""
    asked = [
        {"from": "human", "value": "q"},
        {"from": "gpt", "value": "", "tool_calls": list(calls)},
        *({"from": "tool", **turn} for turn in turns),
        {"from": "gpt", "value": "done"},
    ]
    example = convert({"conversations": asked, "tools": TOOLS}, Format.SHAREGPT)
    return [
        (message.get("name"), message.get("tool_call_id"), message["content"])
        for message in example["messages"]
        if message["role"] == "tool"
    ]


def test_one_list_of_results_is_divided() -> None:
    """The only result after two calls holds one for each."""
    assert results({"value": '["a", {"b": 1}]'}) == [("A", None, "a"), ("B", None, '{"b":1}')]


@pytest.mark.parametrize("text", ['["a"]', '["a", "b", "c"]', '{"a": 1, "b": 2}', "a, b"])
def test_another_result_stays_whole(text: str) -> None:
    """A list of another length, and what is no list, is the first call's."""
    assert results({"value": text}) == [("A", None, text)]


def test_a_named_list_is_one_result() -> None:
    """The name says that the whole list is what B gave."""
    assert results({"value": '["b1", "b2"]', "name": "B"}) == [("B", None, '["b1", "b2"]')]


def test_a_list_with_an_id_is_one_result() -> None:
    """The ids of the results are kept, and decide."""
    told = results(
        {"value": '["b1", "b2"]', "tool_call_id": "2"},
        {"value": '["a1", "a2"]', "tool_call_id": "1"},
        calls=({**A, "id": "1"}, {**B, "id": "2"}),
    )
    assert told == [("B", "2", '["b1", "b2"]'), ("A", "1", '["a1", "a2"]')]


def test_as_many_results_as_calls_stay_apart() -> None:
    """Two results, of which the first is a list of two."""
    told = results({"value": '["x", "y"]'}, {"value": '["z", "w"]'})
    assert told == [("A", None, '["x", "y"]'), ("B", None, '["z", "w"]')]


def test_a_tagged_list_is_one_result() -> None:
    """In Hermes' layout each result has tags of its own."""
    calls = "".join(f"<tool_call>{json.dumps(call)}</tool_call>" for call in (A, B))
    turns = [("human", "q"), ("gpt", calls)]
    for inside, name in (('{"name": "B", "content": ["b1", "b2"]}', "B"), ('["x", "y"]', "A")):
        row = [*turns, ("tool", f"<tool_response>{inside}</tool_response>"), ("gpt", "done")]
        value = {"conversations": [{"from": who, "value": text} for who, text in row], "tools": TOOLS}
        told = [one for one in convert(value, Format.HERMES)["messages"] if one["role"] == "tool"]
        assert [one["name"] for one in told] == [name]
        assert json.loads(told[0]["content"]) in (["b1", "b2"], ["x", "y"])


def test_a_list_names_the_tools_itself() -> None:
    """Results in another order than the calls, in ToolACE's words."""
    listed = [{"name": "B", "results": "rb"}, {"name": "A", "results": "ra"}]
    assert results({"value": json.dumps(listed)}) == [
        ("B", None, '{"name":"B","results":"rb"}'),
        ("A", None, '{"name":"A","results":"ra"}'),
    ]


def test_all_text_before_a_call_is_one_turn_with_it() -> None:
    """To convert the converted row changes nothing."""
    said = [{"from": "gpt", "value": text} for text in ("one", "two")]
    call = {"from": "function_call", "value": json.dumps(A)}
    row = {"conversations": [{"from": "human", "value": "q"}, *said, call, call], "tools": TOOLS}
    once = convert(row, Format.SHAREGPT)["messages"]
    assert [message["content"] for message in once] == ["q", "one\ntwo"]
    assert len(once[1]["tool_calls"]) == 2
    again = [{"from": message["role"], **message, "value": message["content"]} for message in once]
    assert convert({"conversations": again, "tools": TOOLS}, Format.SHAREGPT)["messages"] == once
