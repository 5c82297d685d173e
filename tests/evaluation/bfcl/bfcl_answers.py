"""Answers to BFCL's items in Qwen's and Hermes' format: right ones, and ones that are wrong in many ways."""

import json
import random
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tuner_tui.data.answers.parsing import parse_answer
from tuner_tui.data.examples import Call
from tuner_tui.evaluation.tasks import Answer, Item, Outcome, Task


def answered(task: Task, item: Item, text: str) -> Outcome:
    """What a task of single turns makes of an item answered so."""
    exchange = task.begin(item)
    assert exchange.question() is not None
    exchange.answered(Answer(text, parse_answer(text), 1, 0.0))
    assert exchange.question() is None
    return exchange.outcome()


def text_of(calls: list[Call]) -> str:
    return "\n".join(
        f"<tool_call>\n{json.dumps({'name': call.name, 'arguments': call.arguments})}\n</tool_call>"
        for call in calls
    )


def listed(calls: list[Call]) -> str:
    """The notation of BFCL's prompting mode."""
    return f"[{', '.join(f'{call.name}({_named(call.arguments)})' for call in calls)}]"


def _named(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def foreign(calls: list[Call]) -> str:
    """The same for the Java and JavaScript categories, where values are texts in that language."""

    def value(given: Any) -> str:
        text = str(given)
        literal = re.match(r"new |[\[{]|-?\d|true$|false$|null$", text)
        return text if literal else json.dumps(text)

    def call(each: Call) -> str:
        return f"{each.name}({', '.join(f'{name}={value(v)}' for name, v in each.arguments.items())})"

    return f"[{', '.join(map(call, calls))}]"


def other_value(value: Any) -> Any:
    """A value of the same type that is in no answer."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 987_654
    if isinstance(value, str):
        return "xyzzy"
    if isinstance(value, list):
        return [*value, value[0] if value else 987_654]
    return {**value, "xyzzy": 1} if isinstance(value, dict) else "xyzzy"


def perturbed(item: Item) -> dict[str, list[Call]]:
    """Ways in which an item's right calls are made wrong, each by its name."""
    gold = deepcopy(list(item.gold))
    ways: dict[str, list[Call]] = {
        "none": [],
        "twice": [*gold, gold[-1]],
        "name": [Call(gold[0].name + "x", gold[0].arguments), *gold[1:]],
        "unknown": [Call(gold[0].name, {**gold[0].arguments, "xyzzy": 1}), *gold[1:]],
    }
    required = {
        tool["function"]["name"]: tool["function"]["parameters"].get("required") or [] for tool in item.tools
    }
    for name in required.get(gold[0].name, []):
        if name in gold[0].arguments:
            rest = {key: value for key, value in gold[0].arguments.items() if key != name}
            ways["missing"] = [Call(gold[0].name, rest), *gold[1:]]
    return ways


def generated(
    item: Item,
    draw: random.Random,
    write: Callable[[list[Call]], str] = text_of,
    offered: list[dict[str, Any]] | None = None,
) -> str:
    """An answer such as models give: right, wrong, broken, or in words."""
    offered = [tool["function"] for tool in item.tools] if offered is None else offered
    calls = deepcopy(list(item.gold))
    if not calls and offered and draw.random() < 0.5:
        calls = [Call(draw.choice(offered)["name"], {})]
    if calls:
        place = draw.randrange(len(calls))
        call = calls[place]
        names = list(call.arguments)
        way = draw.randrange(12)
        if way == 0 and names:
            del call.arguments[draw.choice(names)]
        elif way == 1 and names:
            name = draw.choice(names)
            call.arguments[name] = other_value(call.arguments[name])
        elif way == 2 and names:
            call.arguments[draw.choice(names)] = draw.choice(
                [None, [], {}, "", 0, True, [[1]], {"a": [None]}]
            )
        elif way == 3:
            calls.append(deepcopy(call))
        elif way == 4:
            del calls[place]
        elif way == 5:
            draw.shuffle(calls)
        elif way == 6:
            calls[place] = Call(draw.choice(offered)["name"] if offered else "xyzzy", call.arguments)
        elif way == 7:
            call.arguments["xyzzy"] = 1
    text = write(calls)
    broken = draw.randrange(10)
    if broken == 0:
        return "I cannot do that. " + draw.choice(["", "{", "[f()]"])
    if broken == 1:
        return text + "\n<tool_call>\n{'name': nonsense\n</tool_call>"
    return ("Let me look.\n" if broken == 2 else "") + text
