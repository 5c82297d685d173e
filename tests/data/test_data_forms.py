"""Calls in the forms of other families: what is read, what is strict, and which form a model has."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from families import FAMILIES, family_model, model_with

from tuner_tui.data.answers.forms import Form
from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.data.examples import Call

F = Call("f", {"a": 1, "b": "x; [y]"})
G = Call("g", {})
DOTTED = Call("m.f", {"a": [1, {"k": None}], "b": -1.5, "c": True})
LLAMA = '{"name": "f", "parameters": {"a": 1, "b": "x; [y]"}}'
MISTRAL = '[{"name": "f", "arguments": {"a": 1, "b": "x; [y]"}}]'
PYTHON = "[f(a=1, b='x; [y]')]"


@pytest.mark.parametrize(
    ("text", "form", "calls"),
    [
        (LLAMA, Form.LLAMA, [F]),
        ("<|python_tag|>" + LLAMA, Form.LLAMA, [F]),
        (LLAMA + '; {"name": "g", "parameters": {}}', Form.LLAMA, [F, G]),
        ("[TOOL_CALLS]" + MISTRAL, Form.MISTRAL, [F]),
        (f'[TOOL_CALLS] {MISTRAL[:-1]}, {{"name":"g","arguments":{{}},"id":"abc"}}]', Form.MISTRAL, [F, G]),
        ('[TOOL_CALLS]f[ARGS]{"a": 1, "b": "x; [y]"}[TOOL_CALLS]g[ARGS]{}', Form.MISTRAL, [F, G]),
        ('[TOOL_CALLS]g[CALL_ID]abcdefghi[ARGS]{}', Form.MISTRAL, [G]),
        ("[TOOL_CALLS]g{}", Form.MISTRAL, [G]),
        (PYTHON, Form.PYTHON, [F]),
        ("[g(), f(a=1, b='x; [y]')]", Form.PYTHON, [G, F]),
        ("[m.f(a=[1, {'k': None}], b=-1.5, c=true)]", Form.PYTHON, [DOTTED]),
    ],
)  # fmt: skip
def test_each_form_to_the_letter(text: str, form: Form, calls: list[Call]) -> None:
    answer = parse_answer(text, form)
    assert (answer.calls, answer.strict, answer.error) == (calls, True, None)
    for other in Form:
        read = parse_answer(text, other)
        assert read.calls == calls
        assert read.strict is (other is form)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("{'name': 'f', 'parameters': {'a': 1, 'b': 'x; [y]'}}", Form.LLAMA),
        ("<|python_tag|>f(a=1, b='x; [y]')", Form.LLAMA),
        (LLAMA.replace("parameters", "arguments"), Form.LLAMA),
        ("[TOOL_CALLS]" + MISTRAL.replace('"', "'"), Form.MISTRAL),
        ("f(a=1, b='x; [y]')", Form.PYTHON),
        (f"```python\n{PYTHON}\n```", Form.PYTHON),
        (f"`{PYTHON}`", Form.PYTHON),
        (f"Here you are:\n```\n{PYTHON}\n```", Form.TAGGED),
        ("<tool_call>\n{'name': 'f', 'arguments': {'a': 1, 'b': 'x; [y]'}}\n</tool_call>", Form.TAGGED),
    ],
)
def test_near_misses_are_calls_but_not_strict(text: str, form: Form) -> None:
    answer = parse_answer(text, form)
    assert (answer.calls, answer.strict, answer.error) == ([F], False, None)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("[TOOL_CALLS]", Form.MISTRAL),
        ("[TOOL_CALLS]f[ARGS]{", Form.MISTRAL),
        ("[TOOL_CALLS]f[CALL_ID]", Form.MISTRAL),
        ("<|python_tag|>import os", Form.LLAMA),
        ('{"name": "f", "parameters": {', Form.LLAMA),
        ("[f(a=__import__('os').getcwd())]", Form.PYTHON),
        ("[f(a=1 + 1)]", Form.PYTHON),
        ("[f(a=g())]", Form.PYTHON),
        ("[f(1)]", Form.PYTHON),
        ("[f(**{'a': 1})]", Form.PYTHON),
        ("[f(a=float)]", Form.PYTHON),
        ("[f(a=b'x')]", Form.PYTHON),
        ("[f()()]", Form.PYTHON),
        ("[f(a=1), 2]", Form.PYTHON),
    ],
)
def test_broken_attempts(text: str, form: Form) -> None:
    answer = parse_answer(text, form)
    assert (answer.calls, answer.attempted, answer.strict) == ([], True, False)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("text", ["", "None does that.", "[1, 2]", "See [a] (b).", "{}", '{"a": 1}', "[]"])
def test_words_are_no_call_in_any_form(text: str, form: Form) -> None:
    answer = parse_answer(text, form)
    assert (answer.calls, answer.attempted, answer.strict) == ([], False, True)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize(
    "text",
    [
        *("[TOOL_CALLS]" * 50_000, "[f(" * 30_000, "[f(a=" + "[" * 9_000, "<|python_tag|>" * 50_000),
        *(
            LLAMA + ";" * 100_000,
            (LLAMA + ";") * 20_000,
            '{"a":' * 50_000,
            "[f(a='" + "x" * 1_000_000 + "')]",
        ),
        *("f[ARGS]" * 50_000, "[TOOL_CALLS]f" + "[CALL_ID]" * 50_000, "[f(a=" + "-" * 9_000 + "1)]"),
    ],
    ids=range(11),
)
def test_huge_texts_take_no_time(text: str, form: Form) -> None:
    started = time.process_time()
    answer = parse_answer(text, form)
    assert time.process_time() - started < 2
    json.dumps([call.arguments for call in answer.calls], allow_nan=False)


MISTRAL_TEMPLATE = (
    "{{ bos_token }}{% if tools %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}"
    "{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]"
    "{% elif m.tool_calls %}[TOOL_CALLS][{% for c in m.tool_calls %}{{ c.function | tojson }}"
    "{{ ', ' if not loop.last }}{% endfor %}]{{ eos_token }}"
    "{% elif m.role == 'tool' %}[TOOL_RESULTS]{{ m.name }}{{ m.content }}[/TOOL_RESULTS]"
    "{% else %}{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
PYTHON_TEMPLATE = (
    "{{ tools | tojson if tools }}{% for m in messages %}<{{ m.role }}>{% if m.tool_calls %}[{% for c in"
    " m.tool_calls %}{{ c.function.name }}"
    "({% for k, v in c.function.arguments | items %}{{ k }}={{ v | tojson }}"
    "{{ ', ' if not loop.last }}{% endfor %}){{ ', ' if not loop.last }}{% endfor %}]"
    "{% else %}{{ m.content }}{% endif %}"
    "{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


def loaded(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    ("family", "form"),
    [
        ("Qwen 2.5", Form.TAGGED),
        ("Qwen 3", Form.TAGGED),
        ("Llama 3.1", Form.LLAMA),
        ("Llama 3.2", Form.LLAMA),
    ],
)
def test_the_form_of_a_family_is_told_by_its_template(
    family: str, form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuner_tui.recipes.conventions import find_convention

    monkeypatch.setitem(FAMILIES, "Llama 3.2", replace(FAMILIES["Llama 3.1"], template="llama3_2"))
    convention = find_convention(loaded(family_model(family, tmp_path / "m")), family)
    assert (convention.form, convention.native) == (form, False)


@pytest.mark.parametrize(
    ("template", "form"),
    [
        (MISTRAL_TEMPLATE, Form.MISTRAL),
        (PYTHON_TEMPLATE, Form.PYTHON),
    ],
)
def test_the_form_of_any_other_template(template: str, form: Form, tmp_path: Path) -> None:
    from tuner_tui.recipes.conventions import find_convention

    convention = find_convention(loaded(model_with(template, tmp_path / "m")), "other")
    assert (convention.form, convention.native) == (form, False)


def test_what_no_form_reads_is_left_to_the_models_own_parser(tmp_path: Path) -> None:
    from tuner_tui.recipes.conventions import find_convention

    assert find_convention(loaded(family_model("Gemma 4", tmp_path / "m")), "gemma").native
