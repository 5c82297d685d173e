"""Tokenizers with the chat templates and the special tokens of model families: no hub is needed."""

import json
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from data_rows import TOOL, answer, call, example, result, user

from tuner_tui.data.examples import Example
from tuner_tui.data.rendering.lengths import check_length
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.paths import embedded_model


@dataclass(frozen=True)
class Family:
    """A template that TRL ships, and of the family's published files: its special tokens, `eos_token`, and
    the tokens of `generation_config.json` at which the model stops."""

    template: str
    eos: str
    stops: tuple[str, ...]
    tokens: tuple[str, ...]


FAMILIES = {
    "Llama 3.1": Family(
        "llama3_1",
        "<|eot_id|>",
        ("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"),
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>"),
    ),
    "Qwen 2.5": Family("qwen2_5", "<|im_end|>", ("<|im_end|>", "<|endoftext|>"), ("<|im_start|>",)),
    "Qwen 3": Family(
        "qwen3", "<|im_end|>", ("<|im_end|>", "<|endoftext|>"), ("<|im_start|>", "<think>", "</think>")
    ),
    "Gemma 4": Family(
        "gemma4_v5",
        "<eos>",
        ("<eos>", "<turn|>", "<|tool_response>"),
        (
            "<bos>",
            "<|turn>",
            "<|tool>",
            "<tool|>",
            "<|tool_call>",
            "<tool_call|>",
            "<tool_response|>",
            '<|"|>',
        ),
    ),
    "Phi 3": Family(
        "phi3",
        "<|endoftext|>",
        ("<|endoftext|>", "<|assistant|>", "<|end|>"),
        ("<s>", "<|user|>", "<|system|>"),
    ),
    "GLM-4 MoE": Family(
        "glm4moe",
        "<|endoftext|>",
        ("<|endoftext|>", "<|user|>", "<|observation|>"),
        ("[gMASK]", "<sop>", "<|system|>", "<|assistant|>", "<think>", "</think>"),
    ),
    "gpt-oss": Family(
        "gptoss",
        "<|return|>",
        ("<|return|>", "<|endoftext|>", "<|call|>"),
        ("<|start|>", "<|end|>", "<|message|>", "<|channel|>"),
    ),
    "DeepSeek V3": Family(
        "deepseekv3",
        "<｜end▁of▁sentence｜>",
        ("<｜end▁of▁sentence｜>",),
        (
            *("<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜tool▁calls▁begin｜>"),
            *("<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"),
            *("<｜tool▁outputs▁begin｜>", "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>"),
        ),
    ),
}


def thinking(text: str, message: dict[str, Any]) -> dict[str, Any]:
    return message | {"reasoning_content": text}


SYSTEM = {"role": "system", "content": "Be brief — und höflich."}
CONVERSATIONS: dict[str, Example] = {
    "plain": example(user(), answer("Yes, it will.  \n"), tools=[]),
    "system": example(SYSTEM, user(), answer('Sì — 🙂 "quoted" <b>&amp;</b>'), tools=[]),
    "no tool fits": example(SYSTEM, user(), answer("I cannot tell.")),
    "ends in a call": example(
        user(), answer("", call(city="Ōsaka", days=2, hours=[1.5, 2], place={"a": "日"}))
    ),
    "text and call": example(user(), answer("Looking.", call(city='with "quotes"'))),
    "result": example(
        SYSTEM,
        user(),
        answer("", call(city="Rome")),
        result('{"rain": true}', name="weather"),
        answer("Yes."),
    ),
    "parallel": example(
        user(),
        answer("", call(city="Rome"), call(city="Oslo", days=3)),
        result("dry", name="weather"),
        result("wet", name="weather"),
        answer("Oslo gets wet."),
    ),
    "two calls in turn": example(
        user(),
        answer("", call(city="Rome")),
        result("no such city", name="weather"),
        answer("", call(city="Roma")),
        result("wet", name="weather"),
        answer("Yes."),
    ),
    "several turns": example(
        user(), answer("Yes."), user("Sure?"), answer("Quite."), user("Why?"), answer("So.")
    ),
    "reasoning": example(
        user(),
        thinking("Rome needs a look.", answer("", call(city="Rome"))),
        result("wet", name="weather"),
        thinking("It is wet.", answer("Yes.")),
        tools=[TOOL],
    ),
    "reasoning in turns": example(
        user(), thinking("First thought.", answer("Yes.")), user("Sure?"), thinking("Second.", answer("Yes."))
    ),
}
UNWEIGHTED: dict[str, Example] = {
    "first turn": example(user(), answer("Wrong.") | {"weight": 0}, user("Sure?"), answer("Right.")),
    "failed call": example(
        user(),
        answer("", call(city="Rmoe")) | {"weight": 0},
        result("no such city", name="weather"),
        answer("", call(city="Rome")),
        result("wet", name="weather"),
        answer("Yes."),
    ),
}


def trl_template(name: str) -> str:
    """The source of a template in TRL's wheel."""
    return (trl_templates() / f"{name}.jinja").read_text("utf-8")


def trl_templates() -> Path:
    """The folder of TRL's templates."""
    spec = find_spec("trl")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "chat_templates"


def family_model(name: str, folder: Path) -> Path:
    """A folder with the family's tokenizer files: the embedded model's words, the family's special tokens."""
    from transformers import AutoTokenizer

    family = FAMILIES[name]
    tokenizer = AutoTokenizer.from_pretrained(embedded_model())
    tokens = list(dict.fromkeys([*family.tokens, *family.stops, family.eos]))
    tokenizer.add_special_tokens(
        {"eos_token": family.eos, "bos_token": tokens[0], "additional_special_tokens": tokens}
    )
    tokenizer.chat_template = trl_template(family.template)
    tokenizer.save_pretrained(folder)
    stops = [tokenizer.convert_tokens_to_ids(stop) for stop in family.stops]
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": stops}))
    return folder


def model_with(template: str, folder: Path) -> Path:
    shutil.copytree(embedded_model(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "chat_template.jinja").write_text(template, "utf-8")
    return folder


def without_marks(source: str) -> str:
    for mark in ("{%- generation -%}", "{%- endgeneration -%}"):
        assert mark in source
        source = source.replace(mark, "")
    return source


def lengths(template: ChatTemplate, row: Example, max_length: int | None) -> list[Any]:
    (encoded,) = template.rows([row])
    assert isinstance(encoded, list)
    return list(check_length(row, encoded, 3, max_length, ends=template.ends))
