"""Rows of a few named fields: prompts and completions, preferences, questions, instructions, plain text."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from tuner_tui.data.converters.errors import kind_of, malformed, require
from tuner_tui.data.converters.messages import calls_in_text, text_of, to_messages, to_turns, tools_of
from tuner_tui.data.converters.rendered import from_rendered
from tuner_tui.data.converters.turns import name_results
from tuner_tui.data.examples import Example, Message


def from_completion(value: Mapping[str, Any]) -> Example:
    """`{"prompt": […] or text, "completion": […] or text}`: only the completion is trained.

    https://huggingface.co/docs/trl/dataset_formats#prompt-completion
    """
    prompt = to_turns(require(value, "prompt"), "prompt", "user")
    for message in prompt:
        if message["role"] == "assistant":
            message["weight"] = 0  # TRL trains the completion alone
    completion = to_turns(require(value, "completion"), "completion", "assistant")
    return {"messages": name_results(prompt + completion), "tools": tools_of(value)}


def from_preference(value: Mapping[str, Any]) -> Example:
    """`{"prompt": […], "chosen": […], "rejected": […]}`, or without `prompt`: then it is what both sides
    begin with ("implicit prompt"). LLaMA-Factory has the prompt in `conversations`, OpenAI has it in `input`
    and calls the sides `preferred_output` and `non_preferred_output`.

    https://huggingface.co/docs/trl/dataset_formats#preference
    https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md#preference-dataset-1
    https://platform.openai.com/docs/guides/direct-preference-optimization
    """
    if isinstance(request := value.get("input"), dict) and "preferred_output" in value:
        renamed = {"prompt": request.get("messages"), "chosen": value["preferred_output"]}
        rejected_side = require(value, "non_preferred_output")
        value = {**renamed, "rejected": rejected_side, "tools": request.get("tools")}
    chosen = to_turns(require(value, "chosen"), "chosen", "assistant")
    rejected = to_turns(require(value, "rejected"), "rejected", "assistant")
    name = next((name for name in _PROMPTS if value.get(name) is not None), None)
    if name is not None:
        prompt = to_turns(value[name], name, "user")
    else:
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(chosen[:-1], rejected[:-1], strict=False))
        prompt = [left for left, _ in pairs]
        chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
    for answer in (chosen, rejected):
        name_results([*prompt, *answer])
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, "tools": tools_of(value)}


_PROMPTS = ("prompt", "conversations", "question", "instruction")


def from_kto(value: Mapping[str, Any]) -> Example:
    """`{"prompt": […], "completion": […], "label": true}`: one answer, good or bad. Also with `messages`, of
    which the last is the answer.

    https://huggingface.co/docs/trl/dataset_formats#unpaired-preference
    """
    label = require(value, "label")
    if label not in (True, False):
        raise malformed("label", f"{kind_of(label)} where true or false should be")
    if "messages" in value:
        messages = to_messages(value["messages"], "messages")
        prompt, completion = messages[:-1], messages[-1:]
    else:
        prompt = to_turns(require(value, "prompt"), "prompt", "user")
        completion = to_turns(require(value, "completion"), "completion", "assistant")
    name_results([*prompt, *completion])
    return {"prompt": prompt, "completion": completion, "label": bool(label), "tools": tools_of(value)}


def from_xlam(value: Mapping[str, Any]) -> Example:
    """`{"query": …, "answers": "[{\"name\": …, \"arguments\": {…}}]", "tools": "[…]"}`: one request and its
    calls; no call means that no tool serves.

    https://huggingface.co/datasets/Salesforce/xlam-function-calling-60k

    Raises:
        ConversionError: the query is no text, or `answers` or `tools` cannot be read.
    """
    query = text_of(require(value, "query"), "query")
    answer: Message = {"role": "assistant", "content": ""}
    if calls := calls_in_text(require(value, "answers"), "answers"):
        answer["tool_calls"] = calls
    return {"messages": [{"role": "user", "content": query}, answer], "tools": tools_of(value)}


def from_alpaca(value: Mapping[str, Any]) -> Example:
    """`{"instruction": …, "input": …, "output": …}`, with `system`, and `history` of earlier questions and
    answers, where there are some.

    https://github.com/tatsu-lab/stanford_alpaca#data-release
    https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md#alpaca-format

    Raises:
        ConversionError: one of them is no text.
    """
    messages: list[Message] = []
    if isinstance(system := value.get("system"), str) and system:
        messages.append({"role": "system", "content": system})
    for index, pair in enumerate(value.get("history") or ()):
        if not isinstance(pair, list) or len(pair) != 2:
            raise malformed(f"history[{index}]", "it is no pair of question and answer")
        messages.append({"role": "user", "content": text_of(pair[0], f"history[{index}][0]")})
        messages.append({"role": "assistant", "content": text_of(pair[1], f"history[{index}][1]")})
    instruction = text_of(require(value, "instruction"), "instruction")
    more = value.get("input")
    request = [instruction, "" if more is None else text_of(more, "input")]
    messages.append({"role": "user", "content": "\n".join(filter(None, request))})
    name = "response" if "output" not in value and "response" in value else "output"
    messages.append({"role": "assistant", "content": text_of(require(value, name), name)})
    return {"messages": messages, "tools": tools_of(value)}


def from_text(value: Mapping[str, Any]) -> Example:
    """`{"text": …}`: all of it is trained, as the one turn of an assistant. Text that a chat template of
    Llama 3.1 or of the ChatML family has rendered is taken apart into its turns again.

    https://huggingface.co/docs/trl/dataset_formats#language-modeling

    Raises:
        ConversionError: it is no text, or a rendered turn cannot be read.
    """
    text = text_of(require(value, "text"), "text")
    return from_rendered(text) or {"messages": [{"role": "assistant", "content": text}], "tools": []}
