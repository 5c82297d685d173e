"""Layouts of published benchmarks: told from content, converted, refused with a sentence."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from data_rows import answer, user
from published_rows import (
    API_BANK,
    API_BANK_TABLE,
    APIBENCH_LIST_ROW,
    DICT_ANSWER,
    LOOKUP_CALL,
    LOOKUP_RESULT,
    MARKED_ANSWER,
    OPENAPI,
    SEAL_TOOLS,
    SEAL_TOOLS_TEXT,
    SEAL_TOOLS_TOOLS,
    TOOLALPACA,
    TOOLALPACA_TRAINING,
    TOOLBENCH_QUERY,
    TOOLTALK,
    apibench,
    finish,
    toolbench,
)

from tuner_tui.data.companions import Companion, load_companion
from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example
from tuner_tui.data.formats import Format, detect
from tuner_tui.data.readers import Row
from tuner_tui.data.reshape import reshaper
from tuner_tui.data.rules import RULES, Severity
from tuner_tui.data.validators import validate

Value = Mapping[str, Any]
SEAL = Companion(tools={tool["api_name"]: tool for tool in SEAL_TOOLS_TOOLS})


def instructions(api: dict[str, Any]) -> list[dict[str, Any]]:
    reshape = reshaper(api)
    assert reshape is not None
    return [row.value for row in reshape(iter([Row(1, api, None)])) if row.value is not None]


def refused(value: Value, format: Format, companion: Companion | None = None) -> ConversionError:
    """The error of a row that cannot be converted; its rule is one that is explained."""
    with pytest.raises(ConversionError) as caught:
        convert(value, format, companion)
    assert caught.value.rule in RULES
    return caught.value


def rules(example: Example) -> list[str]:
    """The rules of which a converted row has errors."""
    return [found.rule for found in validate(example, 1) if found.severity is Severity.ERROR]


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


# -- ToolAlpaca ------------------------------------------------------------------------------------


def test_toolalpaca_golden_answers() -> None:
    first, _, third = instructions(TOOLALPACA)
    converted = convert(first, Format.TOOLALPACA)
    request, calling = converted["messages"]
    assert request == user("Show me a wild one.")
    assert [call["function"] for call in calling["tool_calls"]] == [
        {"name": "searchImages", "arguments": {"color": "wild", "page": 1}},
        {"name": "addImage", "arguments": {"url": "a.png"}},
    ]
    assert rules(converted) == []
    asking = convert(third, Format.TOOLALPACA)
    assert asking["messages"][1]["tool_calls"][0]["function"]["name"] == "getDetails"
    assert rules(asking) == []


def test_toolalpaca_tools_come_from_the_openapi_document() -> None:
    search, add, details = convert(instructions(TOOLALPACA)[0], Format.TOOLALPACA)["tools"]
    assert search["function"] == {
        "name": "searchImages",
        "description": "Search for axolotl images.",
        "parameters": {
            "type": "object",
            "properties": {
                "page": {"type": "integer"},
                "color": {"type": "string", "enum": ["wild", "albino"], "description": "Its color."},
            },
            "required": ["page"],
        },
    }
    image = add["function"]["parameters"]
    assert image["required"] == ["url"]
    # References are written out, and one to itself comes to an end.
    assert image["properties"]["of"]["properties"]["name"] == {"type": "string"}
    assert "$ref" not in json.dumps(image)
    assert details["function"]["name"] == "getDetails"


def test_toolalpaca_names_the_placeholder() -> None:
    error = refused(instructions(TOOLALPACA)[1], Format.TOOLALPACA)
    assert error.rule == "unparseable_arguments"
    assert error.field == "Golden_Answer[0].Action_Input"
    assert "${url from searchImages}" in str(error)


def test_toolalpaca_training_instances() -> None:
    value, failed = instructions(TOOLALPACA_TRAINING)
    converted = convert(value, Format.TOOLALPACA)
    request, calling, result, last = converted["messages"]
    assert request == user("Show me a wild one.")
    assert calling["content"] == "I need an image."
    assert calling["tool_calls"][0]["function"]["arguments"] == {"color": "wild", "page": 1}
    assert result["content"].startswith("Status Code: 200")
    assert last == answer("Here it is: a.png") | {"reasoning_content": "I can respond now."}
    assert rules(converted) == []
    assert refused(failed, Format.TOOLALPACA).rule == "no_answer"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"Golden_Answer": []}, "no_answer"),
        ({"Golden_Answer": "x"}, "bad_message"),
        ({"Golden_Answer": [1]}, "bad_message"),
        ({"Golden_Answer": [{"Action": "", "Action_Input": "{}"}]}, "bad_message"),
        ({"Golden_Answer": [{"Action": "searchImages", "Action_Input": "{"}]}, "unparseable_arguments"),
        ({"Instruction": None}, "bad_message"),
        ({"Instance": {"intermediate_steps": ["x"], "input": "a"}}, "bad_message"),
        ({"Instance": {"intermediate_steps": 1, "input": "a"}}, "bad_message"),
        ({"Documentation": "{"}, "invalid_tool"),
        ({"Documentation": json.dumps({"openapi": "3.0.0"})}, "invalid_tool"),
        ({"Documentation": None}, "invalid_tool"),
    ],
)
def test_toolalpaca_refusals(change: Value, rule: str) -> None:
    assert refused({**instructions(TOOLALPACA)[0], **change}, Format.TOOLALPACA).rule == rule


def test_openapi_of_odd_shapes() -> None:
    document = {
        "paths": {
            "/a": {
                "get": {"operationId": "noParameters", "summary": "Short."},
                "post": {
                    "operationId": "listBody",
                    "requestBody": {
                        "content": {"application/json": {"schema": {"type": "array", "items": {}}}}
                    },
                },
                "put": {"operationId": "broken", "parameters": [{"$ref": "#/nowhere"}, 1], "requestBody": 1},
                "parameters": 1,
                "delete": {"no": "name"},
            },
            "/b": None,
        }
    }
    row = {**instructions(TOOLALPACA)[0], "Documentation": document, "Function_Projection": None}
    tools = [tool["function"] for tool in convert(row, Format.TOOLALPACA)["tools"]]
    assert [tool["name"] for tool in tools] == ["noParameters", "listBody", "broken", "getDetails"]
    assert tools[0]["description"] == "Short."
    assert list(tools[1]["parameters"]["properties"]) == ["body"]
    assert tools[2]["parameters"]["properties"] == {}
    assert OPENAPI["openapi"] == "3.0.0"


def test_openapi_references_that_double_come_to_an_end() -> None:
    schemas = {
        f"s{level}": {
            "properties": {key: {"$ref": f"#/components/schemas/s{level + 1}"} for key in "abcdefgh"}
        }
        for level in range(30)
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/s0"}}}}
    paths = {f"/{index}": {"post": {"operationId": f"p{index}", "requestBody": body}} for index in range(50)}
    document = {
        "paths": paths,
        "components": {"schemas": schemas | {"loop": {"$ref": "#/components/schemas/loop"}}},
    }
    row = {**instructions(TOOLALPACA)[0], "Documentation": document, "Function_Projection": None}
    assert len(json.dumps(convert(row, Format.TOOLALPACA)["tools"])) < 2_000_000


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
