"""Rows of a few named fields: prompts and completions, preferences, questions, instructions, plain text."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from tuner_tui.data.converters.calls import calls_in_text
from tuner_tui.data.converters.conversations import from_messages, from_sharegpt
from tuner_tui.data.converters.errors import kind_of, malformed, require
from tuner_tui.data.converters.messages import text_of, to_turns
from tuner_tui.data.converters.rendered import from_rendered
from tuner_tui.data.converters.system import with_system
from tuner_tui.data.converters.tools import tools_of
from tuner_tui.data.converters.turns import name_results
from tuner_tui.data.examples import Example, Message


def from_completion(value: Mapping[str, Any]) -> Example:
    """`{"prompt": […] or text, "completion": […] or text}`: only the completion is trained.

    https://huggingface.co/docs/trl/dataset_formats#prompt-completion
    """
    prompt = with_system(to_turns(require(value, "prompt"), "prompt", "user"), value)
    for message in prompt:
        if message["role"] == "assistant":
            message["weight"] = 0  # TRL trains the completion alone
    completion = to_turns(require(value, "completion"), "completion", "assistant")
    return {"messages": name_results(prompt + completion), "tools": tools_of(value)}


def from_preference(value: Mapping[str, Any]) -> Example:
    """`{"prompt": […], "chosen": […], "rejected": […]}`, or without `prompt`: then it is what both sides
    begin with ("implicit prompt"); UltraFeedback has both. LLaMA-Factory has the prompt in `conversations`
    or in Alpaca's fields, OpenAI has it in `input` and calls the sides `preferred_output` and
    `non_preferred_output`; When2Call has `messages`, `chosen_response` and `rejected_response`, and ms-swift
    `rejected_response` beside messages of which the last is the preferred answer.

    https://huggingface.co/docs/trl/dataset_formats#preference
    https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md#preference-dataset-1
    https://platform.openai.com/docs/guides/direct-preference-optimization
    https://huggingface.co/datasets/nvidia/When2Call
    https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html
    """
    if isinstance(request := value.get("input"), dict) and "preferred_output" in value:
        renamed = {"prompt": request.get("messages"), "chosen": value["preferred_output"]}
        rejected_side = require(value, "non_preferred_output")
        value = {**renamed, "rejected": rejected_side, "tools": request.get("tools")}
    prompt = _prompt(value)
    worse = "rejected_response" if value.get("rejected") is None and "chosen" not in value else "rejected"
    rejected = to_turns(require(value, worse), worse, "assistant")
    better = next((name for name in ("chosen", "chosen_response") if value.get(name) is not None), "chosen")
    if better in value or "messages" not in value:
        chosen = to_turns(require(value, better), better, "assistant")
    else:
        prompt, chosen = prompt[:-1], prompt[-1:]
    if "messages" in value and chosen[0]["role"] == "assistant" and prompt[-len(chosen) :] == chosen:
        prompt = prompt[: -len(chosen)]  # the conversation with its answer, which is told once more
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(chosen[:-1], rejected[:-1], strict=False))
    shared = [left for left, _ in pairs]
    if not prompt or prompt in (shared[: len(prompt)], shared[-len(prompt) :]):
        prompt = shared
        chosen, rejected = chosen[len(shared) :], rejected[len(shared) :]
    prompt = with_system(prompt, value)
    for answer in (chosen, rejected):
        name_results([*prompt, *answer])
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, "tools": tools_of(value)}


def _prompt(value: Mapping[str, Any]) -> list[Message]:
    """The prompt of a pair; empty where both sides begin with it."""
    name = next((name for name in _PROMPTS if value.get(name) is not None), None)
    if name == "instruction":
        return _asked(value)
    return [] if name is None else to_turns(value[name], name, "user")


_PROMPTS = ("prompt", "conversations", "messages", "question", "instruction")


def from_kto(value: Mapping[str, Any]) -> Example:
    """`{"prompt": […], "completion": […], "label": true}`: one answer, good or bad. Also with `messages`,
    `conversations` or Alpaca's fields, of which the last turn is the answer, and `kto_tag` for the label
    (LLaMA-Factory).

    https://huggingface.co/docs/trl/dataset_formats#unpaired-preference
    https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md#kto-dataset
    """
    name = "kto_tag" if "label" not in value and "kto_tag" in value else "label"
    label = require(value, name)
    if isinstance(label, str):  # as in CSV
        label = {"true": True, "false": False}.get(label.strip().lower(), label)
    if label not in (True, False):
        raise malformed(name, f"{kind_of(label)} where true or false should be")
    whole = next((read for key, read in _WHOLE.items() if value.get(key) is not None), None)
    if whole is not None:
        messages = whole(value)["messages"]
        prompt, completion = messages[:-1], messages[-1:]
    else:
        prompt = with_system(to_turns(require(value, "prompt"), "prompt", "user"), value)
        completion = to_turns(require(value, "completion"), "completion", "assistant")
    name_results([*prompt, *completion])
    return {"prompt": prompt, "completion": completion, "label": bool(label), "tools": tools_of(value)}


def from_xlam(value: Mapping[str, Any]) -> Example:
    """`{"query": …, "answers": "[{\"name\": …, \"arguments\": {…}}]", "tools": "[…]"}`: one request and its
    calls. No call means that no tool serves; what to say instead the row does not tell, so that it has no
    assistant turn, and nothing to train on.

    https://huggingface.co/datasets/Salesforce/xlam-function-calling-60k

    Raises:
        ConversionError: the query is no text, or `answers` or `tools` cannot be read.
    """
    query = text_of(require(value, "query"), "query")
    messages = with_system([{"role": "user", "content": query}], value)
    if calls := calls_in_text(require(value, "answers"), "answers"):
        messages.append({"role": "assistant", "content": "", "tool_calls": calls})
    return {"messages": messages, "tools": tools_of(value)}


def from_alpaca(value: Mapping[str, Any]) -> Example:
    """`{"instruction": …, "input": …, "output": …}`, with `system`, and `history` of earlier questions and
    answers, where there are some.

    https://github.com/tatsu-lab/stanford_alpaca#data-release
    https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md#alpaca-format

    Raises:
        ConversionError: one of them is no text.
    """
    messages = _asked(value)
    name = "response" if "output" not in value and "response" in value else "output"
    messages.append({"role": "assistant", "content": text_of(require(value, name), name)})
    return {"messages": messages, "tools": tools_of(value)}


def _asked(value: Mapping[str, Any]) -> list[Message]:
    """What comes before the answer of an Alpaca row."""
    messages: list[Message] = []
    for index, pair in enumerate(value.get("history") or ()):
        if not isinstance(pair, list) or len(pair) != 2:
            raise malformed(f"history[{index}]", "it is no pair of question and answer")
        messages.append({"role": "user", "content": text_of(pair[0], f"history[{index}][0]")})
        messages.append({"role": "assistant", "content": text_of(pair[1], f"history[{index}][1]")})
    instruction = text_of(require(value, "instruction"), "instruction")
    more = value.get("input")
    request = [instruction, "" if more is None else text_of(more, "input")]
    messages.append({"role": "user", "content": "\n".join(filter(None, request))})
    return with_system(messages, value)


_WHOLE = {"messages": from_messages, "conversations": from_sharegpt, "instruction": from_alpaca}


def from_text(value: Mapping[str, Any]) -> Example:
    """`{"text": …}`: all of it is trained, as the one turn of an assistant. Text that a chat template of
    Llama 3.1 or of the ChatML family has rendered is taken apart into its turns again.

    https://huggingface.co/docs/trl/dataset_formats#language-modeling

    Raises:
        ConversionError: it is no text, or a rendered turn cannot be read.
    """
    text = text_of(require(value, "text"), "text")
    return from_rendered(text) or {"messages": [{"role": "assistant", "content": text}], "tools": []}
