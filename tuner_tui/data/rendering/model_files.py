"""What the window needs of a model's folder: the tokenizer, the special tokens, the chat templates.

The files are read as transformers reads them (5.23), without importing it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from tuner_tui.data.rendering.template import marks_generation
from tuner_tui.errors import UserError

_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def read_tokenizer(model: Path) -> Tokenizer:
    """The tokenizer, without truncation and padding.

    Raises:
        UserError: there is no `tokenizer.json`, or it is broken.
    """
    path = model / "tokenizer.json"
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; save the model with a fast tokenizer.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing more precise
        raise UserError(f"{path}: cannot be read as a tokenizer ({error}).") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def read_special_tokens(model: Path) -> dict[str, str]:
    """The special tokens by the names that chat templates know, such as `eos_token`.

    Raises:
        UserError: a file is not a JSON object.
    """
    config = {**_read_json(model / "special_tokens_map.json"), **_read_json(model / "tokenizer_config.json")}
    tokens = {}
    for name in _SPECIAL:
        value = config.get(name)
        if isinstance(value, dict):  # an AddedToken
            value = value.get("content")
        if isinstance(value, str):
            tokens[name] = value
    return tokens


def read_ends(model: Path, tokenizer: Tokenizer) -> frozenset[int]:
    """The tokens at which the model stops: the tokenizer's `eos_token`, and those of the generation config.

    Raises:
        UserError: a file is not a JSON object.
    """
    wanted = _read_json(model / "generation_config.json").get("eos_token_id")
    ends = wanted if isinstance(wanted, list) else [wanted]
    ends = [*ends, tokenizer.token_to_id(read_special_tokens(model).get("eos_token", ""))]
    return frozenset(end for end in ends if isinstance(end, int))


def read_templates(model: Path) -> dict[str, str]:
    """The chat templates by name: "default", seldom others such as "tool_use".

    Raises:
        UserError: there is no folder, no default template, or a file cannot be read.
    """
    if not model.is_dir():
        raise UserError(f"{model}: there is no such model folder; name a folder with tokenizer.json in it.")
    templates = _inline_templates(_read_json(model / "tokenizer_config.json"))
    file = model / "chat_template.jinja"
    if file.is_file():
        templates = {"default": _read_text(file)}
    for extra in sorted((model / "additional_chat_templates").glob("*.jinja")):
        templates[extra.stem] = _read_text(extra)
    if "default" not in templates:
        raise UserError(
            f"{model}: the model has no chat template (chat_template.jinja, or chat_template in "
            "tokenizer_config.json); choose an instruction-tuned model or add a template."
        )
    return templates


@dataclass(frozen=True, slots=True)
class Sources:
    """Templates that belong together: for conversations without tools, and for those with tools."""

    plain: str
    tools: str

    def of(self, tools: object) -> str:
        """The source for a conversation with these tools, or without any."""
        return self.tools if tools else self.plain


def own_sources(templates: Mapping[str, str]) -> Sources:
    """The model's own templates: with tools, transformers takes the one named "tool_use" if there is one."""
    return Sources(templates["default"], templates.get("tool_use", templates["default"]))


def training_sources(own: Sources) -> Sources:
    """The templates that training uses: where the model's own has no generation marks and TRL ships the same
    one with marks, that; otherwise the model's own."""
    plain = _training_source(own.plain)
    return Sources(plain, plain if own.tools == own.plain else _training_source(own.tools))


def _training_source(source: str) -> str:
    return source if marks_generation(source) else _trl_variant(source) or source


def _trl_variant(template: str) -> str | None:
    """The template with generation marks that TRL ships for this template, None if it knows it not.

    TRL tells templates by their exact text (`trl.chat_template_utils.get_training_chat_template`), and ships
    each as `NAME.jinja` beside `NAME_training.jinja`.
    """
    spec = find_spec("trl")  # finds the folder and imports nothing
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted((Path(place) / "chat_templates").glob("*_training.jinja")):
            stock = file.with_name(file.name.replace("_training.jinja", ".jinja"))
            if stock.is_file() and _read_text(stock) == template:
                return _read_text(file)
    return None


def _inline_templates(config: Mapping[str, Any]) -> dict[str, str]:
    inline = config.get("chat_template")
    if isinstance(inline, str):
        return {"default": inline}
    named: dict[str, str] = {}
    for entry in inline if isinstance(inline, list) else ():
        if isinstance(entry, dict):
            name, template = entry.get("name"), entry.get("template")
            if isinstance(name, str) and isinstance(template, str):
                named[name] = template
    return named


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}).") from None


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(_read_text(path))
    except ValueError as error:
        raise UserError(f"{path}: is not JSON ({error}).") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: is not a JSON object.")
    return value
