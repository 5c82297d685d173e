"""ToolAlpaca: instructions of an API, and tools out of its OpenAPI document."""

import json

import pytest
from data_rows import answer, user
from published_checks import Value, instructions, refused, rules
from published_rows import (
    OPENAPI,
    TOOLALPACA,
    TOOLALPACA_TRAINING,
)

from tuner_tui.data.converters import convert
from tuner_tui.data.layouts.formats import Format


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
