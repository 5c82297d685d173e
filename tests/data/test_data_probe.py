"""What a template loses is told before a run: an error only where the data need it. Limits by turn."""

from pathlib import Path
from typing import Any

import pytest
from data_rows import TOOL, Writer, answer, call, example, result, user
from families import CONVERSATIONS, family_model, lengths, model_with, without_marks

from tuner_tui.data.examples import Example
from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.data.rendering.probe import Part, parts_of, probe
from tuner_tui.data.rendering.shaping import Shape
from tuner_tui.data.rendering.template import Template
from tuner_tui.data.rules import Severity
from tuner_tui.paths import embedded_model


def losses(path: Path, model: Path) -> dict[tuple[str, Severity], str]:
    """The findings about the template, by rule and severity."""
    found = inspect_file(path, model=model, workers=1).findings
    return {(one.rule, one.severity): one.message for one in found if one.rule.startswith("template_")}


@pytest.mark.parametrize(
    ("family", "conversation", "dropped", "lacked"),
    [
        ("Phi 3", "result", "leaves out tools, the names of called tools, the arguments", "parallel calls"),
        ("Phi 3", "system", "", "leaves out tools"),
        ("Llama 3.1", "parallel", "refuses parallel calls", ""),
        ("Llama 3.1", "result", "", "refuses parallel calls"),
        ("gpt-oss", "parallel", "leaves out parallel calls", ""),
        ("DeepSeek V3", "parallel", "leaves out tools, which", ""),
        ("Qwen 2.5", "reasoning", "leaves out reasoning", ""),
        ("Qwen 3", "parallel", "", ""),
        ("GLM-4 MoE", "reasoning in turns", "", "shows the reasoning of the last turn alone"),
    ],
)
def test_inspection_names_what_the_model_cannot_be_shown(
    family: str, conversation: str, dropped: str, lacked: str, write: Writer, tmp_path: Path
) -> None:
    model = family_model(family, tmp_path / "model")
    told = losses(write([CONVERSATIONS[conversation]]), model)
    told.pop(("template_fails", Severity.ERROR), None)  # the row itself
    wanted = {("template_drops", Severity.ERROR): dropped, ("template_lacks", Severity.INFO): lacked}
    wanted = {key: text for key, text in wanted.items() if text}
    assert set(told) == set(wanted)
    for key, text in wanted.items():
        assert text in told[key]


def test_parts_of_a_row() -> None:
    calling = {Part.TOOLS, Part.NAMES, Part.ARGUMENTS}
    assert parts_of(example(user(), answer("Hm."), tools=[])) == set()
    assert parts_of(CONVERSATIONS["result"]) == {*calling, Part.SYSTEM, Part.RESULTS}
    assert parts_of(CONVERSATIONS["parallel"]) == {*calling, Part.PARALLEL_CALLS, Part.PARALLEL_RESULTS}
    assert parts_of(CONVERSATIONS["reasoning in turns"]) == {
        *(Part.TOOLS, Part.REASONING, Part.EARLIER_REASONING)
    }


def shape_of(source: str) -> Shape:
    template = Template(source)
    return probe(lambda messages, tools, prompt: template.render(messages, tools, {})[0]).shape


def test_the_shape_that_shows_the_value_right() -> None:
    calls = "{% for c in m.tool_calls or [] %}{{ ARGUMENTS }}{% endfor %}"
    every = "{{ tools|tojson if tools }}{% for m in messages %}{{ m.content }}" + calls + "{% endfor %}"
    assert shape_of(every.replace("ARGUMENTS", "c.function.arguments|tojson")) == Shape()
    assert shape_of(every.replace("ARGUMENTS", "c.function.name ~ c.function.arguments")) == Shape(
        text_arguments=True
    )
    assert shape_of(every.replace("ARGUMENTS", "c.function.name + c.function.arguments")) == Shape(
        text_arguments=True
    )
    typed = every.replace("m.content", "m.content[0].text")
    assert shape_of(typed.replace("ARGUMENTS", "c.function.arguments|tojson")) == Shape(typed_content=True)
    either = (
        "{{ tools|tojson if tools }}{% for m in messages %}{% if m.content is defined %}{{ m.content }}"
        "{% else %}{{ m.tool_calls|tojson }}{% endif %}{% endfor %}"
    )
    assert shape_of(either) == Shape(omit_empty=True)


def test_a_shape_leaves_the_example_as_it_is() -> None:
    messages = example(user(), answer("", call(city="Ōsaka")))["messages"]
    text, typed = Shape(text_arguments=True).apply(messages), Shape(typed_content=True).apply(messages)
    assert text[1]["tool_calls"][0]["function"]["arguments"] == '{"city": "Ōsaka"}'
    assert typed[0]["content"] == [{"type": "text", "text": messages[0]["content"]}]
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == {"city": "Ōsaka"}
    assert Shape().apply(messages) is messages


@pytest.fixture
def plain(tmp_path: Path) -> ChatTemplate:
    """The embedded template without marks."""
    source = (embedded_model() / "chat_template.jinja").read_text("utf-8")
    return ChatTemplate.load(model_with(without_marks(source), tmp_path / "plain"))


def rules(template: ChatTemplate, row: Example, limit: int | None) -> list[str]:
    return [found.rule for found in lengths(template, row, limit)]


def test_limits_turn_by_turn(plain: ChatTemplate) -> None:
    row = example(user(), answer("", call(city="Rome")), result(), answer("Yes, it will."))
    (made,) = plain.rows([row])
    assert isinstance(made, list)
    first, second = made
    assert rules(plain, row, len(second.ids)) == []
    (found, *_) = lengths(plain, row, len(second.ids) - 1)
    assert found.rule == "too_long"
    assert "of 2 assistant turns, 1 stay whole" in found.message
    start, stop = first.spans[0]
    assert rules(plain, row, stop) == ["too_long"]
    assert rules(plain, row, stop - 1) == ["call_cut"]
    assert rules(plain, row, start + 1) == ["call_cut"]
    assert rules(plain, row, start) == ["answer_cut"]


def test_a_pair_is_two_rows() -> None:
    template = ChatTemplate.load(embedded_model())
    pair: dict[str, Any] = {
        "prompt": [user()],
        "chosen": [answer("", call(city="Rome"))],
        "rejected": [answer("I do not know. " * 8)],
        "tools": [TOOL],
    }
    (made,) = template.rows([pair])
    assert isinstance(made, list)
    chosen, rejected = made
    assert len(rejected.ids) > len(chosen.ids)
    assert rules(template, pair, len(rejected.ids)) == []
    assert "too_long" in rules(template, pair, len(chosen.ids))
    assert rules(template, pair, chosen.spans[0][0]) == ["answer_cut"]
    # In the prompt nothing is learned, whoever speaks there.
    pair["prompt"] = [user(), answer("Let me see."), user("Well?")]
    unpaired = {"prompt": pair["prompt"], "completion": pair["chosen"], "label": False, "tools": [TOOL]}
    (of_pair, of_one) = template.rows([pair, unpaired])
    assert isinstance(of_pair, list)
    assert isinstance(of_one, list)
    assert of_one == of_pair[:1]
    assert len(of_one[0].spans) == 1


def test_an_end_outside_the_marks(tmp_path: Path) -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
        "{% endgeneration %}{{ eos_token }}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    row = example(user(), answer("Yes."))
    outside = ChatTemplate.load(model_with(source, tmp_path / "outside"))
    assert rules(outside, row, None) == ["eos_not_trained"]
    moved = source.replace("{% endgeneration %}{{ eos_token }}", "{{ eos_token }}{% endgeneration %}")
    assert rules(ChatTemplate.load(model_with(moved, tmp_path / "inside")), row, None) == []
