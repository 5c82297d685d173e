"""Rewards of tool calls: known answers, worked out by hand."""

import pytest

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.data.answers.rewards import REWARDS, Attempt, read_weights
from tuner_tui.data.answers.scoring import judge
from tuner_tui.data.examples import Call

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "days": {"type": "integer"},
                    "unit": {"type": "string", "default": "metric"},
                },
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "tide", "description": "The tide.", "parameters": {}}},
]
OSLO = Call("weather", {"city": "Oslo", "days": 2})
TIDE = Call("tide", {"port": "Brest"})


def block(name: str, arguments: str) -> str:
    return f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


def earned(gold: list[Call], text: str, *, ended: bool = True) -> dict[str, float | None]:
    attempt = Attempt(gold, parse_answer(text), TOOLS, ended)
    return {name: reward(attempt) for name, reward in REWARDS.items()}


RIGHT = block("weather", '{"city": "Oslo", "days": 2}')


@pytest.mark.parametrize(
    ("text", "parses", "declared", "tool", "arguments"),
    [
        (RIGHT, 1, 1, 1, 1),
        # An argument equal to its default is as good as none, and 2.0 days are 2 days.
        (block("weather", '{"days": 2.0, "city": "Oslo", "unit": "metric"}'), 1, 1, 1, 1),
        (block("weather", '{"city": "Oslo", "days": "2"}'), 1, 1, 1, 1 / 2),
        (block("weather", '{"city": "Oslo"}'), 1, 1, 1, 1 / 2),
        (block("weather", '{"city": "Oslo", "days": 2, "hour": 7}'), 1, 1, 1, 2 / 3),
        (block("weather", "{}"), 1, 1, 1, 0),
        (block("tide", '{"city": "Oslo", "days": 2}'), 1, 1, 0, 0),
        (block("forecast", '{"city": "Oslo", "days": 2}'), 1, 0, 0, 0),
        # One call too many: of two names one is right, F1 = 2 * 1 / (1 + 2).
        (RIGHT + RIGHT, 1, 1, 2 / 3, 1 / 2),
        (RIGHT + block("forecast", "{}"), 1, 1 / 2, 2 / 3, 1 / 2),
        ('{"name": "weather", "arguments": {"city": "Oslo", "days": 2}}', 1 / 2, 1, 1, 1),
        ("<tool_call>\n{'name': 'weather', 'arguments': {'city': 'Oslo', 'days': 2}}", 1 / 2, 1, 1, 1),
        ('<tool_call>\n{"name": "weather", "argu', 1 / 4, 0, 0, 0),
        ("It is cold in Oslo.", 0, 0, 0, 0),
        ("", 0, 0, 0, 0),
    ],
)
def test_where_one_call_is_due(
    text: str, parses: float, declared: float, tool: float, arguments: float
) -> None:
    assert earned([OSLO], text) == {
        "parses": parses,
        "declared": declared,
        "tool": pytest.approx(tool),
        "arguments": pytest.approx(arguments),
        "no_call": None,
    }


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        (block("tide", '{"port": "Brest"}') + RIGHT, 1, 1),  # in any order
        (RIGHT, 2 / 3, 1 / 2),
        (block("tide", '{"port": "Nice"}') + RIGHT, 1, 1 / 2),
    ],
)
def test_where_two_calls_are_due(text: str, tool: float, arguments: float) -> None:
    found = earned([OSLO, TIDE], text)
    assert (found["tool"], found["arguments"]) == (pytest.approx(tool), pytest.approx(arguments))


def test_each_call_is_compared_with_the_right_one_that_is_nearest_to_it() -> None:
    bergen = Call("weather", {"city": "Bergen", "days": 5})
    swapped = block("weather", '{"city": "Bergen", "days": 5}') + RIGHT
    assert earned([OSLO, bergen], swapped)["arguments"] == 1


@pytest.mark.parametrize(
    ("text", "ended", "no_call"),
    [
        ("None of the tools does that.", True, 1),
        ("None of the tools does that, and", False, 0),
        (RIGHT, True, 0),
        ('<tool_call>{"name', True, 0),
        (" \n", True, 0),
    ],
)
def test_where_no_call_is_due(text: str, ended: bool, no_call: float) -> None:
    expected = {"parses": None, "declared": None, "tool": None, "arguments": None, "no_call": no_call}
    assert earned([], text, ended=ended) == expected


def test_a_call_that_goes_on_without_end_is_not_in_the_format() -> None:
    assert earned([OSLO], RIGHT + "\nand then", ended=False)["parses"] == 1 / 2


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        RIGHT + RIGHT,
        block("weather", '{"city": "Oslo", "days": true}'),
        block("weather", '{"city": "oslo", "days": 2}'),
        block("tide", "{}"),
        "Words.",
    ],
)
def test_whoever_earns_all_is_right_by_the_evaluation_and_nobody_else(text: str) -> None:
    full = all(value in (1, None) for value in earned([OSLO], text).values())
    assert full == judge([OSLO], parse_answer(text), TOOLS).right


def test_weights() -> None:
    assert read_weights("parses, arguments:2,no_call : 0.5,") == {"parses": 1, "arguments": 2, "no_call": 0.5}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("parses,argument", '"argument" is no reward; there are parses, declared, tool, arguments, no_call'),
        ("tool,tool:2", '"tool" stands twice'),
        ("tool:", 'the weight of "tool" must be a number above 0'),
        ("tool:-1", 'the weight of "tool" must be a number above 0'),
        ("tool:nan", 'the weight of "tool" must be a number above 0'),
        ("tool:a lot", 'the weight of "tool" must be a number above 0'),
        (" , ", "name at least one of parses"),
    ],
)
def test_faults_of_weights(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_weights(text)
