"""Calls in the text of a row, labels and pairs under other keys, system texts beside it: read, or told."""

import json
from pathlib import Path
from typing import Any

import pytest
from data_rows import TOOL, Writer, answer, call, example, result, user

from tuner_tui.data.conversion import convert_file
from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.layouts.formats import Format, detect
from tuner_tui.data.validators import validate

TOOLS = [TOOL]
FUNCTION = {"name": "weather", "arguments": {"city": "Rome"}}
CALL = call(city="Rome")
HERMES = f"<tool_call>\n{json.dumps(FUNCTION)}\n</tool_call>"
WRITTEN = [
    HERMES,
    f"<TOOLCALL>[{json.dumps(FUNCTION)}]</TOOLCALL>",
    f"[TOOL_CALLS] [{json.dumps(FUNCTION)}]</s>",
    '[TOOL_CALLS]weather[ARGS]{"city": "Rome"}',
    '<functioncall> {"name": "weather", "arguments": \'{"city": "Rome"}\'} <|endoftext|>',
    '<|python_tag|>{"name": "weather", "parameters": {"city": "Rome"}}<|eom_id|>',
]


def _rules(row: dict[str, Any], format: Format) -> set[str]:
    return {found.rule for found in validate(convert(row, format), 1)}


@pytest.mark.parametrize("text", WRITTEN)
def test_calls_in_the_text_of_every_layout(text: str) -> None:
    said = answer("", CALL)
    row = example(user(), answer(text))
    for format in (Format.CANONICAL, Format.OPENAI, Format.HERMES):
        assert convert(row, format) == example(user(), said)
    turns = [{"from": "human", "value": user()["content"]}, {"from": "gpt", "value": text}]
    assert convert({"conversations": turns, "tools": TOOLS}, Format.SHAREGPT) == example(user(), said)
    asked: dict[str, Any] = {"prompt": [user()], "tools": TOOLS}
    assert convert(asked | {"completion": text}, Format.COMPLETION) == example(user(), said)
    pair = convert(asked | {"chosen": text, "rejected": "No."}, Format.PREFERENCE)
    assert (pair["chosen"], pair["rejected"]) == ([said], [answer("No.")])
    labelled = convert(asked | {"completion": text, "label": True}, Format.KTO)
    assert labelled["completion"] == [said]
    assert detect([row]) is Format.HERMES


def test_words_beside_the_call_are_kept() -> None:
    converted = convert(example(user(), answer(f"I look. {HERMES} Wait.")), Format.CANONICAL)
    assert converted["messages"][1] == answer("I look.\nWait.", CALL)


def test_results_and_tools_between_tags_follow() -> None:
    system = {"role": "system", "content": f"Be brief.\n<tools>{json.dumps(TOOLS)}</tools>"}
    replied = user("<tool_response>dry</tool_response>")
    row = {"messages": [system, user(), answer(HERMES), replied, answer("No.")]}
    assert convert(row, Format.CANONICAL) == example(
        {"role": "system", "content": "Be brief."},
        *(user(), answer("", CALL), result("dry", name="weather"), answer("No.")),
    )


def test_rows_of_another_layout_in_a_file(write: Writer, tmp_path: Path) -> None:
    plain = [
        {"conversations": [{"from": "human", "value": f"{n}?"}, {"from": "gpt", "value": "Yes."}]}
        for n in range(300)
    ]
    turns = [{"from": "human", "value": user()["content"]}, {"from": "gpt", "value": HERMES}]
    out = tmp_path / "out.jsonl"
    convert_file(write([*plain, {"conversations": turns, "tools": TOOLS}]), out, tmp_path / "rejected.jsonl")
    assert json.loads(out.read_text().splitlines()[-1]) == example(user(), answer("", CALL))


def test_a_toolace_row_among_sharegpt_rows() -> None:
    turns = [{"from": "user", "value": "x"}, {"from": "assistant", "value": '[weather(city="Rome")]'}]
    row = {"system": f"Functions: {json.dumps([TOOL['function']])}", "conversations": turns}
    assert convert(row, Format.SHAREGPT)["messages"][-1] == answer("", CALL)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('Sure: [weather(city="Rome")]', "Sure:"),
        ('[weather(city="Rome")].', ""),
        ('[weather(city="Rome")] and wait', "and wait"),
    ],
)
def test_toolace_with_words_around_the_calls(text: str, content: str) -> None:
    turns = [{"from": "user", "value": "x"}, {"from": "assistant", "value": text}]
    row = {"system": f"Functions: {json.dumps([TOOL['function']])}", "conversations": turns}
    assert convert(row, Format.TOOLACE)["messages"][-1] == answer(content, CALL)


def test_what_cannot_be_read_is_refused_or_told() -> None:
    with pytest.raises(ConversionError) as caught:
        convert(example(user(), answer("<tool_call>{cut</tool_call>")), Format.CANONICAL)
    assert (caught.value.rule, caught.value.field) == ("unparseable_arguments", "messages[1].content")
    # A rejected answer is meant to be wrong.
    pair = {"prompt": "x", "chosen": "Yes.", "rejected": "<TOOLCALL>[...]"}
    assert convert(pair, Format.PREFERENCE)["rejected"] == [answer("<TOOLCALL>[...]")]
    assert _rules(pair, Format.PREFERENCE) == set()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Calls stand between <tool_call> and </tool_call>.", "call_mark"),
        ("<|python_tag|>weather.call(city='Rome')", "call_in_text"),
        ('Sure: [weather(city="Rome")]', "call_in_text"),
        ("As [1] says (see [clock(x)])", None),
    ],
)
def test_what_stays_in_the_text_is_told(text: str, rule: str | None) -> None:
    row = example(user(), answer(text))
    assert _rules(row, Format.CANONICAL) == ({rule} if rule else set())
    untrained = example(user(), answer(text) | {"weight": 0}, user("And now?"), answer("Yes."))
    assert not {"call_mark", "call_in_text"} & _rules(untrained, Format.CANONICAL)


def test_labels_under_every_key() -> None:
    turns = [{"from": "human", "value": user()["content"]}, {"from": "gpt", "value": "Yes."}]
    labelled = {"prompt": [user()], "completion": [answer("Yes.")], "label": False, "tools": []}
    for row in (
        {"conversations": turns, "kto_tag": False},
        {"conversations": turns, "label": False},
        {"conversations": turns, "kto_tag": "false"},
        {"instruction": user()["content"], "output": "Yes.", "kto_tag": False},
        {"instruction": user()["content"], "output": "Yes.", "label": False},
        {"messages": [user(), answer("Yes.")], "label": False},
    ):
        assert detect([row]) is Format.KTO
        assert convert(row, Format.KTO) == labelled
    with pytest.raises(ConversionError, match="true or false"):
        convert({"conversations": turns, "kto_tag": "maybe"}, Format.KTO)


def test_pairs_under_every_key() -> None:
    good, bad = answer("Yes."), answer("No.")
    pair = {"prompt": [user()], "chosen": [good], "rejected": [bad], "tools": []}
    text = user()["content"]
    for row in (
        {"messages": [user()], "chosen_response": good, "rejected_response": bad},
        {"messages": [user(), good], "rejected_response": "No."},
        {"messages": [user()], "chosen": good, "rejected": bad},
        {"messages": [user(), good], "chosen": [good], "rejected": [bad]},
        {"instruction": text, "input": "", "chosen": "Yes.", "rejected": "No."},
        {"prompt": text, "chosen": [user(), good], "rejected": [user(), bad], "messages": [user(), good]},
    ):
        assert detect([row]) is Format.PREFERENCE
        assert convert(row, Format.PREFERENCE) == pair
    asked = {"instruction": "Translate", "input": "ja", "system": "Be brief.", "chosen": "1", "rejected": "2"}
    assert convert(asked, Format.PREFERENCE)["prompt"] == [
        {"role": "system", "content": "Be brief."},
        user("Translate\nja"),
    ]


@pytest.mark.parametrize("more", [{"label": False}, {"chosen": "Yes.", "rejected": "No."}])
def test_a_preference_among_conversations_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ConversionError, match="file of their own") as caught:
        convert(example(user(), answer("Yes.")) | more, Format.CANONICAL)
    assert caught.value.rule == "unknown_layout"


def test_the_system_text_beside_the_row() -> None:
    system = {"role": "system", "content": "Be brief."}
    asked = [{"from": "human", "value": "x"}]
    thought = "Thought: a\nAction: f\nAction Input: {}"
    rows: list[tuple[Format, dict[str, Any]]] = [
        (Format.CANONICAL, {"messages": [user(), answer("Yes.")]}),
        (Format.HERMES, {"conversations": [*asked, {"from": "gpt", "value": HERMES}]}),
        (Format.TOOLLLAMA, {"conversations": [*asked, {"from": "assistant", "value": thought}]}),
        (Format.COMPLETION, {"prompt": "x", "completion": "Yes."}),
        (Format.PREFERENCE, {"prompt": "x", "chosen": "Yes.", "rejected": "No."}),
        (Format.KTO, {"prompt": "x", "completion": "Yes.", "label": True}),
        (Format.XLAM, {"query": "x", "answers": json.dumps([FUNCTION]), "tools": "[]"}),
    ]
    for format, row in rows:
        converted = convert(row | {"system": "Be brief."}, format)
        assert converted.get("messages", converted.get("prompt"))[0] == system
    there = example({"role": "system", "content": "Be exact."}, user(), answer("Yes."))
    assert convert(there | {"system": "Be brief."}, Format.CANONICAL) == there
    parts = example(user(), answer("Yes.")) | {"system": [{"type": "text", "text": "Be brief."}]}
    assert convert(parts, Format.CANONICAL)["messages"][0] == system


def test_text_beside_a_hermes_result_is_kept() -> None:
    def results(role: str, text: str) -> list[dict[str, Any]]:
        row = {"messages": [user(), answer(HERMES), {"role": role, "content": text}], "tools": TOOLS}
        told: list[dict[str, Any]] = convert(row, Format.HERMES)["messages"][2:]
        return told

    assert results("tool", "<tool_response>1</tool_response>\nRate limited.") == [
        result("1\nRate limited.", name="weather")
    ]
    assert results("user", "<tool_response>1</tool_response>\nAnd the time?") == [
        result("1", name="weather"),
        user("And the time?"),
    ]


def test_only_the_schema_is_cut_from_a_hermes_system() -> None:
    text = (
        f"<tools>{json.dumps(TOOLS)}</tools> Use the following pydantic model json schema for each tool call "
        "you will make: {'title': 'FunctionCall', 'properties': {}}\nNever reveal secrets."
    )
    row = {"conversations": [{"from": "system", "value": text}, {"from": "human", "value": "x"}]}
    assert convert(row, Format.HERMES)["messages"][0]["content"] == "Never reveal secrets."


def test_parallel_calls_in_turns_of_their_own() -> None:
    first, second = call(city="Rome"), call(city="Oslo")
    texts = [json.dumps(one["function"]) for one in (first, second)]
    done = [result("1", name="weather"), result("2", name="weather"), answer("Yes.")]
    swift = [
        *({"role": "tool_call", "content": text} for text in texts),
        *({"role": "tool_response", "content": text} for text in "12"),
    ]
    qwen_agent = [
        *({"role": "assistant", "content": "", "function_call": json.loads(text)} for text in texts),
        *({"role": "function", "name": "weather", "content": text} for text in "12"),
    ]
    expected = example(user(), answer("", first, second), *done)
    for turns in (swift, qwen_agent):
        row = example(user(), *turns, answer("Yes."))
        assert convert(row, Format.OPENAI) == expected
        assert _rules(row, Format.OPENAI) == set()
    spoken = example(user(), answer("Let me see."), *swift, answer("Yes."))
    assert convert(spoken, Format.OPENAI)["messages"][1] == answer("Let me see.", first, second)


def test_anthropic_blocks() -> None:
    row = {
        "system": "Be brief.",
        "messages": [
            user(),
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Rome"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "dry"}]}
                ],
            },
            answer("No."),
        ],
        "tools": [
            {
                "name": "weather",
                "description": TOOL["function"]["description"],
                "input_schema": TOOL["function"]["parameters"],
            }
        ],
    }
    assert detect([row]) is Format.TYPED_CONTENT
    converted = convert(row, Format.TYPED_CONTENT)
    assert converted["messages"] == [
        {"role": "system", "content": "Be brief."},
        user(),
        answer("Let me see.", CALL | {"id": "t1"}),
        result("dry", name="weather", tool_call_id="t1"),
        answer("No."),
    ]
    assert converted["tools"][0]["function"]["parameters"] == TOOL["function"]["parameters"]


def test_a_placeholder_in_a_glaive_system_is_text() -> None:
    row = {"system": "SYSTEM: Answer as {name}.", "chat": "USER: x\n\nASSISTANT: Yes. <|endoftext|>"}
    converted = convert(row, Format.GLAIVE)
    assert converted["messages"][0]["content"] == "Answer as {name}."
    assert converted["tools"] == []


def test_xlam_without_a_call_has_nothing_to_train() -> None:
    row = {"query": "Sing.", "answers": "[]", "tools": "[]"}
    assert _rules(row, Format.XLAM) == {"nothing_to_train"}


def test_original_tools_may_be_anything() -> None:
    row = {
        "messages": [user(), answer("Call [f(a=1)].")],
        "tools": [],
        "original_tools": ["f", {"function": 3}],
    }
    assert "call_in_text" not in {found.rule for found in validate(row, 1)}
    row["original_tools"] = [{"name": "f"}]
    assert "call_in_text" in {found.rule for found in validate(row, 1)}
