"""The evaluator's prompts are the beginnings of what training renders, in the shape the template wants."""

from pathlib import Path
from typing import Any

import pytest

from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.errors import UserError
from tuner_tui.paths import embedded_model
from tuner_tui.recipes.conventions import find_convention

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Ōsaka"}}}
MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "Will it rain?"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "name": "weather", "content": "wet"},
    {"role": "assistant", "content": "Yes."},
]
# Joins arguments as text, as DeepSeek V3 does; and shows tools, as it does not.
TEXT_ARGUMENTS = (
    "{{ tools|tojson if tools }}{% for m in messages %}{{ m.role }}: {{ m.content }}"
    "{% for c in m.tool_calls or [] %}{{ c.function.name + ' ' + c.function.arguments }}{% endfor %}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)


@pytest.fixture
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(embedded_model())


def test_a_prompt_is_the_beginning_of_the_training_text(tokenizer: Any) -> None:
    convention = find_convention(tokenizer, "embedded")
    text = ChatTemplate.load(embedded_model()).render({"messages": MESSAGES, "tools": [TOOL]}).text
    for turn in (1, 3):
        assert text.startswith(convention.render(MESSAGES[:turn], [TOOL]))


def test_arguments_as_text_where_the_template_joins_them(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.chat_template = TEXT_ARGUMENTS
    tokenizer.save_pretrained(tmp_path)
    convention = find_convention(tokenizer, "joins")
    prompt = convention.render(MESSAGES[:3], [TOOL])
    assert 'weather {"city": "Ōsaka"}' in prompt
    example = {"messages": MESSAGES, "tools": [TOOL]}
    template = ChatTemplate.load(tmp_path)
    assert template.probed.shape == convention.shape
    assert template.render(example).text.startswith(prompt)


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{% for m in messages %}{{ m.content }}{% endfor %}", "does not show tools"),
        (
            "{% if tools %}{{ raise_exception('no tools, please') }}{% endif %}"
            "{% for m in messages %}{{ m.content }}{% endfor %}",
            "refuses tools: no tools, please",
        ),
    ],
)
def test_a_template_without_tools(template: str, told: str, tokenizer: Any) -> None:
    tokenizer.chat_template = template
    with pytest.raises(UserError, match=f"model plain: its chat template {told}"):
        find_convention(tokenizer, "plain")
