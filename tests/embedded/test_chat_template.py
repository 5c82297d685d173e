"""The shipped tokenizer and chat template, as TRL and the app's own renderer read them."""

import json
from typing import Any

import pytest
from transformers import AutoTokenizer
from trl.chat_template_utils import (
    get_training_chat_template,
    is_chat_template_prefix_preserving,
    is_chat_template_stop_token_trained,
    parse_response,
    supports_tool_calling,
)

from tuner_tui.embedded import MODEL_DIR
from tuner_tui.embedded.template import TEMPLATE_FILE, render

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_hotel",
            "description": "Find a hotel.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": []},
        },
    }
]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL_DIR)


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


def test_trl_can_train_with_it(tokenizer: Any) -> None:
    assert supports_tool_calling(tokenizer)
    assert is_chat_template_prefix_preserving(tokenizer)
    assert is_chat_template_stop_token_trained(tokenizer)
    assert get_training_chat_template(tokenizer) is None  # nothing to patch


def test_special_tokens(tokenizer: Any) -> None:
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer.pad_token != tokenizer.eos_token
    for token in ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"):
        assert len(tokenizer(token)["input_ids"]) == 1
        ids = tokenizer(token)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True) == token


@pytest.mark.parametrize(
    ("content", "calls"),
    [
        ("", [call("find_hotel", city="Oslo", stars=4, price=99.5, pool=True, spa=False)]),
        ("", [call("a.b", x=1), call("camelCase", y=[1, [2, "three"]]), call("no_arguments")]),
        ("Let me look.", [call("find_hotel", city="Oslo")]),
        ("", [call("note", text="He said \"no\" \\ and left.\nThen <b>&</b> 'x' {{y}}")]),
        ("", [call("note", text="Zoë, 北京, 🚀, São Paulo", nested={"a": {"b": None}, "c": []})]),
        ("None of the tools can do that.", []),
    ],
)
def test_calls_survive_the_round_trip(tokenizer: Any, content: str, calls: list[dict[str, Any]]) -> None:
    request = [{"role": "user", "content": "Find a hotel."}]
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    options = {"tools": TOOLS, "tokenize": True, "return_dict": False}
    prompt = tokenizer.apply_chat_template(request, add_generation_prompt=True, **options)
    whole = tokenizer.apply_chat_template([*request, message], **options)
    assert whole[: len(prompt)] == prompt
    parsed = parse_response(tokenizer, whole[len(prompt) :], prefix=prompt)
    assert parsed["content"].strip() == content
    assert parsed.get("tool_calls", []) == calls


def test_a_malformed_call_is_no_call(tokenizer: Any) -> None:
    answer = tokenizer('<tool_call>\n{"name": "find_hotel", "arg\n</tool_call><|im_end|>')["input_ids"]
    prompt = tokenizer("<|im_start|>assistant\n")["input_ids"]
    assert not parse_response(tokenizer, answer, prefix=prompt).get("tool_calls")


def test_the_loss_mask_is_what_the_assistant_says(tokenizer: Any) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Find a hotel in Oslo."},
        {"role": "assistant", "content": "Yes.", "tool_calls": [call("find_hotel", city="Oslo")]},
        {"role": "tool", "name": "find_hotel", "content": '{"hotel": "Grand"}'},
        {"role": "assistant", "content": "It is the Grand."},
    ]
    out = tokenizer.apply_chat_template(
        messages, tools=TOOLS, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    trained = [i for i, kept in zip(out["input_ids"], out["assistant_masks"], strict=True) if kept]
    assert tokenizer.decode(trained) == (
        'Yes.\n<tool_call>\n{"name": "find_hotel", "arguments": {"city": "Oslo"}}\n</tool_call>'
        "<|im_end|>It is the Grand.<|im_end|>"
    )


def test_it_renders_the_same_without_transformers(tokenizer: Any) -> None:
    messages = [
        {"role": "user", "content": "Finde ein Hotel in Zürich <für> 2 & mehr."},
        {"role": "assistant", "content": "", "tool_calls": [call("find_hotel", city="Zürich", z=1, a=2)]},
        {"role": "tool", "name": "find_hotel", "content": {"hotel": "Löwen"}},
        {"role": "assistant", "content": None},
    ]
    for tools in ([], TOOLS):
        expected = tokenizer.apply_chat_template(messages, tools=tools or None, tokenize=False)
        assert render(messages, tools) == expected
    assert '{"hotel": "Löwen"}' in render(messages, TOOLS)


def test_string_arguments_are_not_encoded_twice() -> None:
    message = {"role": "assistant", "content": "", "tool_calls": [call("f", city="Oslo")]}
    as_text = json.loads(json.dumps(message))
    as_text["tool_calls"][0]["function"]["arguments"] = '{"city": "Oslo"}'
    assert render([as_text]) == render([message])


def test_the_model_ships_the_template_that_made_it() -> None:
    shipped = (MODEL_DIR / "chat_template.jinja").read_text(encoding="utf-8")
    assert shipped == TEMPLATE_FILE.read_text(encoding="utf-8")
