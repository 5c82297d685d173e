"""Layouts of published benchmarks: told from content; ToolBench, ToolTalk and APIBench converted."""

from typing import Any

import pytest
from data_rows import answer, user
from published_checks import Value, instructions, refused, rules
from published_rows import (
    API_BANK,
    APIBENCH_LIST_ROW,
    DICT_ANSWER,
    LOOKUP_CALL,
    LOOKUP_RESULT,
    MARKED_ANSWER,
    SEAL_TOOLS,
    SEAL_TOOLS_TEXT,
    SEAL_TOOLS_TOOLS,
    TOOLALPACA,
    TOOLBENCH_QUERY,
    TOOLTALK,
    apibench,
    finish,
    toolbench,
)

from tuner_tui.data.converters import convert
from tuner_tui.data.layouts.formats import Format, detect


@pytest.mark.parametrize(
    ("value", "format"),
    [
        (toolbench(), Format.TOOLBENCH),
        (TOOLBENCH_QUERY, Format.TOOLBENCH),
        (TOOLALPACA, Format.TOOLALPACA),
        (instructions(TOOLALPACA)[0], Format.TOOLALPACA),
        ({"dialogue": API_BANK}, Format.API_BANK),
        (API_BANK[2], Format.API_BANK),
        (SEAL_TOOLS, Format.SEAL_TOOLS),
        (SEAL_TOOLS_TEXT, Format.SEAL_TOOLS),
        (SEAL_TOOLS_TOOLS[0], Format.SEAL_TOOLS),
        (TOOLTALK, Format.TOOLTALK),
        (apibench("###Instruction: a\n###Output: b"), Format.APIBENCH),
        (APIBENCH_LIST_ROW, Format.APIBENCH),
    ],
)
def test_detect(value: dict[str, Any], format: Format) -> None:
    assert detect([value]) is format


# -- ToolBench -------------------------------------------------------------------------------------


def test_toolbench_takes_the_whole_path_and_its_answer() -> None:
    value = toolbench(
        LOOKUP_CALL, LOOKUP_RESULT, finish(return_type="give_answer", final_answer="It is ACT.")
    )
    converted = convert(value, Format.TOOLBENCH)
    system, request, calling, result, last = converted["messages"]
    assert (system["role"], request["role"]) == ("system", "user")
    assert [call["function"] for call in calling["tool_calls"]] == [
        {"name": "agency_for_customs", "arguments": {"is_id": "A"}}
    ]
    assert (result["role"], result["name"]) == ("tool", "agency_for_customs")
    assert last == answer("It is ACT.")
    assert [tool["function"]["name"] for tool in converted["tools"]] == ["agency_for_customs"]
    assert rules(converted) == []


def test_toolbench_text_before_the_answer_is_the_same_turn() -> None:
    thought = {"role": "assistant", "content": "That is enough."}
    value = toolbench(
        LOOKUP_CALL, LOOKUP_RESULT, thought, finish(return_type="give_answer", final_answer="ACT.")
    )
    converted = convert(value, Format.TOOLBENCH)
    assert converted["messages"][-1] == answer("That is enough.\nACT.")
    assert rules(converted) == []


def test_toolbench_giving_up_stays_a_call() -> None:
    converted = convert(toolbench(finish(return_type="give_up_and_restart")), Format.TOOLBENCH)
    [call] = converted["messages"][-1]["tool_calls"]
    assert call["function"] == {"name": "Finish", "arguments": {"return_type": "give_up_and_restart"}}
    assert [tool["function"]["name"] for tool in converted["tools"]] == ["agency_for_customs", "Finish"]
    assert rules(converted) == []


@pytest.mark.parametrize("paths", [None, []])
def test_toolbench_failed_search(paths: Any) -> None:
    value = {"answer_generation": {"valid_data": False, "function": [], "train_messages": paths}}
    error = refused(value, Format.TOOLBENCH)
    assert (error.rule, str(error)) == ("no_answer", "the search failed and left no messages")


@pytest.mark.parametrize(
    "value", [{"answer_generation": 1}, {"answer_generation": {"train_messages": {"a": 1}}}]
)
def test_toolbench_malformed(value: Value) -> None:
    assert refused(value, Format.TOOLBENCH).rule == "bad_message"


def test_toolbench_queries_hold_no_answer() -> None:
    error = refused(TOOLBENCH_QUERY, Format.TOOLBENCH)
    assert error.rule == "no_answer"
    assert "G1_answer" in str(error)


# -- ToolTalk --------------------------------------------------------------------------------------


def test_tooltalk() -> None:
    converted = convert(TOOLTALK, Format.TOOLTALK)
    system, request, first, set_, second, failed, said, thanks = converted["messages"]
    assert system["content"].splitlines()[0] == "location: New York"
    assert "session_token: 98a5" in system["content"]
    assert request["role"] == thanks["role"] == "user"
    assert first["tool_calls"][0]["function"] == {"name": "AddAlarm", "arguments": {"time": "18:30:00"}}
    assert set_ == {"role": "tool", "content": '{"alarm_id":"5b"}', "name": "AddAlarm"}
    assert second["tool_calls"][0]["function"]["name"] == "FindAlarms"
    assert failed["content"] == '{"exception":"no session"}'
    assert said == answer("Done; I could not list them.")
    assert converted["tools"] == [
        {"type": "function", "function": {"name": name}} for name in ("AddAlarm", "FindAlarms")
    ]
    assert rules(converted) == []


def test_tooltalk_call_of_an_api_that_the_file_does_not_list() -> None:
    assert rules(convert(TOOLTALK | {"apis_used": ["AddAlarm"]}, Format.TOOLTALK)) == ["undeclared_tool"]


@pytest.mark.parametrize(
    ("turn", "rule"),
    [
        (1, "bad_message"),
        ({"role": "bot", "text": "a"}, "bad_message"),
        ({"role": "user", "text": None}, "bad_message"),
        ({"role": "assistant", "text": "a", "apis": "x"}, "bad_message"),
        ({"role": "assistant", "text": "a", "apis": [{"response": {}}]}, "bad_message"),
        ({"role": "assistant", "text": "a", "apis": [{"request": {"parameters": {}}}]}, "bad_message"),
        (
            {"role": "assistant", "text": "a", "apis": [{"request": {"api_name": "f", "parameters": 1}}]},
            "unparseable_arguments",
        ),
    ],
)
def test_tooltalk_refusals(turn: Any, rule: str) -> None:
    assert refused({"conversation": [turn]}, Format.TOOLTALK).rule == rule
    assert refused({"conversation": []}, Format.TOOLTALK).rule == "bad_message"


# -- APIBench --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "asked", "said"),
    [
        (
            f"###Instruction: Tell cats from dogs.\n###Output: {DICT_ANSWER}\n",
            "Tell cats from dogs.",
            DICT_ANSWER,
        ),
        (f"### Instruction: Embed it.\n### Output: {MARKED_ANSWER}", "Embed it.", MARKED_ANSWER),
        (
            '###Instruction: Embed it.\n###Input: {"text": "a"}\n###Output: ' + MARKED_ANSWER,
            'Embed it.\n###Input: {"text": "a"}',
            MARKED_ANSWER,
        ),
        (f"{{'Instruction': Tell them., 'Output': {DICT_ANSWER}}}", "Tell them.", DICT_ANSWER),
        (f"{{'Instruction': \"Tell them.\", 'Output': {DICT_ANSWER}}}", "Tell them.", DICT_ANSWER),
        ("{'Instruction': Tell., 'Output': 'contradiction'}", "Tell.", "contradiction"),
    ],
)
def test_apibench(code: str, asked: str, said: str) -> None:
    converted = convert(apibench(code), Format.APIBENCH)
    # The answer stays text: no tool is declared that the call could be a call of.
    assert converted == {"messages": [user(asked), answer(said)], "tools": []}
    assert rules(converted) == []


@pytest.mark.parametrize(
    ("value", "rule", "sentence"),
    [
        (APIBENCH_LIST_ROW, "no_answer", "a row of a list of APIs"),
        (apibench("###Instruction: And?"), "no_answer", "begins with Output:"),
        (apibench("{'Instruction': a, 'Output': {'code': 'import to"), "bad_message", "cut off"),
        (apibench("x") | {"code": 1}, "bad_message", "a number where text should be"),
    ],
)
def test_apibench_refusals(value: Value, rule: str, sentence: str) -> None:
    error = refused(value, Format.APIBENCH)
    assert (error.rule, sentence in str(error)) == (rule, True)
