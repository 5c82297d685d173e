"""The rules: each explains itself, each is raised by a file that breaks it, and a sound file breaks none."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from data_rows import TOOL, answer, call, example, result, user

from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.rendering.lengths import check_length
from tuner_tui.data.rendering.preview import ChatTemplate
from tuner_tui.data.rules import RULES, Finding, Severity, finding
from tuner_tui.paths import embedded_model

CALL = example(user(), answer("", call(city="Rome")))
PLAIN = (user(), answer("Yes."))
KEY = "sk-proj-" + "a8Kd93jfLqP02mXzRt7Y1bNc"
LONG = "Find the cheapest hotel in the centre of Rome for two guests from Friday to Sunday, please"


def _tool(**change: Any) -> list[dict[str, Any]]:
    return [TOOL | {"function": TOOL["function"] | change}]


def _numbered(count: int, *turns: dict[str, Any], tools: list[Any] | None = None) -> list[Any]:
    return [example(user(f"Question {number}?"), *turns, tools=tools) for number in range(count)]


def _named(identity: str) -> dict[str, Any]:
    return call(city="Rome") | {"id": identity}


def _pair(chosen: str, rejected: str) -> dict[str, Any]:
    return {"prompt": [user()], "chosen": [answer(chosen)], "rejected": [answer(rejected)], "tools": []}


def _labelled(number: int) -> dict[str, Any]:
    return {"prompt": [user(f"{number}?")], "completion": [answer(f"{number}!")], "label": True, "tools": []}


# Rows of a file that breaks the rule; a text is a line as it is.
FILES: dict[str, list[Any]] = {
    "not_json": [CALL, "{cut"],
    "not_object": [CALL, "[1]"],
    "unknown_layout": [CALL, CALL, {"x": 1}],
    "bad_message": [CALL, example({"role": "wizard", "content": "x"})],
    "unparseable_arguments": [
        example(user(), answer("", {"function": {"name": "weather", "arguments": "{"}}))
    ],
    "no_answer": [{"query": "Rain?", "query_id": 1, "api_list": [], "relevant APIs": []}],
    "missing_companion": [
        {"id": "dev-1", "query": "Rain?", "calling": [{"api": "f", "parameters": {}, "responses": []}]}
    ],
    "tools_not_list": [example(*PLAIN) | {"tools": {"a": 1}}],
    "invalid_tool": [example(*PLAIN, tools=_tool(name=""))],
    "duplicate_tool": [example(*PLAIN, tools=[TOOL, TOOL])],
    "normalised_schema": [example(*PLAIN, tools=_tool(parameters={"city": {"type": "str"}}))],
    "renamed_tool": [example(*PLAIN, tools=_tool(name="a.b"))],
    "undeclared_tool": [example(user(), answer("", call("clock")))],
    "missing_argument": [example(user(), answer("", call()))],
    "wrong_type": [example(user(), answer("", call(city=5)))],
    "unknown_argument": [example(user(), answer("", call(city="Rome", wind=1)))],
    "empty_turn": [example(user(), answer(""))],
    "empty_request": [example(user(""), answer("Yes."))],
    "empty_system": [example({"role": "system", "content": ""}, *PLAIN)],
    "role_order": [example(user(), *PLAIN)],
    "unusual_order": [example(answer("Hello."), *PLAIN)],
    "orphan_result": [example(user(), result(), answer("Yes."))],
    "orphan_id": [example(user(), answer("", _named("a")), result(tool_call_id="b"), answer("Yes."))],
    "repeated_id": [
        example(user(), answer("", _named("a"), _named("a")), result(), result(), answer("Yes."))
    ],
    "missing_result": [example(user(), answer("", call(city="Rome")), *PLAIN)],
    "ends_in_call": [CALL],
    "nothing_to_train": [example(user())],
    "control_characters": [example(user("a\x00"), answer("Yes."))],
    "call_in_text": [example(user(), answer('[weather(city="Rome")]'))],
    "call_mark": [example(user(), answer("Calls stand after <tool_call>."))],
    "secret": [example(user(), answer(KEY))],
    "personal_data": [example(user(), answer("maria.rossi@posteo.de"))],
    "mixed_languages": [
        example(
            user("明天罗马会下雨吗？我应该带伞吗？"),
            answer("No, it will stay dry for the whole of tomorrow."),
        )
    ],
    "empty_answer": [_pair("", "No.")],
    "identical_pair": [_pair("No.", "No.")],
    "one_label": [_labelled(number) for number in range(3)],
    "duplicate_row": [CALL, CALL],
    "few_rows": [CALL],
    "no_negatives": [CALL],
    "no_error_recovery": [CALL],
    "dominant_tool": [
        *_numbered(40, answer("", call(city="Rome")), tools=[*_tool(), *_tool(name="a"), *_tool(name="b")]),
        *_numbered(1, answer("", call("a", city="Rome")), tools=_tool(name="a")),
        *_numbered(1, answer("", call("b", city="Rome")), tools=_tool(name="b")),
    ],
    "dominant_answer": [
        *_numbered(40, answer("I am sorry, I can't."), tools=[]),
        *[example(user(f"{number}?"), answer(f"{number}!"), tools=[]) for number in range(40)],
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(rows: list[Any], name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return path

    return to_file


@pytest.mark.parametrize("rule", FILES)
def test_a_file_that_breaks_the_rule(rule: str, write: Callable[..., Path]) -> None:
    found = inspect_file(write(FILES[rule])).counts
    assert rule in found


def test_a_sound_file_breaks_none(write: Callable[..., Path]) -> None:
    rows = [
        *_numbered(
            60, answer("", call(city="Rome")), result(name="weather"), answer("Yes, take an umbrella.")
        ),
        *[example(user(f"{number}?"), answer(f"There is no tool for {number}.")) for number in range(60)],
        example(
            *(user("Rain?"), answer("", call(city="Roma")), result('{"error": "no such city"}')),
            *(answer("", call(city="Rome")), result(), answer("Yes.")),
        ),
    ]
    for number, row in enumerate(rows[:60]):
        row["messages"][-1] = answer(f"Yes, take umbrella number {number}.")
    assert inspect_file(write(rows), near=False).counts == {}


def model_with(folder: Path, old: str, new: str) -> Path:
    """The embedded model with a change in its chat template."""
    shutil.copytree(embedded_model(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    path = folder / "chat_template.jinja"
    source = path.read_text("utf-8")
    assert old in source
    path.write_text(source.replace(old, new), "utf-8")
    return folder


STEPS = example(user(), answer("", call(city="Rome")), result(name="weather"), answer("Yes, it will."))


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        (
            "template_fails",
            "{%- set first",
            "{{ raise_exception('never') if messages|length > 3 }}{%- set first",
        ),
        ("template_drops", "message.tool_calls or []", "[]"),
        ("template_lacks", "{%- if first.role == 'system'", "{%- if false"),
        ("eos_not_trained", "{{- '<|im_end|>' -}}\n        {%- endgeneration -%}", "{%- endgeneration -%}"),
    ],
)
def test_a_template_that_breaks_the_rule(
    rule: str, old: str, new: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    assert rule not in inspect_file(write([STEPS]), model=embedded_model()).counts
    assert rule in inspect_file(write([STEPS]), model=model_with(tmp_path / "model", old, new)).counts


def test_a_template_without_marks(write: Callable[..., Path], tmp_path: Path) -> None:
    folder = model_with(tmp_path / "model", "{%- generation -%}", "")
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text("utf-8").replace("{%- endgeneration -%}", ""), "utf-8")
    assert "no_loss_mask" in inspect_file(write([STEPS]), model=folder).counts
    assert "no_loss_mask" not in inspect_file(write([STEPS]), model=embedded_model()).counts


def test_a_limit_that_breaks_the_rules() -> None:
    template = ChatTemplate.load(embedded_model())
    (encoded,) = template.rows([STEPS])
    assert isinstance(encoded, list)
    length = max(len(row.ids) for row in encoded)
    found = {
        one.rule
        for limit in range(1, length + 1)
        for one in check_length(STEPS, encoded, 1, limit, ends=template.ends)
    }
    assert found == {"too_long", "call_cut", "answer_cut", "eos_not_trained"}


def test_near_duplicates_and_leaks(write: Callable[..., Path]) -> None:
    rows = [example(user(LONG + end), answer("I found the Albergo.")) for end in ("", "!")]
    training, held_out = write(rows), write(rows[1:], "eval.jsonl")
    inspection = inspect_file(training, near=True, eval_path=held_out)
    assert list(inspection.rows_of("near_duplicate")) == [2]
    assert list(inspection.rows_of("leaked_row")) == [1, 2]
    assert not {"near_duplicate", "leaked_row"} & set(inspect_file(training, near=False).counts)


def test_several_scripts(write: Callable[..., Path]) -> None:
    rows = [example(user(f"{number} umbrellas?"), answer("Yes."), tools=[]) for number in range(5)]
    assert "several_languages" not in inspect_file(write(rows)).counts
    rows += [example(user(f"{number} 把雨伞吗？"), answer("是的。"), tools=[]) for number in range(5)]
    assert "several_languages" in inspect_file(write(rows)).counts


def test_nulls_of_a_columnar_file(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [
        example(user(), answer("", call(city="Rome"))),
        example(user("Days?"), answer("", call(city="Rome", days=2))),
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    counts = inspect_file(tmp_path / "rows.parquet").counts
    assert counts["arrow_nulls"] == 1
    assert not {"wrong_type", "unknown_argument"} & set(counts)


def test_no_rule_is_left_out() -> None:
    elsewhere = {
        # Raised by the tests above.
        *("template_fails", "template_drops", "template_lacks", "eos_not_trained", "no_loss_mask"),
        *("too_long", "call_cut", "answer_cut", "near_duplicate", "leaked_row", "several_languages"),
        "arrow_nulls",
    }
    assert set(RULES) == FILES.keys() | elsewhere


def test_the_rules_explain_themselves() -> None:
    for id, rule in RULES.items():
        assert rule.id == id
        assert rule.title and len(rule.title) <= 40 and rule.title[-1] != "."
        assert rule.example
        for text in (rule.explanation, rule.mend):
            assert text[-1] in ".?/}"
    assert {rule.severity for rule in RULES.values()} == set(Severity)


def test_severities_have_an_order() -> None:
    assert Severity.ERROR.rank > Severity.WARNING.rank > Severity.INFO.rank
    found = finding("few_rows", None, None, "x")
    assert found == Finding("few_rows", Severity.WARNING, None, None, "x", RULES["few_rows"].mend)
