"""What a sound example adds to a tally. The fast path adds the same by other means; this is the reference."""

from collections.abc import Mapping
from typing import Any

from tuner_tui.data.copies.fingerprints import fingerprints
from tuner_tui.data.examples import Example, conversation, is_preference, is_unpaired
from tuner_tui.data.stats import kind
from tuner_tui.data.tally import Tally
from tuner_tui.data.texts.scripts import script

ARGUMENT_TYPES: Mapping[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}
"""JSON's name for the type of an argument's value."""


def count(tally: Tally, example: Example) -> tuple[int, int]:
    """Count a sound example, all but its place among the rows.

    Returns:
        What goes to that place: the fingerprints of the example and of its answer.
    """
    messages = conversation(example)
    names = [_name(tool) for tool in example["tools"]]
    tally.sound += 1
    tally.kinds[kind(example)] += 1
    tally.preference_pairs += is_preference(example)
    if is_unpaired(example):
        tally.labels["true" if example["label"] else "false"] += 1
    tally.turns_per_row[len(messages)] += 1
    tally.tools_per_row[len(names)] += 1
    tally.tools_offered.update(set(names))
    asked = "\n".join(message["content"] for message in messages if message["role"] == "user")
    if written := script(asked):
        tally.scripts[written] += 1
    calls = 0
    for message in messages:
        made = message.get("tool_calls")
        if not made:
            continue
        calls += len(made)
        tally.calls_per_turn[len(made)] += 1
        for call in made:
            tally.tools_called[call["function"]["name"]] += 1
            arguments = call["function"]["arguments"].values()
            tally.argument_types.update(ARGUMENT_TYPES[type(value)] for value in arguments)
    tally.calls_per_row[calls] += 1
    last = messages[-1]
    tally.ends_in_call += last["role"] == "assistant" and bool(last.get("tool_calls"))
    return fingerprints(example)


def _name(tool: Mapping[str, Any]) -> str:
    name = tool["function"].get("name")
    return name if isinstance(name, str) else ""
