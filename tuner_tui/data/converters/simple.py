"""Rows of a few named fields: prompts and completions, preferences, instructions, plain text."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from tuner_tui.data.converters.errors import kind_of, malformed, require
from tuner_tui.data.converters.messages import to_turns, tools_of
from tuner_tui.data.converters.turns import name_results
from tuner_tui.data.examples import Example


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
    begin with ("implicit prompt").

    https://huggingface.co/docs/trl/dataset_formats#preference
    """
    chosen = to_turns(require(value, "chosen"), "chosen", "assistant")
    rejected = to_turns(require(value, "rejected"), "rejected", "assistant")
    if value.get("prompt") is not None:
        prompt = to_turns(value["prompt"], "prompt", "user")
    else:
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(chosen[:-1], rejected[:-1], strict=False))
        prompt = [left for left, _ in pairs]
        chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
    for answer in (chosen, rejected):
        name_results([*prompt, *answer])
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, "tools": tools_of(value)}


def from_kto(value: Mapping[str, Any]) -> Example:
    """`{"prompt": […], "completion": […], "label": true}`: one answer, good or bad.

    https://huggingface.co/docs/trl/dataset_formats#unpaired-preference
    """
    label = require(value, "label")
    if label not in (True, False):
        raise malformed("label", f"{kind_of(label)} where true or false should be")
    prompt = to_turns(require(value, "prompt"), "prompt", "user")
    completion = to_turns(require(value, "completion"), "completion", "assistant")
    name_results([*prompt, *completion])
    return {"prompt": prompt, "completion": completion, "label": bool(label), "tools": tools_of(value)}
