"""Layouts: told from content, converted to the canonical example, refused with a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from data_rows import TOOL, Writer, answer, call, example, result, user

from tuner_tui.data.conversion import convert_file
from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.layouts.formats import Format, detect
from tuner_tui.data.sources import open_source
from tuner_tui.errors import UserError

TOOLS = [TOOL]
CANONICAL = example(user(), answer("", call(city="Rome")), result(name="weather"), answer("Yes."))
PREFERENCE = {
    "prompt": [user()],
    "chosen": [answer("", call(city="Rome"))],
    "rejected": [answer("No.")],
    "tools": TOOLS,
}

OPENAI = {
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Will it "}, {"type": "text", "text": "rain in Rome?"}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
                },
                {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": ""}},
            ],
        },
        {"role": "tool", "tool_call_id": "c2", "content": "noon"},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "assistant", "content": "Yes.", "weight": 0},
    ],
    "tools": TOOLS,
    "parallel_tool_calls": True,
}
LEGACY = {
    "messages": [
        {"role": "user", "content": "Will it rain in Rome?"},
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "weather", "arguments": '{"city": "Rome"}'},
        },
        {"role": "function", "name": "weather", "content": '{"rain": true}'},
        {"role": "assistant", "content": "Yes."},
    ],
    "functions": [TOOL["function"]],
}
SHAREGPT = {
    "system": "Be brief.",
    "conversations": [
        {"from": "human", "value": "Will it rain in Rome and Oslo?"},
        {"from": "gpt", "value": "Let me look."},
        {
            "from": "function_call",
            "value": json.dumps(
                [
                    {"name": "weather", "arguments": {"city": "Rome"}},
                    {"name": "weather", "arguments": '{"city": "Oslo"}'},
                ]
            ),
        },
        {"from": "observation", "value": '["dry", {"rain": true}]'},
        {"from": "gpt", "value": "Only in Oslo."},
    ],
    "tools": json.dumps([TOOL["function"]]),
}
COMPLETION = {"prompt": [user(), answer("Where?"), user("In Rome.")], "completion": [answer("Yes.")]}


@pytest.mark.parametrize(
    ("value", "format"),
    [
        (CANONICAL, Format.CANONICAL),
        (PREFERENCE, Format.PREFERENCE),
        (OPENAI, Format.OPENAI),
        (LEGACY, Format.OPENAI),
        (SHAREGPT, Format.APIGEN_MT),
        ({key: part for key, part in SHAREGPT.items() if key != "system"}, Format.SHAREGPT),
        (COMPLETION, Format.COMPLETION),
        (COMPLETION | {"label": False}, Format.KTO),
        (CANONICAL | {"label": True}, Format.KTO),
        (CANONICAL | {"messages": json.dumps(CANONICAL["messages"])}, Format.CANONICAL),
        ({"text": "…"}, Format.TEXT),
        ({"text": 5}, Format.UNKNOWN),
        ({}, Format.UNKNOWN),
        ({"messages": [{"role": "user", "content": [{"type": "text", "value": "x"}]}]}, Format.TYPED_CONTENT),
        ({"messages": "x", "tools": 5}, Format.CANONICAL),
        ({"conversations": {"from": 1}}, Format.SHAREGPT),
    ],
)
def test_detect(value: dict[str, Any], format: Format) -> None:
    assert detect([value]) is format


def test_detect_takes_the_layout_of_most_rows() -> None:
    assert detect([SHAREGPT, {"x": 1}, {"x": 2}, {"x": 3}]) is Format.APIGEN_MT
    talk = {"conversations": SHAREGPT["conversations"][:2]}
    assert detect([talk, talk, SHAREGPT]) is Format.APIGEN_MT
    assert detect([talk, talk, {"text": "x"}]) is Format.SHAREGPT
    plain = {"messages": [user(), answer("Yes.")]}
    # Rows without calls belong to both; the calls decide.
    assert detect([plain, plain, plain, OPENAI]) is Format.OPENAI
    assert detect([plain, CANONICAL, CANONICAL, OPENAI]) is Format.CANONICAL
    assert detect([]) is Format.UNKNOWN


def test_canonical_stays_as_it_is() -> None:
    assert convert(CANONICAL, Format.CANONICAL) == CANONICAL
    assert convert(PREFERENCE, Format.PREFERENCE) == PREFERENCE
    as_text = CANONICAL | {"tools": json.dumps(TOOLS)}
    assert convert(as_text, Format.CANONICAL) == CANONICAL


def test_openai() -> None:
    converted = convert(OPENAI, Format.OPENAI)
    system, request, calling, noon, rain, last = converted["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert request == user()
    assert calling["content"] == ""
    assert [one["function"] for one in calling["tool_calls"]] == [
        {"name": "weather", "arguments": {"city": "Rome"}},
        {"name": "clock", "arguments": {}},
    ]
    # The order of the results is not that of the calls: the id tells which is which.
    assert (noon["name"], rain["name"]) == ("clock", "weather")
    assert last["weight"] == 0
    assert converted["tools"] == TOOLS


def test_legacy_functions() -> None:
    assert convert(LEGACY, Format.OPENAI) == CANONICAL


def test_sharegpt() -> None:
    system, request, calling, first, second, last = convert(SHAREGPT, Format.SHAREGPT)["messages"]
    assert (system["role"], request["role"], last) == ("system", "user", answer("Only in Oslo."))
    # The text before the call is kept, with both calls in one turn.
    assert calling == answer("Let me look.", call(city="Rome"), call(city="Oslo"))
    assert first == {"role": "tool", "content": "dry", "name": "weather"}
    assert second == {"role": "tool", "content": '{"rain":true}', "name": "weather"}


def test_completions() -> None:
    messages = convert(COMPLETION, Format.COMPLETION)["messages"]
    assert [message.get("weight") for message in messages] == [None, 0, None, None]
    as_text = {"prompt": "Will it rain in Rome?", "completion": "Yes."}
    assert convert(as_text, Format.COMPLETION) == {"messages": [user(), answer("Yes.")], "tools": []}


def test_preferences_with_the_prompt_in_both_answers() -> None:
    pair = {"chosen": [user(), answer("Yes.")], "rejected": [user(), answer("No.")]}
    converted = convert(pair, Format.PREFERENCE)
    assert converted == {
        "prompt": [user()],
        "chosen": [answer("Yes.")],
        "rejected": [answer("No.")],
        "tools": [],
    }


def test_preferences_of_other_programs() -> None:
    chosen, rejected = [answer("", call(city="Rome"))], [answer("No.")]
    expected = {"prompt": [user()], "chosen": chosen, "rejected": rejected, "tools": TOOLS}
    llama_factory = {
        "conversations": [{"from": "human", "value": user()["content"]}],
        "chosen": {"from": "function_call", "value": json.dumps(chosen[0]["tool_calls"][0]["function"])},
        "rejected": {"from": "gpt", "value": "No."},
        "tools": json.dumps([TOOL["function"]]),
    }
    openai = {
        "input": {"messages": [user()], "tools": TOOLS, "parallel_tool_calls": True},
        "preferred_output": chosen,
        "non_preferred_output": rejected,
    }
    for row in (llama_factory, openai):
        assert detect([row]) is Format.PREFERENCE
        assert convert(row, Format.PREFERENCE) == expected
    asked = {"question": user()["content"], "chosen": "Yes.", "rejected": "No."}
    assert convert(asked, Format.PREFERENCE) == {
        "prompt": [user()],
        "chosen": [answer("Yes.")],
        "rejected": rejected,
        "tools": [],
    }


def test_implicit_prompts_with_calls() -> None:
    start = [user(), answer("", {**call(city="Rome"), "id": "c1"}), result("dry")]
    pair = {"chosen": [*start, answer("Yes.")], "rejected": [*start, answer("", call(city="Oslo"))]}
    converted = convert(pair, Format.PREFERENCE)
    assert len(converted["prompt"]) == 3
    assert converted["prompt"][2] == result("dry", name="weather", tool_call_id="c1")
    assert converted["rejected"] == [answer("", call(city="Oslo"))]


def test_results_belong_to_calls_by_id_then_name_then_order() -> None:
    calls = [{**call("f"), "id": "a"}, {**call("g"), "id": "b"}]
    by_id = [result("1", tool_call_id="b"), result("2", tool_call_id="a"), result("3", tool_call_id="z")]
    messages = convert(example(user(), answer("", *calls), *by_id), Format.CANONICAL)["messages"][2:]
    assert [message.get("name") for message in messages] == ["g", "f", None]
    by_name = [result("1", name="g"), result("2")]
    messages = convert(example(user(), answer("", *calls), *by_name), Format.CANONICAL)["messages"][2:]
    assert [(m["name"], m["tool_call_id"]) for m in messages] == [("g", "b"), ("f", "a")]
    plain = [call("f"), call("g")]
    messages = convert(example(user(), answer("", *plain), result("1"), result("2")), Format.CANONICAL)[
        "messages"
    ]
    assert [message["name"] for message in messages[2:]] == ["f", "g"]


def test_what_an_assistant_said_is_kept() -> None:
    spoken: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"content": None, "refusal": "I must not."}, answer("I must not.")),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, answer("No.")),
        ({"content": "x", "thinking": "why"}, {**answer("x"), "reasoning_content": "why"}),
        ({"content": "x", "train": False}, {**answer("x"), "weight": 0}),
        ({"content": "x", "weight": 1}, answer("x")),
        ({"content": "x", "tool_calls": []}, answer("x")),
        (
            {"content": "x", "tool_calls": [{"name": "f", "parameters": {"a": 1}}]},
            answer("x", call("f", a=1)),
        ),
    ]
    for said, expected in spoken:
        row = {"messages": [user(), {"role": "assistant", **said}]}
        assert convert(row, Format.OPENAI)["messages"][1] == expected
    with pytest.raises(ConversionError, match=r"the weight is 0.5"):
        convert({"messages": [{"role": "assistant", "content": "x", "weight": 0.5}]}, Format.OPENAI)


def test_json_text_in_the_columns_of_a_table() -> None:
    messages = [dict(message) for message in CANONICAL["messages"]]
    messages[1]["tool_calls"] = json.dumps(messages[1]["tool_calls"])
    row = {"messages": messages, "tools": [json.dumps(tool) for tool in TOOLS]}
    assert convert(row, Format.CANONICAL) == CANONICAL
    assert convert(row | {"messages": json.dumps(messages)}, Format.CANONICAL) == CANONICAL
    for change, field in (({"tools": ["{cut"]}, "tools[0]"), ({"messages": "[{cut"}, "messages")):
        with pytest.raises(ConversionError, match="not JSON") as caught:
            convert(row | change, Format.CANONICAL)
        assert caught.value.field == field


def test_values_that_json_cannot_hold() -> None:
    row = example(user(), answer("", call(a=2**70)))
    with pytest.raises(ConversionError, match="JSON cannot hold"):
        convert(row, Format.CANONICAL)
    with pytest.raises(ConversionError, match="JSON cannot hold"):
        convert(CANONICAL | {"tools": [{**TOOL, "type": "\ud800"}]}, Format.CANONICAL)


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"messages": "x"}, "bad_message", "messages"),
        ({"messages": []}, "bad_message", "messages"),
        ({"messages": [1]}, "bad_message", "messages[0]"),
        ({"messages": [{"content": "x"}]}, "bad_message", "messages[0]"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "bad_message", "messages[0]"),
        ({"messages": [{"role": "user", "content": {"x": 1}}]}, "bad_message", "messages[0].content"),
        ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "bad_message", "messages[0].tool_calls"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [1]}]},
            "bad_message",
            "messages[0].tool_calls[0]",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": {}}}]}]},
            "bad_message",
            "messages[0].tool_calls[0].function.name",
        ),
        (
            {"messages": [answer("", {"function": {"name": "f", "arguments": "{"}})]},
            "unparseable_arguments",
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            {"messages": [answer("", {"function": {"name": "f", "arguments": [1]}})]},
            "unparseable_arguments",
            "messages[0].tool_calls[0].function.arguments",
        ),
        ({"tools": {"weather": {}}}, "tools_not_list", "tools"),
        ({"tools": "[{"}, "tools_not_list", "tools"),
        ({"tools": ["weather"]}, "invalid_tool", "tools[0]"),
    ],
)
def test_what_cannot_be_converted_names_its_field(change: dict[str, Any], rule: str, field: str) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(CANONICAL | change, Format.CANONICAL)
    assert (caught.value.rule, caught.value.field) == (rule, field)
    assert str(caught.value)


@pytest.mark.parametrize("format", list(Format))
def test_a_row_of_another_layout(format: Format) -> None:
    with pytest.raises(ConversionError) as caught:
        convert({"other": "x"}, format)
    assert caught.value.rule in ("unknown_layout", "no_answer")


def test_a_row_nested_deeper_than_can_be_written_again() -> None:
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"a": deep}
    with pytest.raises(ConversionError, match="nested too deeply"):
        convert(example(user(), answer("", call(**deep))), Format.CANONICAL)


def test_an_empty_list_of_calls_is_no_call() -> None:
    row = {"conversations": [{"from": "human", "value": "x"}, {"from": "function_call", "value": "[]"}]}
    assert convert(row, Format.SHAREGPT)["messages"][1] == answer("")


def test_a_call_that_is_no_json_in_sharegpt() -> None:
    row = {
        "conversations": [
            {"from": "human", "value": "x"},
            {"from": "function_call", "value": "weather(Rome)"},
        ]
    }
    with pytest.raises(ConversionError) as caught:
        convert(row, Format.SHAREGPT)
    assert (caught.value.rule, caught.value.field) == ("unparseable_arguments", "conversations[1].value")


def test_an_unknown_layout_names_what_was_seen_and_what_is_known(write: Writer) -> None:
    path = write([{"instruction": "x", "\x1b[31mresult": "y"}])
    with pytest.raises(UserError) as caught:
        open_source(path)
    text = str(caught.value)
    assert "instruction" in text
    assert "ShareGPT" in text
    assert "\x1b" not in text


def test_convert_file(write: Writer, tmp_path: Path) -> None:
    source = write([SHAREGPT, "{cut", {"text": "x"}, SHAREGPT])
    out, rejected = tmp_path / "out.jsonl", tmp_path / "rejected.jsonl"
    conversion = convert_file(source, out, rejected)
    assert (conversion.rows, conversion.converted, conversion.rejected) == (4, 2, 2)
    assert conversion.format is Format.APIGEN_MT
    assert [(one.rule, one.count, one.row) for one in conversion.reasons] == [
        ("not_json", 1, 2),
        ("unknown_layout", 1, 3),
    ]
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines == [convert(SHAREGPT, Format.SHAREGPT)] * 2
    first, second = (json.loads(line) for line in rejected.read_text().splitlines())
    assert (first["row"], first["rule"], first["value"]) == (2, "not_json", None)
    assert (second["row"], second["rule"], second["value"]) == (3, "unknown_layout", {"text": "x"})
    # What was converted is canonical: to convert it again changes nothing.
    again = tmp_path / "again.jsonl"
    convert_file(out, again, rejected)
    assert again.read_bytes() == out.read_bytes()
    assert rejected.read_bytes() == b""  # the older one is replaced
    convert_file(out, again, tmp_path / "none.jsonl")
    assert not (tmp_path / "none.jsonl").exists()


def test_convert_file_never_writes_over_its_source(write: Writer, tmp_path: Path) -> None:
    source = write([SHAREGPT])
    before = source.read_bytes()
    with pytest.raises(UserError, match="different files"):
        convert_file(source, source, tmp_path / "rejected.jsonl")
    with pytest.raises(UserError, match="cannot be written"):
        convert_file(source, tmp_path / "no" / "out.jsonl", tmp_path / "rejected.jsonl")
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl"]
