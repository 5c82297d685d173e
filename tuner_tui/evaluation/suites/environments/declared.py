"""Environments that a user describes in JSON: no code, only conditions and effects on paths of the state.

    {"name": "garage", "title": "Garage", "instructions": "You look after ...",
     "tools": [{"name": "start_wash", "description": "...", "parameters": {JSON Schema}, "ids": ["car"],
                "checks": [{"path": "/cars/{car}", "exists": true, "error": "There is no car {car}."}],
                "effects": [{"set": "/cars/{car}/washed", "value": true},
                            {"append": "/log", "value": {"car": "{car}"}}, {"delete": "/queue/{car}"}],
                "result": {"get": "/cars/{car}"}}]}

`checks` are made in order, each with one of exists, equals, one_of, at_least and at_most; the first that does
not hold answers the call with its error. `free`, `lenient` and `unordered` are those of `Environment`.

A path is a JSON Pointer (RFC 6901); `{car}` is the argument `car`, which cannot reach beyond its place in the
path. A value "{car}" is the argument itself, with its type; within a longer text it is its text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from tuner_tui.data.answers.scoring import same_value
from tuner_tui.data.schemas.checker import SchemaError, checker
from tuner_tui.evaluation.suites.environments.base import (
    Environment,
    EnvironmentTool,
    Result,
    State,
    ToolFault,
    drop,
    put,
)

_SLOT = re.compile(r"\{(\w+)\}")
_MISSING = object()
_TOOL_FIELDS = {"name", "description", "parameters", "ids", "checks", "effects", "result"}
_CONDITIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "exists": lambda found, want: (found is not _MISSING) is want,
    "equals": lambda found, want: same_value(found, want),
    "one_of": lambda found, want: any(same_value(found, each) for each in want),
    "at_least": lambda found, want: _is_number(found) and _is_number(want) and found >= want,
    "at_most": lambda found, want: _is_number(found) and _is_number(want) and found <= want,
}
_EFFECTS = ("set", "append", "delete")


def declared_environment(document: Any) -> Environment:
    """Check a description, and make it an environment.

    Raises:
        ValueError: it is not sound; the message begins with the place, such as `.tools[0].checks: `.
    """
    if not isinstance(document, dict):
        _fail("", "must be the name of an environment, or an object that describes one")
    tools: dict[str, EnvironmentTool] = {}
    listed = document.get("tools")
    if not isinstance(listed, list) or not listed:
        _fail(".tools", "must be a list with a tool at least")
    for index, each in enumerate(listed):
        tool = _tool(each, f".tools[{index}]")
        if tool.name in tools:
            _fail(f".tools[{index}].name", f'there is another tool "{tool.name}"')
        tools[tool.name] = tool
    return Environment(
        name=_text(document, "name", ""),
        title=_text(document, "title", ""),
        instructions=_text(document, "instructions", ""),
        tools=tools,
        free=frozenset(_texts(document, "free", "")),
        lenient=frozenset(_texts(document, "lenient", "")),
        unordered=frozenset(_texts(document, "unordered", "")),
    )


def _tool(tool: Any, place: str) -> EnvironmentTool:
    if not isinstance(tool, dict):
        _fail(place, "must be an object")
    for name in tool.keys() - _TOOL_FIELDS:
        _fail(f"{place}.{name}", "is no field of a tool; there are " + ", ".join(sorted(_TOOL_FIELDS)))
    parameters = tool.get("parameters")
    if not isinstance(parameters, dict):
        _fail(f"{place}.parameters", "must be a JSON Schema")
    try:
        checker(parameters)
    except SchemaError as error:
        _fail(f"{place}.parameters", str(error))
    known = frozenset(parameters.get("properties", {}))
    required = frozenset(parameters.get("required", []))
    ids = _texts(tool, "ids", place)
    if unknown := set(ids) - known:
        _fail(f"{place}.ids", f'"{min(unknown)}" is no parameter')
    checks = [
        _check(each, f"{place}.checks[{i}]", known, required) for i, each in _each(tool, "checks", place)
    ]
    effects = [
        _effect(each, f"{place}.effects[{i}]", known, required) for i, each in _each(tool, "effects", place)
    ]
    answer = tool.get("result", {"value": {"done": True}})
    if not isinstance(answer, dict) or answer.keys() not in ({"get"}, {"value"}):
        _fail(f"{place}.result", 'must be {"get": path} or {"value": anything}')
    if "get" in answer:
        _path(answer["get"], f"{place}.result.get", required)
    _slots(answer.get("value"), f"{place}.result.value", known)
    run = _Declared(checks, effects, answer)
    return EnvironmentTool(
        _text(tool, "name", place), _text(tool, "description", place), parameters, run, tuple(ids)
    )


@dataclass(frozen=True, slots=True)
class _Declared:
    """The working of one declared tool."""

    checks: Sequence[Mapping[str, Any]]
    effects: Sequence[Mapping[str, Any]]
    answer: Mapping[str, Any]

    def __call__(self, state: State, /, **arguments: Any) -> tuple[Result, State]:
        for check in self.checks:
            found = _find(state, _tokens(check["path"], arguments))
            name = next(each for each in _CONDITIONS if each in check)
            if not _CONDITIONS[name](found, _filled(check[name], arguments)):
                raise ToolFault(str(_filled(check["error"], arguments)))
        for effect in self.effects:
            name = next(each for each in _EFFECTS if each in effect)
            state = _changed(
                state, name, _tokens(effect[name], arguments), _filled(effect.get("value"), arguments)
            )
        if "get" in self.answer:
            found = _find(state, _tokens(self.answer["get"], arguments))
            if found is _MISSING:
                raise ToolFault("There is nothing like that.")
            return found, state
        return _filled(self.answer["value"], arguments), state


def _changed(state: State, effect: str, tokens: list[str], value: Any) -> State:
    if not isinstance(_find(state, tokens[:-1]), dict):
        raise ToolFault("There is nothing like that.")
    if effect == "set":
        return put(state, tokens, value)
    found = _find(state, tokens)
    if effect == "delete":
        if found is _MISSING:
            raise ToolFault("There is nothing like that.")
        return drop(state, tokens)
    if not isinstance(found, list):
        raise ToolFault("There is no list to add to.")
    return put(state, tokens, [*found, value])


def _find(state: Any, tokens: Sequence[str]) -> Any:
    found = state
    for token in tokens:
        if not isinstance(found, dict) or token not in found:
            return _MISSING
        found = found[token]
    return found


def _tokens(pointer: str, arguments: Mapping[str, Any]) -> list[str]:
    """The keys of a path; an argument is filled in after the path is split, and stays one key."""
    return [
        _SLOT.sub(lambda slot: str(arguments.get(slot[1], "")), token.replace("~1", "/").replace("~0", "~"))
        for token in pointer.split("/")[1:]
    ]


def _filled(value: Any, arguments: Mapping[str, Any]) -> Any:
    """A value with its arguments; a key whose whole value is an argument that was left out is dropped."""
    if isinstance(value, dict):
        return {
            key: _filled(each, arguments) for key, each in value.items() if not _left_out(each, arguments)
        }
    if isinstance(value, list):
        return [_filled(each, arguments) for each in value if not _left_out(each, arguments)]
    if not isinstance(value, str):
        return value
    whole = _SLOT.fullmatch(value)
    if whole:
        return arguments.get(whole[1])
    return _SLOT.sub(lambda slot: str(arguments.get(slot[1], "")), value)


def _left_out(value: Any, arguments: Mapping[str, Any]) -> bool:
    whole = _SLOT.fullmatch(value) if isinstance(value, str) else None
    return whole is not None and whole[1] not in arguments


def _check(check: Any, place: str, known: frozenset[str], required: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(check, dict):
        _fail(place, "must be an object")
    named = [name for name in _CONDITIONS if name in check]
    if len(named) != 1 or check.keys() != {"path", "error", named[0]}:
        _fail(place, "must have path, error and one of " + ", ".join(_CONDITIONS))
    _path(check["path"], f"{place}.path", required)
    _slots(_text(check, "error", place), f"{place}.error", known)
    want = check[named[0]]
    _slots(want, f"{place}.{named[0]}", known)
    if named[0] == "exists" and not isinstance(want, bool):
        _fail(f"{place}.exists", "must be true or false")
    if named[0] == "one_of" and not isinstance(want, list):
        _fail(f"{place}.one_of", "must be a list")
    return check


def _effect(effect: Any, place: str, known: frozenset[str], required: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(effect, dict):
        _fail(place, "must be an object")
    named = [name for name in _EFFECTS if name in effect]
    wanted = {*named, *(() if named == ["delete"] else ("value",))}
    if len(named) != 1 or effect.keys() != wanted:
        _fail(place, 'must be {"set": path, "value": v}, {"append": path, "value": v} or {"delete": path}')
    _path(effect[named[0]], f"{place}.{named[0]}", required)
    _slots(effect.get("value"), f"{place}.value", known)
    return effect


def _path(pointer: Any, place: str, required: frozenset[str]) -> None:
    if not isinstance(pointer, str) or not re.fullmatch(r"(/[^/]+)+", pointer):
        _fail(place, "must be a path such as /cars/{car}")
    for name in _SLOT.findall(pointer):
        if name not in required:
            _fail(place, f'"{{{name}}}" is no required parameter')


def _slots(value: Any, place: str, known: frozenset[str]) -> None:
    """Every {name} in a value must be a parameter."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        _slots(child, place, known)
    for name in _SLOT.findall(value) if isinstance(value, str) else ():
        if name not in known:
            _fail(place, f'"{{{name}}}" is no parameter')


def _each(tool: Mapping[str, Any], name: str, place: str) -> list[tuple[int, Any]]:
    value = tool.get(name, [])
    if not isinstance(value, list):
        _fail(f"{place}.{name}", "must be a list")
    return list(enumerate(value))


def _text(holder: Mapping[str, Any], name: str, place: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value.strip():
        _fail(f"{place}.{name}", "must be a text that is not empty")
    return value


def _texts(holder: Mapping[str, Any], name: str, place: str) -> list[str]:
    value = holder.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        _fail(f"{place}.{name}", "must be a list of texts")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fail(place: str, words: str) -> NoReturn:
    raise ValueError(f"{place}: {words}")
