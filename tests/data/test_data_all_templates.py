"""All templates in TRL's wheel: the recipe, which renders with transformers, makes the same token rows as the
preview, which renders with jinja2 alone; and where one refuses, so does the other."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from families import CONVERSATIONS, UNWEIGHTED, trl_templates

from tuner_tui.data.examples import Example
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.data.rendering.template import TemplateFailure
from tuner_tui.errors import UserError
from tuner_tui.paths import embedded_model
from tuner_tui.recipes.rows import IGNORED, Renderer

TEMPLATES = sorted(path.stem for path in trl_templates().glob("*.jinja"))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(embedded_model())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(
        shutil.copytree(
            embedded_model(),
            tmp_path_factory.mktemp("model") / "m",
            ignore=shutil.ignore_patterns("*.safetensors"),
        )
    )


def recipe_rows(renderer: Renderer, row: Example) -> list[tuple[list[int], list[int]]] | None:
    try:
        made = renderer.rows([row], 100_000)
    except UserError:
        return None
    return [(one["input_ids"], one["labels"]) for one in made.rows]


def preview_rows(template: ChatTemplate, row: Example) -> list[tuple[list[int], list[int]]] | None:
    (made,) = template.rows([row])
    if isinstance(made, TemplateFailure):
        with pytest.raises(TemplateFailure):
            template.render(row)
        return None
    return [
        (one.ids, [token if on else IGNORED for token, on in zip(one.ids, one.mask, strict=True)])
        for one in made
        if any(one.mask)
    ]


@pytest.mark.parametrize("name", TEMPLATES)
def test_recipe_and_preview_agree(name: str, tokenizer: Any, folder: Path) -> None:
    source = (trl_templates() / f"{name}.jinja").read_text("utf-8")
    (folder / "chat_template.jinja").write_text(source, "utf-8")
    tokenizer.chat_template = source
    template, renderer = ChatTemplate.load(folder), Renderer(tokenizer)
    assert renderer.by_turn is not template.marks_generation
    rendered = 0
    for row in [*CONVERSATIONS.values(), *UNWEIGHTED.values()]:
        theirs = recipe_rows(renderer, row)
        assert preview_rows(template, row) == theirs
        rendered += theirs is not None
    assert rendered >= 3


def test_there_are_as_many_templates_as_there_were() -> None:
    """41 of models, and for most a variant with marks; a new release of TRL may bring more."""
    assert len(TEMPLATES) >= 72
