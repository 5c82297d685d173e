"""The loss mask: what the assistant says, its end included, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from tiny_runs import example

from tuner_tui.errors import UserError
from tuner_tui.recipes.rows import IGNORED, Renderer

TALK = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "first question"},
        {"role": "assistant", "content": "first answer"},
        {"role": "user", "content": "second question"},
        {"role": "assistant", "content": "second answer"},
    ]
}


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


def learned(tokenizer: Any, row: dict[str, list[int]]) -> str:
    assert len(row["labels"]) == len(row["input_ids"])
    return str(tokenizer.decode([label for label in row["labels"] if label != IGNORED]))


def unmarked(tokenizer: Any) -> Any:
    """The same tokenizer with a template that does not mark what the assistant says."""
    for word in ("generation", "endgeneration"):
        tokenizer.chat_template = tokenizer.chat_template.replace(f"{{%- {word} -%}}", "")
    assert "generation -%}" not in tokenizer.chat_template
    return tokenizer


def test_a_call_and_its_end_are_learned(tokenizer: Any) -> None:
    renderer = Renderer(tokenizer)
    made = renderer.rows([example("Ulm", 3)], 512)
    assert not renderer.by_turn
    text = learned(tokenizer, made.rows[0])
    assert text.startswith("<tool_call>")
    assert '{"city": "Ulm", "days": 3}' in text
    assert text.endswith(tokenizer.eos_token)
    assert (made.cut, made.empty, made.unended) == ([], [], 0)
    # The keys of other tools' schemas must not appear in this one.
    assert "null" not in tokenizer.decode(made.rows[0]["input_ids"])


def test_both_ways_of_masking_learn_the_same(tokenizer: Any) -> None:
    marked = Renderer(tokenizer).rows([TALK], 512)
    renderer = Renderer(unmarked(tokenizer))
    by_turn = renderer.rows([TALK], 512)
    assert renderer.by_turn
    assert len(marked.rows) == 1
    assert len(by_turn.rows) == 2
    end = tokenizer.eos_token
    assert [learned(tokenizer, row) for row in by_turn.rows] == [f"first answer{end}", f"second answer{end}"]
    assert learned(tokenizer, marked.rows[0]) == f"first answer{end}second answer{end}"
    assert by_turn.unended == 0


def test_a_turn_of_weight_zero_is_not_learned(tokenizer: Any) -> None:
    messages = [dict(message) for message in TALK["messages"]]
    messages[2]["weight"] = 0  # type: ignore[assignment]
    made = Renderer(tokenizer).rows([{"messages": messages}], 512)
    assert [learned(tokenizer, row) for row in made.rows] == [f"second answer{tokenizer.eos_token}"]


def test_long_rows_are_cut_and_empty_ones_left_out_and_both_told(tokenizer: Any) -> None:
    whole = Renderer(tokenizer).rows([TALK], 512).rows[0]["input_ids"]
    made = Renderer(tokenizer).rows([TALK, example("Ulm", 3), TALK], len(whole) - 4)
    assert made.cut == [0, 1, 2]
    assert made.empty == [1]
    assert [len(row["input_ids"]) for row in made.rows] == [len(whole) - 4] * 2
    assert made.tokens == 2 * (len(whole) - 4)


def test_a_template_that_does_not_end_the_turn_is_told(tokenizer: Any) -> None:
    tokenizer.chat_template = (
        "{%- for m in messages -%}{%- if m.role == 'assistant' -%}"
        "{%- generation -%}{{ m.content }}{%- endgeneration -%}{%- else -%}{{ m.content }}{%- endif -%}"
        "{%- endfor -%}"
    )
    assert Renderer(tokenizer).rows([TALK], 512).unended == 1


def test_a_template_that_drops_calls_is_refused(tokenizer: Any) -> None:
    renderer = Renderer(tokenizer)
    renderer.require_tools()
    tokenizer.chat_template = "{%- for m in messages -%}{{ m.role }}: {{ m.content }}\n{%- endfor -%}"
    with pytest.raises(UserError, match="loses the tool's name and a call's argument"):
        Renderer(tokenizer).require_tools()


def test_an_example_that_the_template_refuses_is_told(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(UserError, match="refuses example 1: roles must alternate"):
        Renderer(tokenizer).rows([TALK], 512)
