"""Layouts whose calls are text: Hermes, Glaive, ToolACE, ToolLLaMA; and the few-field layouts beside them."""

import json
from typing import Any

import pytest
from data_rows import answer, call, result, user
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.layouts.formats import Format, detect

FUNCTION = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "exact": {"type": "boolean"}},
    },
}
WRAPPED = [{"type": "function", "function": FUNCTION}]

HERMES_SYSTEM = (
    "You are a function calling AI model. You are provided with function signatures within <tools> </tools> "
    "XML tags. You may call one or more functions to assist with the user query.\n<tools>\n"
    + json.dumps(WRAPPED)
    + "\n</tools>\nFor each function call return a json object with function name and arguments within "
    "<tool_call> </tool_call> tags with the following schema:\n<tool_call>\n"
    "{'arguments': <args-dict>, 'name': <function-name>}\n</tool_call>\n"
)
HERMES = {
    "id": "x",
    "conversations": [
        {"from": "system", "value": HERMES_SYSTEM},
        {"from": "human", "value": "Will it rain in Rome and Oslo?"},
        {
            "from": "gpt",
            "value": "<think>\nTwo cities.\n</think>\nLet me look.\n<tool_call>\n"
            "{'arguments': {'city': 'Rome', 'exact': True}, 'name': 'get_weather'}\n</tool_call>\n"
            '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo", "exact": null}}\n</tool_call>'
            "\nOne moment.",
        },
        {
            "from": "tool",
            "value": '<tool_response>\n{"name": "get_weather", "content": {"rain": true}}\n</tool_response>\n'
            "<tool_response>\ndry\n</tool_response>",
        },
        {"from": "gpt", "value": "Only in Rome."},
    ],
    "category": "weather",
}


def test_hermes() -> None:
    assert detect([HERMES]) is Format.HERMES
    converted = convert(HERMES, Format.HERMES)
    system, request, calling, first, second, last = converted["messages"]
    assert system == {
        "role": "system",
        "content": "You are a function calling AI model. You may call one or more functions to assist with "
        "the user query.",
    }
    assert request == user("Will it rain in Rome and Oslo?")
    assert calling == {
        **answer(
            "Let me look.\nOne moment.",
            call("get_weather", city="Rome", exact=True),
            call("get_weather", city="Oslo", exact=None),
        ),
        "reasoning_content": "Two cities.",
    }
    assert first == result('{"rain":true}', name="get_weather")
    assert second == result("dry", name="get_weather")
    assert last == answer("Only in Rome.")
    assert converted["tools"] == WRAPPED


def test_hermes_with_tools_of_its_own_and_as_messages() -> None:
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "<tool_call>[]</tool_call>"}]
    row = {"messages": turns, "tools": json.dumps([FUNCTION])}
    assert detect([row]) is Format.HERMES
    with_call = row | {
        "messages": [
            {"role": "system", "content": "Be brief."},
            turns[0],
            {
                "role": "assistant",
                "content": '<tool_call>[{"name": "get_weather", "arguments": {}}]</tool_call>',
            },
            {"role": "user", "content": "<tool_response>\nrain\n</tool_response>"},
        ]
    }
    converted = convert(with_call, Format.HERMES)
    assert converted["messages"] == [
        {"role": "system", "content": "Be brief."},
        user("x"),
        answer("", call("get_weather")),
        result("rain", name="get_weather"),
    ]
    assert converted["tools"] == WRAPPED


def test_hermes_tools_one_after_the_other() -> None:
    system = f"Tools: <tools>{json.dumps(FUNCTION)}\n{json.dumps({**FUNCTION, 'name': 'g'})}</tools>"
    row = {"conversations": [{"from": "system", "value": system}, {"from": "human", "value": "x"}]}
    assert [tool["function"]["name"] for tool in convert(row, Format.HERMES)["tools"]] == ["get_weather", "g"]


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("<tool_call>{'name': 'f', 'arguments': {'a': g()}}</tool_call>", "unparseable_arguments"),
        ("<tool_call>{cut</tool_call>", "unparseable_arguments"),
        ("<tool_call>{'name': 'f', 'arguments': {'a': 1", "unparseable_arguments"),
        ("<tool_call>{'arguments': {}}</tool_call>", "bad_message"),
        ("<tool_call>5</tool_call>", "bad_message"),
        ("<tool_call>" + "[" * 5000 + "</tool_call>", "unparseable_arguments"),
        ("<tool_call>{'name': 'f', 'arguments': {'a': 1e999}}</tool_call>", "unparseable_arguments"),
        ("<tool_call>{'name': 'f', 'arguments': {(1, 2): 3}}</tool_call>", "unparseable_arguments"),
        ("<tool_call>{**{}}</tool_call>", "unparseable_arguments"),
    ],
)
def test_hermes_refuses(said: str, rule: str) -> None:
    with pytest.raises(ConversionError) as caught:
        convert({"conversations": [{"from": "gpt", "value": said}]}, Format.HERMES)
    assert caught.value.rule == rule
    assert caught.value.field is not None
    assert caught.value.field.startswith("conversations[0].value")


def test_hermes_refuses_tools_that_cannot_be_read() -> None:
    row = {"conversations": [{"from": "system", "value": "<tools>[{cut</tools>"}]}
    with pytest.raises(ConversionError) as caught:
        convert(row, Format.HERMES)
    assert (caught.value.rule, caught.value.field) == ("tools_not_list", "conversations[0].value")


GLAIVE = {
    "system": "SYSTEM: You are a helpful assistant with access to the following functions. Use them if "
    f"required -\n{json.dumps(FUNCTION, indent=4)}\n{json.dumps({'name': 'clock', 'parameters': {}})}\n",
    "chat": "USER: Rome?\n\n\nASSISTANT: I look. <functioncall> "
    '{"name": "get_weather", "arguments": \'{"city": "Rome\\\'s"}\'} <|endoftext|>\n\n\n'
    'FUNCTION RESPONSE: {"rain": true}\n\n\nASSISTANT: It rains:\nUSER gets wet. <|endoftext|>\n\n\n',
}


def test_glaive() -> None:
    assert detect([GLAIVE]) is Format.GLAIVE
    converted = convert(GLAIVE, Format.GLAIVE)
    assert converted["messages"] == [
        {"role": "system", "content": "You are a helpful assistant."},
        user("Rome?"),
        answer("I look.", call("get_weather", city="Rome's")),
        result('{"rain": true}', name="get_weather"),
        answer("It rains:\nUSER gets wet."),
    ]
    assert [tool["function"]["name"] for tool in converted["tools"]] == ["get_weather", "clock"]


def test_glaive_without_functions_and_with_plain_json() -> None:
    row = {
        "system": "SYSTEM: You are a helpful assistant, with no access to external functions.\n",
        "chat": 'USER: x\nASSISTANT: <functioncall> {"name": "f", "arguments": {"a": "it\'s"}} <|endoftext|>',
    }
    converted = convert(row, Format.GLAIVE)
    assert converted["messages"][0]["content"] == (
        "You are a helpful assistant, with no access to external functions."
    )
    assert converted["messages"][2] == answer("", call("f", a="it's"))
    assert converted["tools"] == []


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"chat": 5}, "bad_message", "chat"),
        ({"chat": "hello"}, "bad_message", "chat"),
        ({"chat": "hello\nUSER: x"}, "bad_message", "chat"),
        (
            {"chat": 'ASSISTANT: <functioncall> {"name": "f", "arguments": \'{cut\'}'},
            "unparseable_arguments",
            "chat",
        ),
        ({"chat": 'ASSISTANT: <functioncall> {"name": 5, "arguments": \'{}\'}'}, "bad_message", "chat"),
        (
            {"chat": 'ASSISTANT: <functioncall> {"name", "arguments": \'{}\'}'},
            "unparseable_arguments",
            "chat",
        ),
        ({"chat": "ASSISTANT: <functioncall> [] "}, "unparseable_arguments", "chat"),
        ({"system": "SYSTEM: With access to the following functions: {cut"}, "tools_not_list", "system"),
    ],
)
def test_glaive_refuses(change: dict[str, Any], rule: str, field: str) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(GLAIVE | change, Format.GLAIVE)
    assert (caught.value.rule, caught.value.field) == (rule, field)


SPACED = {**FUNCTION, "name": "Get Weather (v2)", "parameters": {"type": "dict", "properties": {}}}
TOOLACE = {
    "system": "You are an expert in composing functions.\nHere is a list of functions in JSON format that "
    f"you can invoke:\n{json.dumps([SPACED, FUNCTION])}. \nShould you decide to return the function "
    "call(s). \nPut it in the format of [func1(params_name=params_value, ...), func2(params)]\n\n"
    "NO other text MUST be included. \n",
    "conversations": [
        {"from": "user", "value": "Rome?"},
        {
            "from": "assistant",
            "value": '[Get Weather (v2)(city="Ro)me, \\"x\\"", from=[1, -2.5], at={\'a\': None, "b": true}), '
            "get_weather(city='x=1', exact=False)]",
        },
        {"from": "tool", "value": '[{"name": "a", "results": {"rain": true}}, "dry"]'},
        {"from": "assistant", "value": "[1] It rains (says the station)."},
    ],
}


def test_toolace() -> None:
    assert detect([TOOLACE]) is Format.TOOLACE
    converted = convert(TOOLACE, Format.TOOLACE)
    assert converted["messages"] == [
        {"role": "system", "content": "You are an expert in composing functions."},
        user("Rome?"),
        answer(
            "",
            # The name is as a chat template and a provider can write it; the call follows its tool.
            call("Get_Weather_v2_", city='Ro)me, "x"', **{"from": [1, -2.5], "at": {"a": None, "b": True}}),
            call("get_weather", city="x=1", exact=False),
        ),
        result('{"name":"a","results":{"rain":true}}', name="Get_Weather_v2_"),
        result("dry", name="get_weather"),
        answer("[1] It rains (says the station)."),
    ]
    assert [tool["function"]["name"] for tool in converted["tools"]] == ["Get_Weather_v2_", "get_weather"]
    assert converted["original_tools"] == [SPACED, FUNCTION]


@pytest.mark.parametrize(
    "said",
    ["[get_weather(Rome)]", '[get_weather("Rome")]', "[get_weather(city=Rome)]", "[get_weather(city='Rome']",
     "[get_weather(city=f())]", "[get_weather(city=1) and more]"],
)  # fmt: skip
def test_toolace_refuses(said: str) -> None:
    row = TOOLACE | {"conversations": [{"from": "user", "value": "x"}, {"from": "assistant", "value": said}]}
    with pytest.raises(ConversionError) as caught:
        convert(row, Format.TOOLACE)
    assert (caught.value.rule, caught.value.field) == ("unparseable_arguments", "conversations[1].value")


FINISH = {"name": "Finish", "parameters": {"type": "object", "properties": {}}}
TOOLLLAMA = {
    "id": "Step 3: x",
    "conversations": [
        {
            "from": "system",
            "value": "You are AutoGPT. Your output should follow this format:\nThought:\nAction\nAction "
            "Input:\n\nBe exact.\nSpecifically, you have access to the following APIs: "
            f"{[FUNCTION, FINISH]!r}",
        },
        {"from": "user", "value": "Rome?\nBegin!\n"},
        {
            "from": "assistant",
            "value": '\nThought: I look.\nAction: get_weather\nAction Input: {"city": "Rome"}',
        },
        {"from": "function", "value": '{"error": "", "response": "rain"}'},
        {
            "from": "assistant",
            "value": "\nThought: \nAction: Finish\nAction Input: "
            '{"return_type": "give_answer", "final_answer": "It rains."}',
        },
    ],
}


def test_toolllama() -> None:
    assert detect([TOOLLLAMA]) is Format.TOOLLLAMA
    converted = convert(TOOLLLAMA, Format.TOOLLLAMA)
    assert converted["messages"] == [
        {"role": "system", "content": "You are AutoGPT. Be exact."},
        user("Rome?\nBegin!\n"),
        answer("I look.", call("get_weather", city="Rome")),
        result('{"error": "", "response": "rain"}', name="get_weather"),
        answer("It rains."),
    ]
    assert converted["tools"] == WRAPPED


def test_toolllama_that_gives_up_keeps_its_call() -> None:
    said = 'Thought: x\nAction: Finish\nAction Input: {"return_type": "give_up_and_restart"}'
    row = {"conversations": [*TOOLLLAMA["conversations"][:2], {"from": "assistant", "value": said}]}
    converted = convert(row, Format.TOOLLLAMA)
    assert converted["messages"][-1] == answer("x", call("Finish", return_type="give_up_and_restart"))
    assert [tool["function"]["name"] for tool in converted["tools"]] == ["get_weather", "Finish"]


def test_toolllama_refuses_an_input_that_is_cut() -> None:
    row = {"conversations": [{"from": "assistant", "value": "Thought: x\nAction: f\nAction Input: {cut"}]}
    with pytest.raises(ConversionError) as caught:
        convert(row, Format.TOOLLLAMA)
    assert (caught.value.rule, caught.value.field) == ("unparseable_arguments", "conversations[0].value")


def test_agentinstruct() -> None:
    said = "Think: I list them.\n\nAct: bash\n\n```bash\nls\n```"
    row = {
        "id": "os_0",
        "conversations": [
            {"from": "human", "loss": None, "value": "You are at a shell."},
            {"from": "gpt", "loss": False, "value": "Ok."},
            {"from": "human", "loss": None, "value": "How many files?"},
            {"from": "gpt", "loss": True, "value": said},
        ],
    }
    assert detect([row]) is Format.AGENTINSTRUCT
    messages = convert(row, Format.AGENTINSTRUCT)["messages"]
    assert messages[1] == {**answer("Ok."), "weight": 0}
    assert messages[3] == answer(said)


def test_typed_content() -> None:
    row = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "value": "Rome?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "reasoning", "value": "I look."},
                    {"type": "tool_call", "value": '{"name": "f", "arguments": {"id": "1"}}'},
                    {"type": "tool_call", "value": '{"name": "f", "arguments": {"id": "2"}}'},
                ],
            },
            {"role": "tool", "content": [{"type": "text", "value": "rain"}]},
        ],
        "tools": json.dumps(
            [
                {
                    "type": "function",
                    "function": {
                        "name": "f",
                        "parameters": {"type": "dict", "properties": {"id": {"type": "str"}}},
                    },
                    "required": ["id"],
                }
            ]
        ),
    }
    assert detect([row]) is Format.TYPED_CONTENT
    converted = convert(row, Format.TYPED_CONTENT)
    calls = answer("", call("f", id="1"), call("f", id="2"))
    assert converted["messages"] == [
        user("Rome?"),
        {**calls, "reasoning_content": "I look."},
        result("rain", name="f"),
    ]
    parameters = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    assert converted["tools"][0]["function"]["parameters"] == parameters
    assert converted["original_tools"] == json.loads(row["tools"])
    picture = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}
    with pytest.raises(ConversionError, match="image_url"):
        convert(picture, Format.TYPED_CONTENT)


XLAM = {
    "id": 0,
    "query": "Live giveaways for beta access?",
    "answers": '[{"name": "live.giveaways", "arguments": {"type": "beta"}}]',
    "tools": json.dumps(
        [
            {
                "name": "live.giveaways",
                "description": "…",
                "parameters": {"type": {"description": "Kind.", "type": "str, optional", "default": "game"}},
            }
        ]
    ),
}


def test_xlam() -> None:
    assert detect([XLAM]) is Format.XLAM
    converted = convert(XLAM, Format.XLAM)
    assert converted["messages"] == [
        user("Live giveaways for beta access?"),
        answer("", call("live_giveaways", type="beta")),
    ]
    parameters = {
        "type": "object",
        "properties": {"type": {"description": "Kind.", "type": "string", "default": "game"}},
    }
    assert converted["tools"][0]["function"]["parameters"] == parameters
    assert converted["original_tools"] == json.loads(XLAM["tools"])
    # That no tool serves, and not what to say then.
    assert convert(XLAM | {"answers": "[]"}, Format.XLAM)["messages"] == converted["messages"][:1]


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"query": 5}, "bad_message", "query"),
        ({"answers": "f(1)"}, "unparseable_arguments", "answers"),
        ({"answers": "[1]"}, "bad_message", "answers"),
        ({"tools": "{}"}, "tools_not_list", "tools"),
    ],
)
def test_xlam_refuses(change: dict[str, Any], rule: str, field: str) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(XLAM | change, Format.XLAM)
    assert (caught.value.rule, caught.value.field) == (rule, field)


def test_alpaca_and_text() -> None:
    row = {
        "instruction": "Translate.",
        "input": "Ciao",
        "output": "Hello",
        "system": "Be brief.",
        "history": [["a", "b"]],
    }
    assert detect([row]) is Format.ALPACA
    assert convert(row, Format.ALPACA)["messages"] == [
        {"role": "system", "content": "Be brief."},
        user("a"),
        answer("b"),
        user("Translate.\nCiao"),
        answer("Hello"),
    ]
    for change, field in (
        ({"output": None}, "output"),
        ({"history": ["a"]}, "history[0]"),
        ({"input": 5}, "input"),
        ({"instruction": []}, "instruction"),
    ):
        with pytest.raises(ConversionError) as caught:
            convert(row | change, Format.ALPACA)
        assert caught.value.field == field
    assert convert({"text": "All of it."}, Format.TEXT) == {"messages": [answer("All of it.")], "tools": []}
    with pytest.raises(ConversionError):
        convert({"text": None}, Format.TEXT)


LLAMA = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\nCutting Knowledge "
    "Date: December 2023\nToday Date: 26 Jul 2024\n\nBe brief.<|eot_id|><|start_header_id|>user"
    "<|end_header_id|>\n\nGiven the following functions, please respond with a JSON for a function call with "
    'its proper arguments that best answers the given prompt.\n\nRespond in the format {"name": function '
    'name, "parameters": dictionary of argument name and its value}.Do not use variables.\n\n'
    + json.dumps(WRAPPED[0], indent=4)
    + "\n\nRome?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    '{"name": "get_weather", "parameters": {"city": "Rome"}}<|eot_id|><|start_header_id|>ipython'
    '<|end_header_id|>\n\n"rain"<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{It} rains.'
)
CHATML = (
    "<|im_start|>system\nBe brief.\n\n# Tools\n\nYou may call one or more functions to assist with the user "
    "query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>\n"
    + json.dumps(WRAPPED[0])
    + "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
    '<tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": '
    "<args-json-object>}\n</tool_call><|im_end|>\n<|im_start|>user\nRome?<|im_end|>\n<|im_start|>assistant\n"
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n</tool_call><|im_end|>\n'
    "<|im_start|>user\n<tool_response>\nrain\n</tool_response><|im_end|>\n<|im_start|>assistant\n{It} rains."
    "<|im_end|>\n"
)


@pytest.mark.parametrize("text", [LLAMA, CHATML])
def test_rendered_text_is_taken_apart(text: str) -> None:
    assert detect([{"text": text}]) is Format.TEXT
    converted = convert({"text": text}, Format.TEXT)
    assert converted["messages"] == [
        {"role": "system", "content": "Be brief."},
        user("Rome?"),
        answer("", call("get_weather", city="Rome")),
        result("rain", name="get_weather"),
        answer("{It} rains."),
    ]
    assert converted["tools"] == WRAPPED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<|start_header_id|>user", "not closed"),
        ("<|start_header_id|>wizard<|end_header_id|>\n\nx", "wizard"),
        ("<|im_start|>wizard\nx<|im_end|>", "wizard"),
        ("<|im_start|>assistant\n<tool_call>{cut</tool_call>", "neither JSON"),
    ],
)
def test_rendered_text_that_cannot_be_read(text: str, reason: str) -> None:
    with pytest.raises(ConversionError, match=reason):
        convert({"text": text}, Format.TEXT)


def test_kto() -> None:
    row = {"prompt": "x", "completion": [answer("", call("get_weather"))], "label": 1, "tools": [FUNCTION]}
    assert detect([row]) is Format.KTO
    expected = {
        "prompt": [user("x")],
        "completion": [answer("", call("get_weather"))],
        "label": True,
        "tools": WRAPPED,
    }
    assert convert(row, Format.KTO) == expected
    as_messages = {
        "messages": [user("x"), answer("", call("get_weather"))],
        "label": True,
        "tools": [FUNCTION],
    }
    assert convert(as_messages, Format.KTO) == expected
    with pytest.raises(ConversionError) as caught:
        convert(row | {"label": "good"}, Format.KTO)
    assert caught.value.field == "label"


def test_hostile_text_costs_little_time() -> None:
    for text in (
        "<tools>" * 50_000,
        "[{" * 50_000,
        " " * 200_000,
        "<tool_call>" * 20_000,
        "Action:" * 50_000,
    ):
        turns = [{"from": "system", "value": text}, {"from": "gpt", "value": text}]
        for format in (Format.HERMES, Format.TOOLACE, Format.TOOLLLAMA):
            try:
                convert({"conversations": turns}, format)
            except ConversionError:
                continue
    for text in ("<|start_header_id|>" * 20_000, "<|im_start|>user\n" * 20_000, "{" * 50_000):
        try:
            convert({"text": "<|im_start|>system\nx" + text}, Format.TEXT)
        except ConversionError:
            continue
    for text in (" " * 200_000, "USER:" * 50_000, "{" * 50_000, "<functioncall>" * 20_000):
        try:
            convert({"system": f"SYSTEM: {text}", "chat": f"USER: {text}"}, Format.GLAIVE)
        except ConversionError:
            continue


PIECES = st.sampled_from(
    [
        *(
            "<tool_call>",
            "</tool_call>",
            "<tools>",
            "</tools>",
            "<tool_response>",
            "<think>",
            "</think>",
            "\n",
        ),
        *(
            "<functioncall>",
            "USER:",
            "ASSISTANT:",
            "Thought: x\nAction: f\nAction Input:",
            "<|im_start|>user",
        ),
        *(
            "<|start_header_id|>assistant<|end_header_id|>",
            '{"name": "f", "arguments": {"a": 1}}',
            "[f(a=1)]",
        ),
        *(
            "{'name': 'f', 'arguments': '{}'}",
            "[{",
            "}]",
            "[",
            "(",
            ")",
            "'",
            '"',
            "\\",
            ",",
            "=",
            "None",
            "-1",
        ),
    ]
)
WRITTEN = st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=10).map("".join)


@settings(max_examples=250, deadline=None)
@given(WRITTEN, WRITTEN)
def test_any_text_is_converted_or_refused(first: str, second: str) -> None:
    turns = [
        {"from": "system", "value": first},
        {"from": "human", "value": second},
        {"from": "gpt", "value": first + second},
        {"from": "tool", "value": second},
    ]
    rows = [
        *((format, {"conversations": turns}) for format in (Format.HERMES, Format.TOOLACE, Format.TOOLLLAMA)),
        (Format.GLAIVE, {"system": first, "chat": f"USER: {second}"}),
        (Format.XLAM, {"query": first, "answers": second, "tools": first}),
        (Format.TEXT, {"text": first}),
    ]
    for format, row in rows:
        try:
            converted = convert(row, format)
        except ConversionError as error:
            assert str(error)
            continue
        # Sound in its shape: it converts to itself.
        assert convert(converted, Format.CANONICAL) == converted
        for message in converted["messages"]:
            assert isinstance(message["content"], str)
            assert message.get("tool_calls") != []
