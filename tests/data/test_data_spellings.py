"""Messages, calls and tools in other spellings; integers that no library keeps."""

import json
from pathlib import Path
from typing import Any

import pytest

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.literals.json_text import dump_json, load_json
from tuner_tui.data.literals.values import read_value
from tuner_tui.data.readers import decode, read_rows

ASK = {"role": "user", "content": "q"}
DONE = {"role": "assistant", "content": "done"}
F, G = (
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "d",
            "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
        },
    }
    for name in "fg"
)
TOO_LARGE = 2**64


def messages(*said: dict[str, Any], **row: Any) -> list[dict[str, Any]]:
    """The canonical messages of a row."""
    told: list[dict[str, Any]] = convert({"messages": list(said), "tools": [F, G], **row}, Format.CANONICAL)[
        "messages"
    ]
    return told


def refusal(*said: dict[str, Any], **row: Any) -> tuple[str, str | None, str]:
    """Rule, field and sentence of the refusal of a row."""
    with pytest.raises(ConversionError) as caught:
        messages(*said, **row)
    return caught.value.rule, caught.value.field, str(caught.value)


def asks(*calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An assistant message with calls."""
    return {"role": "assistant", "content": "", "tool_calls": list(calls), **more}


@pytest.mark.parametrize("key", ["arguments", "parameters", "args", "input", "kwargs"])
def test_arguments_under_any_known_key(key: str) -> None:
    """As an object and as JSON text, alone and beside a null."""
    for written in ({"a": 1}, '{"a": 1}'):
        for empty in ({}, {"arguments": None}):
            call = {**empty, "name": "f", key: written, "id": "c", "type": "tool_call"}
            (made,) = messages(ASK, asks(call))[1]["tool_calls"]
            assert made == {"type": "function", "id": "c", "function": {"name": "f", "arguments": {"a": 1}}}


def test_arguments_under_an_unknown_key_are_refused() -> None:
    """They would be lost; a call without any other key has none."""
    rule, field, sentence = refusal(ASK, asks({"name": "f", "inputs": {"a": 1}}))
    assert (rule, field) == ("unparseable_arguments", "messages[1].tool_calls[0]")
    assert '"inputs"' in sentence
    assert messages(ASK, asks({"name": "f", "id": "c"}))[1]["tool_calls"][0]["function"]["arguments"] == {}


def test_arguments_of_other_layouts() -> None:
    """ShareGPT's call turns and xLAM's answers go the same way."""
    call = json.dumps({"name": "f", "args": {"a": 1}})
    turns = [{"from": "human", "value": "q"}, {"from": "function_call", "value": call}]
    sharegpt = convert({"conversations": turns, "tools": [F]}, Format.SHAREGPT)
    xlam = convert({"query": "q", "answers": f"[{call}]", "tools": [F]}, Format.XLAM)
    for example in (sharegpt, xlam):
        assert example["messages"][-1]["tool_calls"][0]["function"]["arguments"] == {"a": 1}


@pytest.mark.parametrize("calls", [[], "[]", "", None])
def test_no_tool_calls_do_not_hide_a_function_call(calls: Any) -> None:
    """Both keys in one message, the newer one empty."""
    said = {"role": "assistant", "content": "", "tool_calls": calls, "function_call": {"name": "f"}}
    assert messages(ASK, said)[1]["tool_calls"][0]["function"]["name"] == "f"


def test_functions_beside_no_tools() -> None:
    """An empty list of tools is none."""
    row = {"messages": [ASK, DONE], "tools": [], "functions": [F["function"]]}
    assert convert(row, Format.OPENAI)["tools"] == [F]


def test_tools_of_the_system_message() -> None:
    """As GLM-4 has them."""
    system = {"role": "system", "content": "s", "tools": [F]}
    assert convert({"messages": [system, ASK, DONE]}, Format.CANONICAL)["tools"] == [F]


@pytest.mark.parametrize("key", ["tool_call_id", "call_id", "toolCallId", "id"])
@pytest.mark.parametrize("ids", [("x", "y"), (1, 2)])
def test_ids_of_any_spelling_tie_results(key: str, ids: tuple[Any, Any]) -> None:
    """Results in another order than their calls."""
    calls = [{"id": one, "name": "f", "arguments": {}} for one in ids]
    results = [{"role": "tool", key: one, "content": f"of {one}"} for one in reversed(ids)]
    told = messages(ASK, asks(*calls), *results, DONE)
    assert [call["id"] for call in told[1]["tool_calls"]] == [str(one) for one in ids]
    assert [one["tool_call_id"] for one in told[2:4]] == [str(one) for one in reversed(ids)]


def test_the_id_of_a_message_is_not_always_a_calls() -> None:
    """It says nothing where no call has it."""
    call = {"id": "c", "name": "f", "arguments": {}}
    told = messages(ASK, asks(call), {"role": "tool", "id": "msg_7", "content": "r"})
    assert told[2]["tool_call_id"] == "c"


def test_an_empty_name_or_id_is_none() -> None:
    """Columns of a table have them empty."""
    told = messages(
        ASK,
        asks({"name": "f", "arguments": {}}),
        {"role": "tool", "name": "", "tool_call_id": "", "content": "r"},
    )
    assert told[2] == {"role": "tool", "content": "r", "name": "f"}


@pytest.mark.parametrize("mark", [{"loss": 0}, {"train": 0}, {"loss": False}, {"train": 0.0}, {"weight": 0}])
def test_marks_of_what_is_not_trained(mark: dict[str, Any]) -> None:
    """0 and false say the same."""
    assert messages(ASK, {**DONE, **mark})[1]["weight"] == 0
    assert "weight" not in messages(ASK, {**DONE, **dict.fromkeys(mark, 1)})[1]


def test_thoughts_of_a_part_and_of_a_field() -> None:
    """Both are kept, and what is said twice once."""
    parts = [{"type": "reasoning", "value": "in a part"}, {"type": "text", "value": "x"}]
    said = {
        "role": "assistant",
        "content": parts,
        "reasoning": "in a field",
        "reasoning_content": "in a field",
    }
    assert messages(ASK, said)[1]["reasoning_content"] == "in a field\nin a part"


@pytest.mark.parametrize("key", ["output", "observation", "text"])
def test_a_result_under_another_key(key: str) -> None:
    """Text, and an object as JSON."""
    for written, text in (("42", "42"), ({"n": 4}, '{"n":4}')):
        told = messages(ASK, asks({"name": "f"}), {"role": "tool", key: written}, DONE)
        assert told[2]["content"] == text


def test_a_call_inside_its_result() -> None:
    """ChatGLM3: the call joins the assistant's text before it, or is a turn of its own."""
    tool = {"role": "tool", "name": "f", "parameters": {"a": 1}, "observation": "r"}
    for before in ([], [{"role": "assistant", "content": "let me see"}]):
        told = messages(ASK, *before, tool, tool, DONE)
        assert [one["role"] for one in told] == ["user", *("assistant", "tool") * 2, "assistant"]
        assert told[1]["content"] == (before[0]["content"] if before else "")
        assert told[1]["tool_calls"][0]["function"] == {"name": "f", "arguments": {"a": 1}}
        assert told[2] == {"role": "tool", "content": "r", "name": "f"}


def test_a_message_without_known_content_is_refused() -> None:
    """The sentence names the keys that are there."""
    rule, field, sentence = refusal(ASK, {"role": "assistant", "answer": "x", "score": 1})
    assert (rule, field) == ("bad_message", "messages[1]")
    assert '"answer", "score"' in sentence


# -- integers ------------------------------------------------------------------------------------------------


def test_large_integers_are_read_and_written_exactly() -> None:
    """Beyond 64 bits, where orjson gives a float; and what has as many digits and fits."""
    text = '{"a":[18446744073709551616,-9223372036854775809],"é":"12345678901234567890123"}'
    value = load_json(text)
    assert value["a"] == [2**64, -(2**63) - 1]
    assert dump_json(value).decode() == text
    assert load_json(b"[18446744073709551615, 0.12345678901234567890]") == [2**64 - 1, 0.12345678901234568]


@pytest.mark.parametrize("number", [TOO_LARGE, -(2**63) - 1, 10**30])
def test_large_integers_in_arguments_are_refused(number: int) -> None:
    """As an object and as JSON text, here and in ShareGPT's and Hermes' words."""
    arguments = {"a": number}
    expected = ("unparseable_arguments", "a value that JSON cannot hold (Integer exceeds 64-bit range)")
    for written in (arguments, json.dumps(arguments)):
        row = decode(
            1, json.dumps([asks({"name": "f", "arguments": written})]).join(('{"messages":', "}")).encode()
        )
        with pytest.raises(ConversionError) as caught:
            convert(row.value or {}, Format.CANONICAL)
        assert (caught.value.rule, str(caught.value)) == expected
    for call in (
        json.dumps({"name": "f", "arguments": arguments}),
        str({"name": "f", "arguments": arguments}),
    ):
        turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": f"<tool_call>{call}</tool_call>"}]
        with pytest.raises(ConversionError) as caught:
            convert({"conversations": turns, "tools": [F]}, Format.HERMES)
        assert (caught.value.rule, str(caught.value)) == expected


def test_large_integers_in_a_file(tmp_path: Path) -> None:
    """In arguments and schemas they are errors; where nothing is read they do no harm."""
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": TOO_LARGE}}}
    bound = {"type": "function", "function": {"name": "f", "parameters": schema}}
    rows = [
        {"messages": [ASK, asks({"name": "f", "arguments": {"a": TOO_LARGE}})], "tools": [F]},
        {"messages": [ASK, asks({"name": "f", "arguments": f'{{"a": {TOO_LARGE}}}'})], "tools": [F]},
        {"messages": [ASK, DONE], "tools": [bound]},
        {"messages": [ASK, DONE], "tools": [F], "meta": {"seed": TOO_LARGE}},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    found = {one.row: one.rule for one in inspect_file(path).findings if one.severity == "error"}
    assert found == {1: "unparseable_arguments", 2: "unparseable_arguments", 3: "bad_message"}
    assert [row.value for row in read_rows(path)] == rows


@pytest.mark.parametrize("text", ["{'a': -1e999}", "{'a': 1e999}", "{'a': +1e999}", "[-True]"])
def test_a_literal_that_json_cannot_hold(text: str) -> None:
    """It would become null."""
    with pytest.raises(ValueError, match="no literal"):
        read_value(text)
