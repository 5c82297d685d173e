"""How requests, plans and refusals are put in words: shared by pre-training and `sample_data`."""

from collections.abc import Sequence
from random import Random
from typing import Any

from tuner_tui.embedded.tools import Call, Tool, article
from tuner_tui.embedded.words import pick

_PREPOSITIONS = {"place": "in", "date": "on", "time": "at", "person": "for", "email": "to"}

_ASKS = [
    "{V} {a} {t}{w}.", "{V} the {t}{w}.", "Please {v} {a} {t}{w}.", "Please {v} the {t}{w}.",
    "Can you {v} {a} {t}{w}?", "Could you {v} the {t}{w}?", "I want to {v} {a} {t}{w}.",
    "I need to {v} the {t}{w}.", "I would like you to {v} {a} {t}{w}.", "{V} {t}{w}, please.",
    "Hello, can you {v} my {t}{w}?", "Help me {v} {a} {t}{w}.", "We have to {v} the {t}{w}.",
]  # fmt: skip

_REFUSALS = [
    "None of the tools can {v} {a} {t}.", "I have no tool to {v} {a} {t}.",
    "I cannot {v} {a} {t}: none of the tools does that.",
    "No tool here can {v} {a} {t}, so I cannot help with that.",
    "Sorry, none of the tools can {v} {a} {t}.",
]  # fmt: skip

_PLANS = [
    "I would use {n} with {w}.", "I would use the tool {n} with {w}.",
    "This can be done with {n}, with {w}.", "The tool for this is {n}, with {w}.",
    "You can use {n} with {w}.",
]  # fmt: skip

_BARE_PLANS = ["I would use {n}.", "This can be done with {n}.", "The tool for this is {n}."]


def enumeration(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def say(value: Any) -> str:
    """A JSON value in words."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return enumeration([say(item) for item in value])
        case _:
            return str(value)


def _quoted(rng: Random, value: Any) -> str:
    text = say(value)
    quote = isinstance(value, str) and " " in value and rng.random() < 0.5
    return f'"{text}"' if quote else text


def _lone_text(tool: Tool) -> str | None:
    """The name of the one parameter that takes free text, if there is exactly one."""
    names = [p.name for p in tool.parameters if p.schema()["type"] == "string" and not p.choices]
    return names[0] if len(names) == 1 else None


def _with(rng: Random, call: Call) -> str:
    """The clause that names the arguments, with its leading space, or the empty string."""
    lead, named = "", []
    lone = _lone_text(call.tool)
    for parameter in call.tool.parameters:
        if parameter.name not in call.arguments:
            continue
        value = _quoted(rng, call.arguments[parameter.name])
        # "in Oslo" says enough where only one parameter can take it.
        if parameter.name == lone and parameter.kind in _PREPOSITIONS and rng.random() < 0.6:
            lead = f" {_PREPOSITIONS[parameter.kind]} {value}"
        else:
            named.append((parameter.spoken, value))
    if not named:
        return lead
    match int(rng.random() * 6):
        case 0:
            return lead + " where " + enumeration([f"the {n} is {v}" for n, v in named])
        case 1:
            return lead + " (" + ", ".join(f"{n}: {v}" for n, v in named) + ")"
        case 2:
            return lead + " using " + enumeration([f"{n} {v}" for n, v in named])
        case _:
            return lead + " with " + enumeration([f"{n} {v}" for n, v in named])


def request(rng: Random, call: Call) -> str:
    """A person's request which the call serves."""
    tool = call.tool
    return pick(rng, _ASKS).format(
        V=tool.verb.capitalize(), v=tool.verb, a=article(tool.thing), t=tool.thing, w=_with(rng, call)
    )


def joined_request(rng: Random, calls: Sequence[Call]) -> str:
    """One request for several calls."""
    if len(calls) == 1:
        return request(rng, calls[0])
    parts = []
    for call in calls:
        tool = call.tool
        the = pick(rng, [article(tool.thing), "the"])
        parts.append(f"{tool.verb} {the} {tool.thing}{_with(rng, call)}")
    opening = pick(rng, ["", "", "Please ", "I want to ", "We have to "])
    text = opening + pick(rng, [", and ", ", then ", ", and also "]).join(parts) + "."
    return text[0].upper() + text[1:]


def refusal(rng: Random, tool: Tool) -> str:
    """The answer where no declared tool does what *tool* would do."""
    return pick(rng, _REFUSALS).format(v=tool.verb, a=article(tool.thing), t=tool.thing)


def plan(rng: Random, calls: Sequence[Call]) -> str:
    """The calls in prose: what the untouched model says instead of calling."""
    sentences = []
    for call in calls:
        if call.arguments:
            what = enumeration([f"{k} set to {say(v)}" for k, v in call.arguments.items()])
            sentences.append(pick(rng, _PLANS).format(n=call.tool.name, w=what))
        else:
            sentences.append(pick(rng, _BARE_PLANS).format(n=call.tool.name))
    return " Then: ".join(sentences)
