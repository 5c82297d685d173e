"""Tools in odd spellings: known answers, and whatever hypothesis makes of them is valid JSON Schema."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tuner_tui.data.schemas.normalise import normalise_tools
from tuner_tui.data.schemas.types import read_type


def parameters(value: Any) -> Any:
    return normalise_tools([{"name": "f", "parameters": value}]).tools[0]["function"]["parameters"]


def schema(value: Any) -> Any:
    """One property, normalised."""
    return parameters({"type": "object", "properties": {"x": value}})["properties"]["x"]


@pytest.mark.parametrize(
    ("text", "expected", "optional"),
    [
        ("str", {"type": "string"}, False),
        ("int, optional", {"type": "integer"}, True),
        ("Optional[str]", {"type": ["string", "null"]}, True),
        ("List[Union[int, float]]", {"type": "array", "items": {"type": ["integer", "number"]}}, False),
        ("list[str] (optional)", {"type": "array", "items": {"type": "string"}}, True),
        ("Dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}, False),
        ("Dict[str, Any], optional", {"type": "object"}, True),
        (
            "Tuple[float, float]",
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            False,
        ),
        ("Tuple[int, ...]", {"type": "array", "items": {"type": "integer"}}, False),
        (
            "Union[List[int], str]",
            {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "string"}]},
            False,
        ),
        ("Literal['a', 'b']", {"enum": ["a", "b"]}, False),
        ("int | None", {"type": ["integer", "null"]}, False),
        ("int or float", {"type": ["integer", "number"]}, False),
        ("HashMap<String, Integer>", {"type": "object", "additionalProperties": {"type": "integer"}}, False),
        ("string[]", {"type": "array", "items": {"type": "string"}}, False),
        ("list of strings", {"type": "array", "items": {"type": "string"}}, False),
        ("string (ISO 8601)", {"type": "string"}, False),
        ("np.ndarray", {"type": "array"}, False),
        ("str, default 'x'", {"type": "string"}, False),
        ("any", {}, False),
        ("None", {"type": "null"}, False),
        ("Callable[[float], float]", {"type": "string"}, False),
        ("wizard", None, False),
        ("__import__('os')", None, False),
        ("[" * 290, None, False),
        ("x" * 100_000, None, False),
    ],
)
def test_types(text: str, expected: dict[str, Any] | None, optional: bool) -> None:
    assert read_type(text) == (expected, optional)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "dict"}, {"type": "object"}),
        ({"type": "float", "default": "0.5"}, {"type": "number", "default": 0.5}),
        ({"type": "tuple", "items": "int"}, {"type": "array", "items": {"type": "integer"}}),
        ({"type": "any", "description": "x"}, {"description": "x"}),
        ({"type": ["str", "NoneType"]}, {"type": ["string", "null"]}),
        ({"type": "List[int]", "items": {"type": "str"}}, {"type": "array", "items": {"type": "string"}}),
        (
            {"type": "array", "items": [{"type": "int"}]},
            {"type": "array", "prefixItems": [{"type": "integer"}]},
        ),
        ({"type": "integer", "enum": ["1", "2"]}, {"type": "integer", "enum": [1, 2]}),
        ({"type": "integer", "enum": ["low", "high"]}, {"enum": ["low", "high"]}),
        (
            {"type": "array", "items": {"type": "str"}, "enum": ["a", "b"]},
            {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        ),
        ({"type": "string", "enum": "a, b"}, {"type": "string", "enum": ["a", "b"]}),
        ({"type": "string", "enum": []}, {"type": "string"}),
        ({"type": "string", "enum": {"a": 1}}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "default": 5}, {"type": "string", "default": "5"}),
        ({"type": "integer", "default": ""}, {"type": "integer", "default": ""}),
        ({"type": "string", "example_value": {"a": None}}, {"type": "string", "example_value": {"a": None}}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"], "nullable": True}),
        ({"type": ["string", None]}, {"type": ["string", "null"]}),
        (
            {"type": "List[int]", "nullable": "true"},
            {"type": ["array", "null"], "items": {"type": "integer"}, "nullable": "true"},
        ),
        (
            {"anyOf": [{"type": "str"}], "nullable": True},
            {"anyOf": [{"type": "string"}, {"type": "null"}], "nullable": True},
        ),
        (
            {"$ref": "#/$defs/A", "nullable": True, "description": "d"},
            {"nullable": True, "description": "d", "anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
        ),
        ({"additionalProperties": "true"}, {"additionalProperties": True}),
        (
            {"type": "object", "additionalProperties": "False"},
            {"type": "object", "additionalProperties": False},
        ),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "object", "required": "false"}, "b": {"required": "True"}},
            },
            {"type": "object", "properties": {"a": {"type": "object"}, "b": {}}, "required": ["b"]},
        ),
        ({"pattern": r"^\p{L}+$"}, {"pattern": r"^\p{L}+$"}),
        ({"pattern": r"(?<y>\d{4})"}, {"pattern": r"(?<y>\d{4})"}),
        ({"pattern": r"a\Z"}, {}),
        ({"type": "int", "minimum": 0, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 0}),
        ({"minimum": "1", "maximum": "many"}, {"minimum": 1}),
        ({"minLength": -1, "maxLength": 3.0}, {"maxLength": 3}),
        ({"pattern": "("}, {}),
        ({"description": None, "title": 5}, {"title": "5"}),
        ({"anyOf": []}, {}),
        ({"anyOf": [{"type": "str"}, "int"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, {}),
        ({"additionalProperties": "int"}, {"additionalProperties": {"type": "integer"}}),
        ({"type": "dict", "properties": None}, {"type": "object", "properties": {}}),
        (
            {"type": "dict", "properties": {"y": {"type": "str", "required": True}}},
            {"type": "object", "properties": {"y": {"type": "string"}}, "required": ["y"]},
        ),
        (
            {"type": "dict", "properties": {"y": "str", "z": "some text", "required": ["y"]}},
            {
                "type": "object",
                "properties": {"y": {"type": "string"}, "z": {"description": "some text"}},
                "required": ["y"],
            },
        ),
        ({"properties": [{"name": "y", "type": "int"}]}, {"properties": {"y": {"type": "integer"}}}),
        ({"required": {"a": True, "b": False}}, {"required": ["a"]}),
        ({"required": True}, {}),
        ("str", {"type": "string"}),
        (["a", "b"], {"enum": ["a", "b"]}),
        (True, True),
        (None, {}),
        (5, {}),
    ],
)
def test_schemas(value: Any, expected: Any) -> None:
    whole = parameters({"type": "object", "properties": {"x": value}})
    if isinstance(value, dict) and value.get("required") is True:
        assert whole["required"] == ["x"]
    assert whole["properties"]["x"] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # xLAM: parameters without a schema around them, one of them named "type".
        (
            {
                "type": {"description": "Kind.", "type": "str, optional", "default": "game"},
                "n": {"type": "int"},
                "m": {"type": "int", "default": 3},
            },
            {
                "type": "object",
                "properties": {
                    "type": {"description": "Kind.", "type": "string", "default": "game"},
                    "n": {"type": "integer"},
                    "m": {"type": "integer", "default": 3},
                },
                "required": ["n"],
            },
        ),
        (
            {"city": "str"},
            {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        ),
        (
            {"properties": {"type": "str"}, "n": {"type": "int", "optional": True}},
            {
                "type": "object",
                "properties": {
                    "properties": {"type": "string"},
                    "n": {"type": "integer", "optional": True},
                },
                "required": ["properties"],
            },
        ),
        (
            [
                {"name": "city", "type": "str", "required": True},
                {"name": "days", "type": "int", "required": False},
            ],
            {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["city"],
            },
        ),
        ('{"type": "dict", "properties": {}}', {"type": "object", "properties": {}}),
        (None, {"type": "object", "properties": {}}),
        ([], {"type": "object", "properties": {}}),
        ({}, {}),
        ({"type": "object"}, {"type": "object"}),
        (
            {"properties": {"a": {"type": "string"}}},
            {"type": "object", "properties": {"a": {"type": "string"}}},
        ),
        ({"type": "any", "description": "x"}, {"type": "object", "description": "x"}),
        # What is no schema at all stays, for the validators to say so.
        ({"type": "string"}, {"type": "string"}),
        ("{cut", "{cut"),
        (5, 5),
        ([1], [1]),
    ],
)
def test_parameters(value: Any, expected: Any) -> None:
    assert parameters(value) == expected


@pytest.mark.parametrize("place", ["function", "tool"])
def test_required_beside_the_parameters(place: str) -> None:
    function: dict[str, Any] = {
        "name": "f",
        "parameters": {"type": "dict", "properties": {"id": {"type": "str"}}},
    }
    tool: dict[str, Any] = {"type": "function", "function": function}
    (function if place == "function" else tool)["required"] = ["id"]
    normalised = normalise_tools([tool])
    assert normalised.tools == [
        {
            "type": "function",
            "function": {
                "name": "f",
                "parameters": {
                    "type": "object",
                    "properties": {"id": {"type": "string"}},
                    "required": ["id"],
                },
            },
        }
    ]
    assert normalised.changed


def test_a_list_beside_bare_parameters_says_what_is_required() -> None:
    tool = {"name": "f", "parameters": {"a": {"type": "str"}, "b": {"type": "int"}}, "required": ["b"]}
    (function,) = [tool["function"] for tool in normalise_tools([tool]).tools]
    assert function["parameters"]["required"] == ["b"]
    assert "required" not in function


def test_other_providers_spellings() -> None:
    plain = {"type": "object", "properties": {"a": {"type": "string"}}}
    for tool in (
        {"name": "f", "input_schema": plain},
        {"name": "f", "inputSchema": plain},
        {"type": "function", "name": "f", "parameters": plain},
    ):
        assert normalise_tools([tool]).tools == [
            {"type": "function", "function": {"name": "f", "parameters": plain}}
        ]


def test_what_is_in_order_stays_as_it_is() -> None:
    function = {
        "name": "f-1_x",
        "description": "d",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": ["string", "null"], "enum": ["x", None]}},
        },
    }
    for tool in (function, {"type": "function", "function": function}):
        normalised = normalise_tools([tool])
        assert normalised.tools == [{"type": "function", "function": function}]
        assert not normalised.changed
        assert not normalised.notes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["math.area"], ["math_area"]),
        (["Get Weather", "f"], ["Get_Weather", "f"]),
        (["a.b", "a_b"], ["a.b", "a_b"]),
        (["a.b", "a b"], ["a_b", "a b"]),
        (["a.b", "a.b"], ["a_b", "a_b"]),
        (["天气"], ["天气"]),
        (["x" * 65], ["x" * 65]),
        ([""], [""]),
        ([None, 5], [None, 5]),
    ],
)
def test_names(before: list[Any], after: list[Any]) -> None:
    normalised = normalise_tools([{"name": name} for name in before])
    assert [tool["function"]["name"] for tool in normalised.tools] == after
    texts = [
        (old, new) for old, new in zip(before, after, strict=True) if isinstance(old, str) and old != new
    ]
    assert normalised.names == dict(texts)
    assert all(orjson.dumps(note) for note in normalised.notes)


def test_notes_name_the_tool_and_the_place() -> None:
    tool = {"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "wizard"}}}}
    (note,) = normalise_tools([tool]).notes
    assert note == "tool \"f\": parameters.properties.x.type: left out; the type 'wizard' is not known"


def test_nesting_has_an_end() -> None:
    deep: dict[str, Any] = {"type": "str"}
    for _ in range(100):
        deep = {"type": "dict", "properties": {"a": deep}}
    normalised = normalise_tools([{"name": "f", "parameters": deep}])
    assert "nested too deeply" in normalised.notes[0]
    Draft202012Validator.check_schema(normalised.tools[0]["function"]["parameters"])
    deeper: dict[str, Any] = {}
    for _ in range(2000):
        deeper = {"a": deeper}
    assert "nested too deeply" in normalise_tools([{"name": "f", "parameters": deeper}]).notes[0]


# -- whatever comes: valid, the same when done again, and no crash ------------------------------------------

_WORDS = st.sampled_from(
    [
        *(
            "str",
            "int, optional",
            "List[Union[int, float]]",
            "dict",
            "Dict[str, Any]",
            "tuple",
            "any",
            "None",
        ),
        *("wizard", "List[", "string", "object", "array", "Optional[int]", "true", "5", "-1", "", "(", "#a#"),
    ]
)
_KEYS = st.sampled_from(
    [
        *(
            "type",
            "properties",
            "required",
            "items",
            "enum",
            "default",
            "description",
            "anyOf",
            "allOf",
            "not",
        ),
        *(
            "minimum",
            "exclusiveMinimum",
            "minLength",
            "pattern",
            "additionalProperties",
            "$ref",
            "$defs",
            "$id",
        ),
        *(
            "optional",
            "example_value",
            "nullable",
            "name",
            "format",
            "dependencies",
            "dependentRequired",
            "a",
        ),
        *("patternProperties", "prefixItems", "$schema", "$anchor", "uniqueItems", "multipleOf", "examples"),
        *("deprecated", "$vocabulary", "$recursiveAnchor", "title", "const", "definitions", "$dynamicRef"),
    ]
)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 9), st.floats(-2, 2), _WORDS)
_ODD = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=5)),
    max_leaves=16,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.fixed_dictionaries({"name": st.one_of(_WORDS, _SCALARS), "parameters": _ODD}), max_size=2))
@example([{"name": "f", "parameters": {"type": "any", "minimum": {"type": "str"}}}])
def test_odd_schemas_become_valid(tools: list[dict[str, Any]]) -> None:
    normalised = normalise_tools(tools)
    assert len(normalised.tools) == len(tools)
    for tool in normalised.tools:
        found = tool["function"]["parameters"]
        if isinstance(found, dict):
            Draft202012Validator.check_schema(found)
    again = normalise_tools(normalised.tools)
    assert orjson.dumps(again.tools) == orjson.dumps(normalised.tools)
    assert not again.changed


@pytest.mark.parametrize("spelling", ["input_schema", "inputSchema"])
def test_null_parameters_hide_no_other_spelling(spelling: str) -> None:
    """In either order of the keys."""
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    for tool in (
        {"name": "f", "parameters": None, spelling: schema},
        {"name": "f", spelling: schema, "parameters": None},
    ):
        (made,) = normalise_tools([tool]).tools
        assert made["function"] == {"name": "f", "parameters": schema}


def test_what_is_optional_in_words() -> None:
    """Bare parameters that say by text whether they are needed."""
    bare = {
        "a": {"type": "str", "required": "false"},
        "b": {"type": "str", "optional": "true"},
        "c": {"type": "str"},
    }
    assert parameters(bare)["required"] == ["c"]


def test_an_integer_that_json_cannot_hold_stays_for_a_finding() -> None:
    """As an object and as text; it is never another number."""
    large = {"type": "object", "properties": {"x": {"type": "integer", "maximum": 2**64}}}
    for written in (large, f'{{"type": "object", "properties": {{"x": {{"maximum": {2**64}}}}}}}'):
        normalised = normalise_tools([{"name": "f", "parameters": written}])
        assert normalised.tools[0]["function"]["parameters"] == written
        assert "more than 64 bits" in normalised.notes[0]
