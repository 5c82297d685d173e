"""Tools and calls: random ones for pre-training, and the notation of the catalog's real ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tuner_tui.embedded.words import NOUNS, VERBS, draw, made_up_word, pick, word

# What a parameter of this name usually holds. Random tools use these names half of the time.
PARAMETERS = {
    "amount": "number", "age": "integer", "author": "person", "city": "place", "code": "code",
    "colors": "list:word", "country": "place", "count": "integer", "customer": "person",
    "date": "date", "day": "date", "days": "integer", "depth": "number", "description": "phrase",
    "destination": "place", "details": "boolean", "duration": "integer", "email": "email",
    "end": "date", "file": "word", "guests": "integer", "height": "number", "hour": "time",
    "id": "code", "ids": "list:code", "items": "list:word", "key": "code", "length": "number",
    "level": "integer", "limit": "integer", "location": "place", "message": "phrase",
    "name": "person", "note": "phrase", "number": "integer", "origin": "place", "owner": "person",
    "page": "integer", "people": "integer", "person": "person", "price": "number",
    "priority": "integer", "private": "boolean", "quantity": "integer", "query": "phrase",
    "radius": "number", "rate": "number", "recipient": "email", "size": "integer",
    "start": "date", "subject": "phrase", "tags": "list:word", "text": "phrase", "time": "time",
    "title": "phrase", "topic": "word", "total": "number", "type": "word", "urgent": "boolean",
    "user": "person", "value": "number", "verbose": "boolean", "weight": "number", "width": "number",
}  # fmt: skip

_KINDS = [
    *["word"] * 3, *["place"] * 2, *["person"] * 2, *["phrase"] * 2, "date", "time", "email",
    *["code"] * 2, *["integer"] * 3, *["number"] * 2, *["boolean"] * 2,
    "list:word", "list:place", "list:integer",
]  # fmt: skip

_JSON_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool: its *kind* of value says more than its JSON type."""

    name: str
    kind: str
    required: bool
    spoken: str
    choices: tuple[str, ...] = ()
    description: str = ""

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        if self.kind.startswith("list:"):
            item = _JSON_TYPES.get(self.kind[5:], "string")
            schema: dict[str, Any] = {"type": "array", "items": {"type": item}}
        else:
            schema = {"type": _JSON_TYPES.get(self.kind, "string")}
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.description:
            schema["description"] = self.description
        return schema

    def value(self, rng: Random, made_up: float) -> Any:
        """A value that its schema allows."""
        return pick(rng, self.choices) if self.choices else draw(self.kind, rng, made_up)


@dataclass(frozen=True)
class Tool:
    """A tool, as a person speaks of it (*verb*, *thing*) and as its schema has it."""

    name: str
    verb: str
    thing: str
    description: str
    parameters: tuple[Parameter, ...]

    def schema(self) -> dict[str, Any]:
        """The declaration that stands in a row's `tools`."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {
                    "type": "object",
                    "properties": {p.name: p.schema() for p in self.parameters},
                    "required": [p.name for p in self.parameters if p.required],
                },
            },
        }


@dataclass(frozen=True)
class Call:
    """A call of *tool*, and the arguments that the request names, in the order of the schema."""

    tool: Tool
    arguments: dict[str, Any] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """The call, as it stands in an assistant message's `tool_calls`."""
        return {
            "type": "function",
            "function": {"name": self.tool.name, "arguments": self.arguments},
        }

    def spoken(self) -> list[tuple[str, Any]]:
        """Pairs of a parameter's spoken name and its value."""
        return [(p.spoken, self.arguments[p.name]) for p in self.tool.parameters if p.name in self.arguments]


def random_call(rng: Random, tool: Tool, made_up: float, optional: float = 0.5) -> Call:
    """A call of *tool* with its required arguments, and each optional one with that probability."""
    return Call(
        tool,
        {p.name: p.value(rng, made_up) for p in tool.parameters if p.required or rng.random() < optional},
    )


def _join(words: Sequence[str], style: str) -> str:
    if style == "camel":
        return words[0] + "".join(w.capitalize() for w in words[1:])
    if style == "dotted":
        return ".".join(words)
    return "_".join(words)


def article(noun: str) -> str:
    """ "a" or "an", by the first letter."""
    return "an" if noun[0] in "aeiou" else "a"


def _random_parameter(rng: Random, style: str, made_up: float) -> Parameter:
    if rng.random() < made_up:
        words = [made_up_word(rng)]
        kind = pick(rng, _KINDS)
    else:
        name = pick(rng, list(PARAMETERS))
        words, kind = [name], PARAMETERS[name]
    if rng.random() < 0.25:
        words.insert(0, word(rng, NOUNS, made_up))
    choices: tuple[str, ...] = ()
    if kind == "word" and rng.random() < 0.4:
        choices = tuple({draw("word", rng, made_up): None for _ in range(rng.randint(2, 4))})
    spoken = " ".join(words)
    description = ""
    if rng.random() < 0.25:
        description = pick(rng, ["The {}.", "{}", "{} to use.", "The {} of it."]).format(spoken)
        description = description[0].upper() + description[1:]
    style = "snake" if style == "dotted" else style
    return Parameter(_join(words, style), kind, rng.random() < 0.65, spoken, choices, description)


def random_tool(rng: Random, style: str, made_up: float, verb: str = "", noun: str = "") -> Tool:
    """A tool of random words.

    *style* is snake, camel or dotted; *made_up* the share of made-up words; *verb* and *noun*, when
    given, are kept: so that two tools can be neighbours.
    """
    verb = verb or word(rng, VERBS, made_up)
    nouns = [noun or word(rng, NOUNS, made_up)]
    if rng.random() < 0.35:
        nouns.insert(0, word(rng, NOUNS, made_up))
    thing = " ".join(nouns)
    parts = [*nouns, verb] if style == "dotted" or rng.random() < 0.05 else [verb, *nouns]
    description = pick(
        rng,
        [
            "{V} {a} {t}.",
            "{V} {a} {t}.",
            "{V} the {t}.",
            "{V}s {a} {t}.",
            "{V} {t}",
            "Use this to {v} {a} {t}.",
        ],
    ).format(V=verb.capitalize(), v=verb, a=article(thing), t=thing)
    parameters: dict[str, Parameter] = {}
    for _ in range(pick(rng, [0, 1, 1, 2, 2, 2, 3, 3, 4, 5])):
        parameter = _random_parameter(rng, style, made_up)
        parameters.setdefault(parameter.name, parameter)
    return Tool(_join(parts, style), verb, thing, description, tuple(parameters.values()))


def parse_tool(line: str) -> Tool:
    """A tool of the catalog's notation: `verb thing | description | parameter ...`.

    A parameter is `name:kind`, `name:a/b/c` for a choice, with `!` behind it if it is required.
    Underscores of a parameter's name are spoken as spaces.
    """
    head, description, tail = (part.strip() for part in line.split("|"))
    verb, thing = head.split(" ", 1)
    parameters = []
    for item in tail.split():
        name, kind = item.rstrip("!").split(":", 1)
        choices = tuple(kind.split("/")) if "/" in kind else ()
        parameters.append(
            Parameter(
                name,
                "word" if choices else kind,
                item.endswith("!"),
                name.replace("_", " "),
                choices,
            )
        )
    return Tool(f"{verb}_{thing.replace(' ', '_')}", verb, thing, description, tuple(parameters))
