"""API-Bank and Seal-Tools: layouts whose tools stand in a second file."""

import json
from typing import Any

import pytest
from data_rows import answer, user
from published_checks import Value, refused, rules
from published_rows import (
    API_BANK,
    API_BANK_TABLE,
    SEAL_TOOLS,
    SEAL_TOOLS_TEXT,
    SEAL_TOOLS_TOOLS,
)

from tuner_tui.data.converters import convert
from tuner_tui.data.layouts.companions import Companion, load_companion
from tuner_tui.data.layouts.formats import Format

SEAL = Companion(tools={tool["api_name"]: tool for tool in SEAL_TOOLS_TOOLS})


# -- API-Bank --------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Any) -> Companion:
    (tmp_path / "all_apis.csv").write_text(API_BANK_TABLE, "utf-8")
    return load_companion(tmp_path / "a.jsonl", Format.API_BANK)


def test_api_bank_dialogue(table: Companion) -> None:
    converted = convert({"dialogue": API_BANK}, Format.API_BANK, table)
    request, alarm, done, meeting, failed, last = converted["messages"]
    assert request == user("Set an alarm for 8 am.")
    # What the AI says before a call is text of the same turn.
    assert alarm["content"] == "I'm setting the alarm."
    assert alarm["tool_calls"][0]["function"]["name"] == "AddAlarm"
    assert done == {"role": "tool", "content": "success", "name": "AddAlarm"}
    assert meeting["content"] == ""
    assert json.loads(failed["content"]) == {"exception": "no such person"}
    assert last == answer("The alarm is set.")
    assert rules(converted) == []


def test_api_bank_tools(table: Companion) -> None:
    alarm, meeting = convert({"dialogue": API_BANK}, Format.API_BANK, table)["tools"]
    assert alarm["function"] == {
        "name": "AddAlarm",
        "description": "Sets an alarm.",
        "parameters": {
            "type": "object",
            "properties": {
                "token": {"type": "string", "description": "Who asks."},
                "time": {"type": "string", "description": "When."},
            },
            "required": ["token", "time"],
        },
    }
    recipients = meeting["function"]["parameters"]["properties"]["recipients"]
    assert recipients == {"type": "array", "items": {"type": "string"}}


def test_api_bank_tool_without_parameters(table: Companion) -> None:
    today = {"role": "API", "api_name": "GetToday", "param_dict": {}, "result": {"output": ["walk"]}}
    converted = convert({"dialogue": [API_BANK[0], today]}, Format.API_BANK, table)
    assert converted["messages"][2]["content"] == '["walk"]'
    assert converted["tools"][0]["function"]["parameters"]["properties"] == {}
    assert rules(converted) == []


def test_api_bank_call_that_the_table_does_not_allow(table: Companion) -> None:
    wrong = API_BANK[2] | {"param_dict": {"token": "z9", "at": "8 am"}}
    example = convert({"dialogue": [API_BANK[0], wrong]}, Format.API_BANK, table)
    assert sorted(rules(example)) == ["missing_argument", "unknown_argument"]
    unknown = API_BANK[2] | {"api_name": "Fly"}
    example = convert({"dialogue": [API_BANK[0], unknown]}, Format.API_BANK, table)
    assert rules(example) == ["undeclared_tool"]


def test_api_bank_without_its_table() -> None:
    error = refused({"dialogue": API_BANK}, Format.API_BANK, Companion(missing="it is nowhere"))
    assert (error.rule, "it is nowhere" in str(error)) == ("missing_companion", True)
    spoken = [API_BANK[0], API_BANK[1]]
    assert convert({"dialogue": spoken}, Format.API_BANK)["tools"] == []


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (API_BANK[0], "unknown_layout"),  # a line alone, not reshaped
        ({"dialogue": []}, "bad_message"),
        ({"dialogue": [1]}, "bad_message"),
        ({"dialogue": [{"role": "Bot", "text": "a"}]}, "bad_message"),
        ({"dialogue": [{"role": "AI"}]}, "bad_message"),
        ({"dialogue": [{"role": "API", "param_dict": {}}]}, "bad_message"),
        ({"dialogue": [API_BANK[2] | {"param_dict": "{"}]}, "unparseable_arguments"),
    ],
)
def test_api_bank_refusals(value: Value, rule: str) -> None:
    assert refused(value, Format.API_BANK).rule == rule


# -- Seal-Tools ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "offered"),
    [(SEAL_TOOLS, ["findNurse", "callPerson"]), (SEAL_TOOLS_TEXT, ["findNurse", "callPerson", "unused"])],
)
def test_seal_tools(value: Value, offered: list[str]) -> None:
    converted = convert(value, Format.SEAL_TOOLS, SEAL)
    request, calling = converted["messages"]
    assert request == user("Find a nurse, then call her.")
    first, second = calling["tool_calls"]
    assert first["function"] == {"name": "findNurse", "arguments": {"ward": 3}}
    # A reference to what another call responds stays as it is.
    assert second["function"]["arguments"] == {"who": "API_call_0"}
    assert (first["id"], second["id"]) == ("API_call_0", "API_call_2")
    assert [tool["function"]["name"] for tool in converted["tools"]] == offered
    assert converted["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "properties": {"ward": {"type": "integer", "description": "The ward."}},
        "required": ["ward"],
    }
    assert converted["original_tools"][0] == SEAL_TOOLS_TOOLS[0]
    assert rules(converted) == []


def test_seal_tools_text_for_a_number_is_a_finding() -> None:
    calling = [{"api": "findNurse", "parameters": {"ward": "3"}, "responses": []}]
    example = convert({"query": "?", "calling": calling}, Format.SEAL_TOOLS, SEAL)
    assert "id" not in example["messages"][1]["tool_calls"][0]
    assert rules(example) == ["wrong_type"]


def test_seal_tools_without_its_tools() -> None:
    error = refused(SEAL_TOOLS, Format.SEAL_TOOLS, Companion(missing="there is no tool.jsonl"))
    assert error.rule == "missing_companion"
    assert "there is no tool.jsonl" in str(error)
    # The files for fine-tuning hold their tools.
    assert convert(SEAL_TOOLS_TEXT, Format.SEAL_TOOLS)["tools"]


def test_seal_tools_list_of_tools_is_no_dataset() -> None:
    error = refused(SEAL_TOOLS_TOOLS[0], Format.SEAL_TOOLS, SEAL)
    assert error.rule == "no_answer"
    assert "it declares a tool" in str(error)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ({"query": 1, "calling": []}, "bad_message"),
        ({"query": "?", "calling": []}, "bad_message"),
        ({"query": "?", "calling": [{"parameters": {}}]}, "bad_message"),
        ({"query": "?", "calling": [{"api": "findNurse", "parameters": [1]}]}, "unparseable_arguments"),
        ({"conversations": [{"value": "x"}]}, "bad_message"),
        (
            {"conversations": [SEAL_TOOLS_TEXT["conversations"][0], {"value": "[{'api': "}]},  # type: ignore[index]
            "unparseable_arguments",
        ),
    ],
)
def test_seal_tools_refusals(value: Value, rule: str) -> None:
    assert refused(value, Format.SEAL_TOOLS, SEAL).rule == rule
