"""Every rule about one row: a row that breaks it, and that a sound row breaks none."""

from copy import deepcopy
from typing import Any

import pytest
from data_rows import TOOL, answer, call, example, result, user

from tuner_tui.data.converters import convert
from tuner_tui.data.examples import Example
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.rules import RULES
from tuner_tui.data.validators import validate

SYSTEM = {"role": "system", "content": "Be brief."}
SOUND = [
    example(
        user(), answer("", call(city="Rome", days=2, unit="celsius", hours=[1, 2.5], place={"country": "IT"}))
    ),
    example(
        user(), answer("Looking.", call(city="Rome")), result(), answer("Yes."), user(), answer("Still.")
    ),
    example(SYSTEM, user(), answer("There is no tool for that.")),
    example(user(), answer("", call(city="Rome"), call(city="Oslo")), result(), result(), answer("Both.")),
    example(user("tabs\tand\nlines are text, so is 🙂 and [red]"), answer("Yes."), tools=[]),
    {
        "prompt": [user()],
        "chosen": [answer("", call(city="Rome"))],
        "rejected": [answer("No.")],
        "tools": [TOOL],
    },
]


@pytest.mark.parametrize("row", SOUND)
def test_sound_rows(row: Example) -> None:
    format = Format.PREFERENCE if "chosen" in row else Format.CANONICAL
    assert validate(convert(row, format), 1) == []


def tool(**change: Any) -> dict[str, Any]:
    changed = deepcopy(TOOL)
    changed["function"] |= change  # type: ignore[operator]
    return changed


def schema(**parameters: Any) -> list[dict[str, Any]]:
    return [tool(parameters=parameters)]


def calling(name: str = "weather", **arguments: Any) -> Example:
    return example(user(), answer("", call(name, **arguments)))


def named(identity: str) -> dict[str, Any]:
    return call(city="Rome") | {"id": identity}


KEY = "sk-proj-" + "a8Kd93jfLqP02mXzRt7Y1bNc"
AT = "messages[1].tool_calls[0].function"
PLAIN = (user(), answer("Yes."))
FAULTY = [
    (calling("forecast", city="Rome"), "undeclared_tool", f"{AT}.name"),
    (example(*PLAIN[:1], answer("", call(city="Rome")), tools=[]), "undeclared_tool", f"{AT}.name"),
    (calling(days=1), "missing_argument", f"{AT}.arguments.city"),
    (calling(city="Rome", place={}), "missing_argument", f"{AT}.arguments.place.country"),
    (calling(city="Rome", days="two"), "wrong_type", f"{AT}.arguments.days"),
    (calling(city="Rome", days=True), "wrong_type", f"{AT}.arguments.days"),
    (calling(city="Rome", unit="kelvin"), "wrong_type", f"{AT}.arguments.unit"),
    (calling(city="Rome", hours=[1, "2"]), "wrong_type", f"{AT}.arguments.hours[1]"),
    (calling(city="Rome", wind=True), "unknown_argument", f"{AT}.arguments.wind"),
    (calling(city="Rome", place={"country": "IT", "x": 1}), "unknown_argument", f"{AT}.arguments.place.x"),
    (example(*PLAIN, tools=[tool(name="")]), "invalid_tool", "tools[0].function.name"),
    (example(*PLAIN, tools=schema(type="array")), "invalid_tool", "tools[0].function.parameters"),
    (example(*PLAIN, tools=[tool(parameters="no JSON")]), "invalid_tool", "tools[0].function.parameters"),
    (example(*PLAIN, tools=schema(type="dict", properties={})), "normalised_schema", "tools"),
    (example(*PLAIN, tools=schema(city={"type": "str, optional"})), "normalised_schema", "tools"),
    (
        example(*PLAIN, tools=schema(type="object", properties={"a": {"type": "string", "pattern": "("}})),
        "normalised_schema",
        "tools",
    ),
    (example(*PLAIN, tools=[tool(name="weather.today")]), "renamed_tool", "tools"),
    (example(*PLAIN, tools=[TOOL, TOOL]), "duplicate_tool", "tools[1].function.name"),
    (
        example(*PLAIN, tools=[TOOL, tool(description="Another.")]),
        "duplicate_tool",
        "tools[1].function.name",
    ),
    (example(user(), answer("  ")), "empty_turn", "messages[1]"),
    (example(user(" "), answer("Yes.")), "empty_request", "messages[0]"),
    (example({"role": "system", "content": ""}, *PLAIN), "empty_system", "messages[0]"),
    (example(answer("Hello."), user(), answer("Yes.")), "unusual_order", "messages[0].role"),
    (example(SYSTEM, answer("Hello."), *PLAIN), "unusual_order", "messages[1].role"),
    (example(*PLAIN, SYSTEM, *PLAIN), "unusual_order", "messages[2].role"),
    (example(SYSTEM, SYSTEM, *PLAIN), "unusual_order", "messages[1].role"),
    (example(user(), user(), answer("Yes.")), "role_order", "messages[1].role"),
    (example(user(), answer("Yes."), answer("Yes.")), "role_order", "messages[2].role"),
    (example(user(), SYSTEM, answer("Yes.")), "unusual_order", "messages[1].role"),
    (example(user(), SYSTEM, *PLAIN), "role_order", "messages[2].role"),
    (
        example(user(), answer("", call(city="Rome")), result(), user(), answer("Yes.")),
        "role_order",
        "messages[3].role",
    ),
    (example(user(), result(), answer("Yes.")), "orphan_result", "messages[1]"),
    (
        example(user(), answer("", call(city="Rome")), result(), result(), answer("Yes.")),
        "orphan_result",
        "messages[3]",
    ),
    (
        example(user(), answer("", named("a")), result(tool_call_id="b"), answer("Yes.")),
        "orphan_id",
        "messages[2].tool_call_id",
    ),
    (
        example(user(), answer("", named("a"), named("a")), result(), result(), answer("Yes.")),
        "repeated_id",
        "messages[1].tool_calls[1].id",
    ),
    (
        example(user(), answer("", named("a")), result(tool_call_id="a"), answer("", named("a")), result()),
        "repeated_id",
        "messages[3].tool_calls[0].id",
    ),
    (
        example(user(), answer("", call(city="Rome")), result(name="clock"), answer("Yes.")),
        "orphan_result",
        "messages[2]",
    ),
    (example(user(), answer("", call(city="Rome")), user(), answer("Yes.")), "missing_result", "messages[1]"),
    (
        example(user(), answer("", call(city="Rome"), call(city="Oslo")), result()),
        "missing_result",
        "messages[1]",
    ),
    (example(user()), "nothing_to_train", None),
    (example(user(), answer("Yes.") | {"weight": 0}), "nothing_to_train", None),
    (example(user("a\x1b[31mb"), answer("Yes.")), "control_characters", "messages[0].content"),
    (example(user("a\u202eb"), answer("Yes.")), "control_characters", "messages[0].content"),
    (calling(city="Ro\x00me"), "control_characters", f"{AT}.arguments"),
    (
        example(user(), answer("Yes.") | {"reasoning_content": "a\x07"}),
        "control_characters",
        "messages[1].reasoning_content",
    ),
    (example(user(), answer(f"Use {KEY}.")), "secret", "messages[1].content"),
    (calling(city=KEY), "secret", f"{AT}.arguments"),
    (example(user(), answer("Ask maria.rossi@posteo.de.")), "personal_data", "messages[1].content"),
    (
        example(
            user("明天罗马会下雨吗？我应该带伞吗？"),
            answer("No, it will stay dry for the whole of tomorrow."),
        ),
        "mixed_languages",
        "messages[1].content",
    ),
]


@pytest.mark.parametrize(("row", "rule", "field"), FAULTY)
def test_every_fault_is_found_where_it_is(row: Example, rule: str, field: str | None) -> None:
    found = validate(convert(row, Format.CANONICAL), 7)
    here = [one for one in found if one.rule == rule]
    assert here, found
    assert (here[0].row, here[0].field) == (7, field)
    assert here[0].message
    assert (here[0].severity, here[0].fix) == (RULES[rule].severity, RULES[rule].mend)


@pytest.mark.parametrize(
    ("chosen", "rejected", "rule"),
    [
        ([answer("")], [answer("No.")], "empty_answer"),
        ([answer("No.")], [answer("")], "empty_answer"),
        ([answer("No.")], [answer("No.")], "identical_pair"),
        ([answer("", call())], [answer("No.")], "missing_argument"),
        ([answer("Yes.")], [user(), answer("No.")], "role_order"),
    ],
)
def test_preference_pairs(chosen: list[Any], rejected: list[Any], rule: str) -> None:
    pair = {"prompt": [user()], "chosen": chosen, "rejected": rejected, "tools": [TOOL]}
    assert rule in {one.rule for one in validate(convert(pair, Format.PREFERENCE), 1)}


def test_the_rejected_answer_may_be_wrong() -> None:
    pair = {
        "prompt": [user()],
        "chosen": [answer("No.")],
        "rejected": [answer("", call("no_such"))],
        "tools": [TOOL],
    }
    assert validate(convert(pair, Format.PREFERENCE), 1) == []


def test_unpaired_preference_needs_a_completion() -> None:
    row = {"prompt": [user()], "completion": [answer("Yes.")], "label": True, "tools": [TOOL]}
    assert validate(convert(row, Format.KTO), 1) == []
    found = validate(convert(row | {"completion": [answer("")]}, Format.KTO), 1)
    assert ("empty_answer", "completion") in {(one.rule, one.field) for one in found}


def test_a_completion_with_a_bad_label_may_be_wrong() -> None:
    row = {"prompt": [user()], "completion": [answer("", call("no_such"))], "tools": [TOOL]}
    assert validate(convert(row | {"label": False}, Format.KTO), 1) == []
    assert [one.rule for one in validate(convert(row | {"label": True}, Format.KTO), 1)] == [
        "undeclared_tool"
    ]


def test_fields_of_a_pair_are_those_of_its_sides() -> None:
    pair = {"prompt": [user("a\x00")], "chosen": [answer("b\x00")], "rejected": [answer("No.")], "tools": []}
    found = validate(convert(pair, Format.PREFERENCE), 1)
    assert [one.field for one in found] == ["prompt[0].content", "chosen[0].content"]


def test_what_is_not_trained_may_be_confidential() -> None:
    row = example(user(f"{KEY} a@posteo.de"), answer(KEY) | {"weight": 0}, user(), answer("Yes."))
    assert validate(convert(row, Format.CANONICAL), 1) == []


def test_plain_text_without_a_request() -> None:
    assert validate(convert({"text": "A text to go on with."}, Format.TEXT), 1) == []


def test_a_secret_is_never_shown_whole() -> None:
    (found,) = validate(convert(example(user(), answer(KEY)), Format.CANONICAL), 1)
    assert KEY[8:] not in found.message
    assert "sk-…1bNc" in found.message


def test_original_tools_of_any_shape() -> None:
    for original in (["x", None, 3], [{"function": "x"}], [{}], []):
        row = example(*PLAIN) | {"original_tools": original}
        assert isinstance(validate(convert(row, Format.CANONICAL), 1), list)


def test_several_faults_of_one_call_are_all_found() -> None:
    found = validate(convert(calling(days="two", wind=1), Format.CANONICAL), 1)
    assert {one.rule for one in found} == {"missing_argument", "wrong_type", "unknown_argument"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object"},
        {},
        {"$ref": "#/$defs/any", "$defs": {"any": {"type": "object"}}},
        {"type": "object", "properties": {}, "patternProperties": {"^c": {"type": "string"}}},
    ],
)
def test_schemas_that_leave_arguments_open(parameters: dict[str, Any]) -> None:
    row = example(user(), answer("", call(city="Rome")), tools=[tool(parameters=parameters)])
    assert validate(convert(row, Format.CANONICAL), 1) == []


@pytest.mark.parametrize("address", ["file:///etc/hostname", "http://127.0.0.1:9/schema.json"])
def test_no_reference_is_followed(address: str) -> None:
    row = example(*PLAIN, tools=[tool(parameters={"type": "object", "properties": {"a": {"$ref": address}}})])
    (found,) = validate(convert(row, Format.CANONICAL), 1)
    assert found.rule == "invalid_tool"
    assert "not followed" in found.message


def test_arguments_nested_beyond_what_can_be_checked() -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"a": deep}
    row = example(user(), answer("", call(**deep)), tools=schema(type="object"))
    assert isinstance(validate(convert(row, Format.CANONICAL), 1), list)


def test_a_message_about_a_long_value_stays_short() -> None:
    found = validate(convert(calling(city="Rome", days="x" * 10_000), Format.CANONICAL), 1)
    found += validate(convert(calling("y" * 10_000), Format.CANONICAL), 1)
    assert found and all(len(one.message) < 400 for one in found)
