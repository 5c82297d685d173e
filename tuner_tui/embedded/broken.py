"""The rows of `broken.jsonl`: one fault each, so that an inspection has something to find."""

import json
from typing import Any

from tuner_tui.embedded.tools import parse_tool

_TOOL = parse_tool("find hotel | Find a hotel. | city:place! guests:integer class:budget/comfort").schema()


def _call(arguments: Any, name: str = "find_hotel") -> dict[str, Any]:
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def _row(*messages: dict[str, Any], tools: Any = None) -> str:
    row = {"messages": list(messages), "tools": [_TOOL] if tools is None else tools}
    return json.dumps(row, ensure_ascii=False)


def _user(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _say(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


_GOOD = _row(_user("Find a hotel in Oslo."), _call({"city": "Oslo"}))

BROKEN: tuple[tuple[str, str], ...] = (
    ("nothing: a good row", _GOOD),
    ("not JSON", "Find a hotel in Oslo -> find_hotel(city=Oslo)"),
    ("cut off", _row(_user("Find a hotel in Lima."), _call({"city": "Lima"}))[:90]),
    ("arguments that are no JSON", _row(_user("Find a hotel in Rome."), _call('{"city": "Rome"'))),
    ("an undeclared tool", _row(_user("Book a hotel in Paris."), _call({"city": "Paris"}, "book_hotel"))),
    ("a required argument missing", _row(_user("Find a hotel for 2 guests."), _call({"guests": 2}))),
    (
        "an argument of the wrong type",
        _row(_user("Find a hotel in Quito for two."), _call({"city": "Quito", "guests": "two"})),
    ),
    (
        "an unknown argument",
        _row(_user("Find a hotel in Cairo with a pool."), _call({"city": "Cairo", "pool": True})),
    ),
    (
        "a value outside its enum",
        _row(_user("Find a grand hotel in Delhi."), _call({"city": "Delhi", "class": "grand"})),
    ),
    ("an empty assistant turn", _row(_user("Find a hotel in Madrid."), _say(""))),
    (
        "roles out of order",
        _row(_say("Hello!"), _say("Which city?"), _user("Tokyo."), _call({"city": "Tokyo"})),
    ),
    (
        "a tool result without a call",
        _row(
            _user("Find a hotel in Seoul."),
            {"role": "tool", "name": "find_hotel", "content": '{"hotel": "Hanok"}'},
            _say("I found the Hanok."),
        ),
    ),
    ("tools that are no list", _row(_user("Hello!"), _say("Hello!"), tools="find_hotel")),
    ("no answer to learn from", _row(_user("Find a hotel in Accra."))),
    ("an unknown role", _row({"role": "wizard", "content": "Abracadabra."}, _say("No."))),
    ("no messages at all", json.dumps({"text": "Find a hotel in Hanoi."})),
    ("a row that is there twice", _GOOD),
)
"""Pairs of the fault and the line that has it."""
