"""The loss mask: what the assistant says, its end included, and nothing else."""

import json
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
    # The line break after the end of the turn belongs to what a turn adds; TRL trains it, too.
    turns = [f"first answer{end}\n", f"second answer{end}\n"]
    assert [learned(tokenizer, row) for row in by_turn.rows] == turns
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


def test_the_model_may_stop_at_another_token_than_the_tokenizer_s(tokenizer: Any) -> None:
    end = tokenizer.eos_token_id
    tokenizer.eos_token = "<tool_call>"
    assert Renderer(tokenizer).rows([TALK], 512).unended == 1
    assert Renderer(tokenizer, [end]).rows([TALK], 512).unended == 0


def test_an_end_that_the_limit_cuts_off_is_told(tokenizer: Any) -> None:
    whole = Renderer(tokenizer).rows([TALK], 512).rows[0]
    last = max(place for place, label in enumerate(whole["labels"]) if label != IGNORED)
    assert Renderer(tokenizer).rows([TALK], last + 1).unended == 0
    assert Renderer(tokenizer).rows([TALK], last).unended == 1


def test_a_template_that_drops_calls_is_refused(tokenizer: Any) -> None:
    rows = [example("Ulm", 3)]
    assert Renderer(tokenizer).require(rows) == ""
    tokenizer.chat_template = "{%- for m in messages -%}{{ m.role }}: {{ m.content }}\n{%- endfor -%}"
    lost = "leaves out tools, the names of called tools and the arguments of calls"
    with pytest.raises(UserError, match=lost):
        Renderer(tokenizer).require(rows)
    assert Renderer(tokenizer).require([TALK]) == ""


def test_parallel_calls_are_refused_only_where_the_data_have_them(tokenizer: Any) -> None:
    tokenizer.chat_template = (
        "{{ tools|tojson if tools }}{% for m in messages %}{% if m.tool_calls %}"
        "{% if m.tool_calls|length > 1 %}{{ raise_exception('one call at once!') }}{% endif %}"
        "{{ m.tool_calls|tojson }}{% else %}{{ m.content }}{% endif %}{{ eos_token }}{% endfor %}"
    )
    one: Any = example("Ulm", 3)
    assert Renderer(tokenizer).require([one]) == ""
    two = json.loads(json.dumps(one))
    two["messages"][1]["tool_calls"] *= 2
    with pytest.raises(UserError, match=r'refuses parallel calls \("one call at once!"\)'):
        Renderer(tokenizer).require([one, two])


def test_dropped_reasoning_is_told_and_no_reason_to_stop(tokenizer: Any) -> None:
    messages = [*TALK["messages"][:2], {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}]
    assert Renderer(tokenizer).require([{"messages": messages}]) == "leaves out reasoning"


def test_an_example_that_the_template_refuses_is_told(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(UserError, match="refuses example 1: roles must alternate"):
        Renderer(tokenizer).rows([TALK], 512)
