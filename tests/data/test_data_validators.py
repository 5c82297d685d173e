"""Every rule about one row: a row that breaks it, and that a sound row breaks none."""

from copy import deepcopy
from typing import Any

import pytest
from data_rows import TOOL, answer, call, example, result, user

from tuner_tui.data.converters import convert
from tuner_tui.data.examples import Example
from tuner_tui.data.formats import Format
from tuner_tui.data.rules import RULES, Severity
from tuner_tui.data.validators import Finding, validate

SOUND = [
    example(
        user(), answer("", call(city="Rome", days=2, unit="celsius", hours=[1, 2.5], place={"country": "IT"}))
    ),
    example(
        user(), answer("Looking.", call(city="Rome")), result(), answer("Yes."), user(), answer("Still.")
    ),
    example({"role": "system", "content": "Be brief."}, user(), answer("There is no tool for that.")),
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
    (example(*PLAIN, tools=schema(type="dict")), "invalid_tool", "tools[0].function.parameters"),
    (example(*PLAIN, tools=[tool(parameters=[])]), "invalid_tool", "tools[0].function.parameters"),
    (example(*PLAIN, tools=schema(city={"type": "string"})), "invalid_tool", "tools[0].function.parameters"),
    (
        example(*PLAIN, tools=schema(type="object", properties={"a": {"type": "str"}})),
        "invalid_tool",
        "tools[0].function.parameters",
    ),
    (
        example(*PLAIN, tools=schema(type="object", properties={"a": {"type": "string", "pattern": "("}})),
        "invalid_tool",
        "tools[0].function.parameters",
    ),
    (example(*PLAIN, tools=[TOOL, TOOL]), "duplicate_tool", "tools[1].function.name"),
    (example(user(), answer("  ")), "empty_turn", "messages[1]"),
    (example(answer("Hello."), user(), answer("Yes.")), "role_order", "messages[0].role"),
    (example(user(), user(), answer("Yes.")), "role_order", "messages[1].role"),
    (example(user(), answer("Yes."), answer("Yes.")), "role_order", "messages[2].role"),
    (example(user(), {"role": "system", "content": "x"}, answer("Yes.")), "role_order", "messages[1].role"),
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


def test_the_rules_explain_themselves() -> None:
    for id, rule in RULES.items():
        assert rule.id == id
        assert all(
            (text and text[-1] in ".?/}") or text == rule.title for text in (rule.explanation, rule.mend)
        )
    assert {rule.severity for rule in RULES.values()} == set(Severity)
    assert (
        Finding("x", Severity.ERROR, None, None, "", "").severity.rank
        > Severity.WARNING.rank
        > Severity.INFO.rank
    )
