"""What an environment is: tools that read a JSON state and give the next one, and change nothing in place."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tuner_tui.data.examples import Call
from tuner_tui.data.schemas.checker import checker

State = dict[str, Any]
Result = Any
Path = Sequence[str]
Run = Callable[..., tuple[Result, State]]


class ToolFault(Exception):
    """A sound call that cannot be served as the state is: the sentence goes to the model."""


@dataclass(frozen=True, slots=True)
class EnvironmentTool:
    """One tool.

    `run` takes the state and the arguments by name, gives (result, next state), and may raise ToolFault.
    `ids` names the parameters that take an identifier, which a model has to be told before it can use it.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Run
    ids: Sequence[str] = ()

    def declaration(self) -> dict[str, Any]:
        """As it is offered to a model."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": dict(self.parameters),
            },
        }


@dataclass(frozen=True, slots=True)
class Served:
    """What came of one call.

    `kind`: done; refused (a sound call that the state does not allow, or an injected failure); invalid (no
    such tool, or arguments that its schema does not allow). Only "done" may have changed the state.
    """

    kind: Literal["done", "refused", "invalid"]
    result: Result
    state: State


@dataclass(frozen=True, slots=True)
class Environment:
    """Tools over one kind of state.

    `instructions` is the system message. Of the state's keys, strings under `lenient` are compared without
    case and punctuation at the end, `free` are not compared (free text), lists under `unordered` are sets. A
    thing, such as an event, lies `thing_depth` keys deep in the state; None where each value is one.
    """

    name: str
    title: str
    instructions: str
    tools: Mapping[str, EnvironmentTool]
    free: frozenset[str] = field(default_factory=frozenset)
    lenient: frozenset[str] = field(default_factory=frozenset)
    unordered: frozenset[str] = field(default_factory=frozenset)
    thing_depth: int | None = 2

    def declarations(self) -> list[dict[str, Any]]:
        """All tools, as they are offered."""
        return [tool.declaration() for tool in self.tools.values()]

    def serve(self, state: State, call: Call) -> Served:
        """Make one call. Raises nothing, whatever the call; `state` itself stays as it is."""
        tool = self.tools.get(call.name)
        if tool is None:
            return Served("invalid", {"error": f"There is no tool {call.name[:80]!r}."}, state)
        try:
            faults = checker(tool.parameters).check(call.arguments)
        except (ValueError, TypeError, RecursionError):
            return Served("invalid", {"error": "The arguments cannot be read."}, state)
        if faults:
            said = "; ".join(f"{fault.path.lstrip('.')}: {fault.message}" for fault in faults[:3])
            return Served("invalid", {"error": f"Wrong arguments: {said}"}, state)
        try:
            result, after = tool.run(state, **call.arguments)
        except ToolFault as fault:
            return Served("refused", {"error": str(fault)}, state)
        return Served("done", result, after)

    def comparable(self, state: Any) -> Any:
        """The state without what is not compared: equal for two states that count as the same."""
        return self._comparable(state, "")

    def _comparable(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {
                name: self._comparable(each, name) for name, each in value.items() if name not in self.free
            }
        if isinstance(value, list):
            values = [self._comparable(each, key) for each in value]
            return (
                sorted(values, key=lambda each: json.dumps(each, sort_keys=True))
                if key in self.unordered
                else values
            )
        if isinstance(value, str) and key in self.lenient:
            return " ".join(value.casefold().split()).rstrip(".!? ")
        return value


def put(state: State, path: Path, value: Any) -> State:
    """A copy of the state with `value` at `path`; what lies beside the path is shared, not copied."""
    first, *rest = path
    return {**state, first: put(state.get(first) or {}, rest, value) if rest else value}


def drop(state: State, path: Path) -> State:
    """A copy of the state without what lies at `path`."""
    first, *rest = path
    if rest:
        return {**state, first: drop(state[first], rest)}
    return {name: value for name, value in state.items() if name != first}


def changed_paths(before: Any, after: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The paths of all values that differ; a value that came or went counts as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: set[tuple[str, ...]] = set()
        for name in before.keys() | after.keys():
            if name in before and name in after:
                found |= changed_paths(before[name], after[name], (*path, name))
            else:
                found.add((*path, name))
        return found
    return set() if before == after else {path}


def parameters(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON Schema of the arguments; a name that ends in "?" is optional."""
    return {
        "type": "object",
        "properties": {name.rstrip("?"): dict(schema) for name, schema in properties.items()},
        "required": [name for name in properties if not name.endswith("?")],
    }


def text(description: str, *choices: str) -> dict[str, Any]:
    """A string, or one of the choices."""
    schema: dict[str, Any] = {"type": "string", "description": description}
    return {**schema, "enum": list(choices)} if choices else schema


def date(description: str) -> dict[str, Any]:
    """A day, YYYY-MM-DD."""
    return {"type": "string", "description": f"{description}, YYYY-MM-DD", "pattern": r"^\d{4}-\d{2}-\d{2}$"}


def time(description: str) -> dict[str, Any]:
    """A time of day, HH:MM."""
    return {"type": "string", "description": f"{description}, HH:MM", "pattern": r"^\d{2}:\d{2}$"}


def number(description: str, kind: str = "integer", minimum: float = 1) -> dict[str, Any]:
    """A number that is not smaller than `minimum`."""
    return {"type": kind, "description": description, "minimum": minimum}


def tools(*declared: EnvironmentTool) -> dict[str, EnvironmentTool]:
    """By name, in the order in which they are offered."""
    return {tool.name: tool for tool in declared}


def new_id(prefix: str, taken: Mapping[str, Any], *content: object) -> str:
    """An identifier that is told by the content: what is made in another order gets the same ones."""
    digest = sum((index + 1) * byte for index, byte in enumerate("|".join(map(str, content)).encode()))
    while f"{prefix}-{1000 + digest % 9000}" in taken:
        digest += 1
    return f"{prefix}-{1000 + digest % 9000}"
