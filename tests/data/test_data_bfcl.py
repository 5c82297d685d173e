"""BFCL: its layout, and its own answers against its own tools, where the package `bfcl-eval` is installed."""

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from data_rows import user
from published_rows import BFCL, BFCL_ANSWER, BFCL_CLASS, BFCL_MULTI_TURN, BFCL_MULTI_TURN_ANSWER

from tuner_tui.data.converters import ConversionError, convert
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.companions import Companion, load_companion
from tuner_tui.data.layouts.formats import Format, detect
from tuner_tui.data.rules import RULES, Severity
from tuner_tui.data.validators import validate

ANSWERS = Companion(
    answers={row["id"]: row["ground_truth"] for row in (BFCL_ANSWER, BFCL_MULTI_TURN_ANSWER)},
    tools={"gorilla_file_system": BFCL_CLASS},
)


def calls(example: Example, index: int) -> list[dict[str, Any]]:
    return [dict(call["function"]) for call in example["messages"][index]["tool_calls"]]


@pytest.mark.parametrize("value", [BFCL, BFCL_ANSWER, BFCL_MULTI_TURN])
def test_detect(value: dict[str, Any]) -> None:
    assert detect([value]) is Format.BFCL


def test_the_first_alternative_that_is_not_empty() -> None:
    converted = convert(BFCL, Format.BFCL, ANSWERS)
    assert converted["messages"][0] == user("The area of a triangle of base 10 and height 5?")
    # The dotted name is written with "_", in the tool and in the call.
    assert converted["tools"][0]["function"]["name"] == "math_area"
    assert converted["original_tools"] == BFCL["function"]
    [call] = calls(converted, 1)
    assert call["name"] == "math_area"
    assert call["arguments"] == {
        "base": 10,
        "height": 5.0,
        "unit": "units",
        "label": "",  # only "" is allowed, and the argument is required
        "options": {"round": 2},  # values inside are alternatives too; "" leaves out
        "points": [{"x": 1, "y": 2}],
        # `mark`, null or left out, is left out
    }
    assert not [one for one in validate(converted, 1) if one.severity is Severity.ERROR]


def test_multi_turn_answers_are_calls_in_python() -> None:
    converted = convert(BFCL_MULTI_TURN, Format.BFCL, ANSWERS)
    assert [message["role"] for message in converted["messages"]] == [
        *("user", "assistant", "user", "assistant"),
    ]
    assert calls(converted, 1) == [
        {"name": "cd", "arguments": {"folder": "docs"}},
        # An argument without a name gets the first parameter's.
        {"name": "sort", "arguments": {"file_name": "a.txt", "reverse": True}},
    ]
    assert calls(converted, 3) == [{"name": "rm", "arguments": {"file_name": "a.txt"}}]
    assert [tool["function"]["name"] for tool in converted["tools"]] == ["cd", "sort", "rm"]


def test_rows_without_an_official_answer_have_no_assistant() -> None:
    converted = convert(BFCL | {"id": "live_irrelevance_0-0-0"}, Format.BFCL)
    assert [message["role"] for message in converted["messages"]] == ["user"]
    assert "nothing_to_train" in [found.rule for found in validate(converted, 1)]


@pytest.mark.parametrize(
    ("value", "companion", "rule", "sentence"),
    [
        (BFCL, Companion(missing="there is no possible_answer"), "missing_companion", "no possible_answer"),
        (BFCL | {"id": "simple_python_1"}, ANSWERS, "no_answer", "no row with this id"),
        (BFCL_ANSWER, ANSWERS, "no_answer", "an answer without its question"),
        (BFCL | {"id": "web_search_1"}, ANSWERS, "no_answer", "not the calls that lead to them"),
        (BFCL | {"id": "memory_prereq_0"}, ANSWERS, "no_answer", "the user's part"),
        (BFCL | {"question": [["x"]]}, ANSWERS, "bad_message", "where a message should be"),
        (BFCL | {"question": "x"}, ANSWERS, "bad_message", "no list of turns"),
        (BFCL | {"function": 1}, ANSWERS, "tools_not_list", "a number where a list should be"),
        (BFCL_MULTI_TURN, Companion(), "missing_companion", "multi_turn_func_doc/gorilla_file_system.json"),
        (BFCL_MULTI_TURN | {"involved_classes": ["Unheard"]}, ANSWERS, "missing_companion", "Unheard"),
        (BFCL_MULTI_TURN | {"involved_classes": None}, ANSWERS, "invalid_tool", "neither"),
        (BFCL_MULTI_TURN | {"question": [[user()]]}, ANSWERS, "no_answer", "3 answers to 1 turns"),
    ],
)
def test_refusals(value: dict[str, Any], companion: Companion, rule: str, sentence: str) -> None:
    with pytest.raises(ConversionError, match=sentence) as caught:
        convert(value, Format.BFCL, companion)
    assert caught.value.rule == rule
    assert rule in RULES


@pytest.mark.parametrize(
    "truth",
    [
        "no list",
        [],
        [1],
        [{"a": {}, "b": {}}],
        [{"math.area": 1}],
        ["1 + 1"],
        ["__import__('os').getcwd("],
        ["math.area(base=open('x'))"],
        ["math.area(**{'base': 1})"],
        ["math.area(1, 2, 3, 4, 5, 6, 7, 8)"],
        ["f(" * 5000],
    ],
)
def test_faulty_answers(truth: Any) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(BFCL, Format.BFCL, Companion(answers={"simple_python_0": truth}))
    assert caught.value.rule in RULES


# -- the real data ---------------------------------------------------------------------------------

# Official answers that their own schema does not allow: what is wrong with each group was looked at by hand.
# live: values outside an `enum` ("N/A", "dontcare"), true and false where the type is a string, "dontcare"
# for an integer, arguments that no tool declares or that are required and missing (the entries of which it is
# known that no answer passes); java and javascript: names of variables where the type is an array or an
# object; multi_turn: "ticket_001" for an integer; miss_param and two turns elsewhere: no text is given where
# the model has to ask back, so that two turns of the user meet.
NOT_ALLOWED = {
    "live_multiple": {"wrong_type": 46, "unknown_argument": 2, "missing_argument": 1},
    "live_parallel": {"wrong_type": 1},
    "live_parallel_multiple": {"wrong_type": 1},
    "live_simple": {"wrong_type": 20, "missing_argument": 2},
    "multi_turn_base": {"wrong_type": 1, "role_order": 1},
    "multi_turn_long_context": {"wrong_type": 1, "role_order": 1},
    "multi_turn_miss_func": {"wrong_type": 1, "role_order": 1},
    "multi_turn_miss_param": {"wrong_type": 1, "role_order": 200},
    "parallel_multiple": {"wrong_type": 2, "unknown_argument": 2},
    "simple_java": {"wrong_type": 10},
    "simple_javascript": {"wrong_type": 8},
    "simple_python": {"wrong_type": 1},
}
ROWS = {
    **{"live_multiple": 1053, "live_parallel": 16, "live_parallel_multiple": 24, "live_simple": 258},
    **{"multi_turn_base": 200, "multi_turn_long_context": 200, "multi_turn_miss_func": 200},
    **{"multi_turn_miss_param": 200, "multiple": 200, "parallel": 200, "parallel_multiple": 200},
    **{"simple_java": 100, "simple_javascript": 50, "simple_python": 400},
}
WITHOUT_ANSWERS = {"irrelevance": 240, "live_irrelevance": 884, "live_relevance": 16}


@pytest.fixture(scope="module")
def real() -> Path:
    # Found without importing it: the package asks for the libraries of all vendors, and makes folders.
    spec = importlib.util.find_spec("bfcl_eval")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("bfcl-eval is not installed: pip install --no-deps bfcl-eval==2026.3.23")
    return Path(spec.submodule_search_locations[0]) / "data"


def converted(real: Path, category: str) -> list[tuple[str, Example]]:
    path = real / f"BFCL_v4_{category}.json"
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert detect(rows[:100]) is Format.BFCL
    companion = load_companion(path, Format.BFCL)
    return [(row["id"], convert(row, Format.BFCL, companion)) for row in rows]


@pytest.mark.parametrize("category", ROWS)
def test_official_answers_pass_their_own_schema(real: Path, category: str) -> None:
    rows = converted(real, category)
    assert len(rows) == ROWS[category]
    rules: Counter[str] = Counter()
    for number, (_, example) in enumerate(rows, start=1):
        found = validate(example, number)
        rules.update({one.rule for one in found if one.severity is Severity.ERROR})
    assert dict(rules) == NOT_ALLOWED.get(category, {})


@pytest.mark.parametrize("category", WITHOUT_ANSWERS)
def test_rows_without_answers_teach_nothing(real: Path, category: str) -> None:
    rows = converted(real, category)
    assert len(rows) == WITHOUT_ANSWERS[category]
    assert all(example["messages"][-1]["role"] == "user" for _, example in rows)


@pytest.mark.parametrize(("category", "count"), [("memory", 155), ("web_search", 100)])
def test_agentic_categories_are_refused(real: Path, category: str, count: int) -> None:
    path = real / f"BFCL_v4_{category}.json"
    companion = load_companion(path, Format.BFCL)
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert len(rows) == count
    for row in rows:
        with pytest.raises(ConversionError, match="not the calls that lead to them"):
            convert(row, Format.BFCL, companion)


def test_every_tool_normalises_to_valid_json_schema(real: Path) -> None:
    seen: set[bytes] = set()
    count = 0
    for category in (*ROWS, *WITHOUT_ANSWERS):
        for _, example in converted(real, category):
            count += len(example["tools"])
            seen.update(orjson.dumps(tool["function"]["parameters"]) for tool in example["tools"])
    assert count == 30_854
    for parameters in seen:
        jsonschema.Draft202012Validator.check_schema(orjson.loads(parameters))
