"""Tools in any spelling as `{"type": "function", "function": {…}}` with valid JSON Schema and usual names.

Datasets write types in Python's words, put `required` beside the parameters, leave the schema around the
parameters out, or use names that no provider accepts. What is in order stays as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeGuard

import orjson

from tuner_tui.data.examples import Example, Message
from tuner_tui.data.literals.json_text import exceeds_64_bits, load_json
from tuner_tui.data.schemas.keywords import SchemaWalk, by_name
from tuner_tui.data.schemas.types import SIMPLE, Schema, read_type
from tuner_tui.data.schemas.values import VALUES, Unusable

LONGEST_NAME = 64
_USUAL = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")
_SPELLINGS = ("input_schema", "inputSchema")  # of `parameters`: Anthropic's, and the Model Context Protocol's
_NO_PARAMETERS: Schema = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Normalised:
    """`tools` in canonical form; `names` that were changed, old to new; `changed`: more than the wrapping
    differs from the file; `notes`: sentences about what could not be kept."""

    tools: list[dict[str, Any]]
    names: dict[str, str]
    changed: bool
    notes: tuple[str, ...]


def normalise_tools(tools: Sequence[Mapping[str, Any]]) -> Normalised:
    """Tools as they stand in a file, bare or wrapped, in canonical form.

    The schemas of parameters become valid JSON Schema 2020-12, names match `[A-Za-z0-9_-]{1,64}` unless that
    would make two tools one (then the old name stays, with a note). Normalising again changes nothing.
    """
    result: list[dict[str, Any]] = []
    notes: list[str] = []
    changed, usual = False, True
    for tool in tools:
        try:
            mended, found, is_usual = _normalised(orjson.dumps(tool))
        except (orjson.JSONEncodeError, RecursionError) as error:
            large = isinstance(error, orjson.JSONEncodeError) and exceeds_64_bits(error)
            reason = "holds an integer of more than 64 bits" if large else "is nested too deeply"
            notes.append(f"a tool {reason}, cannot be written as JSON, and is left as it is")
            result.append({"type": "function", "function": dict(tool)})
            continue
        notes.extend(found)
        changed = changed or mended is not None
        usual = usual and is_usual
        result.append(_wrapped(tool) if mended is None else orjson.loads(mended))
    if usual:
        return Normalised(result, {}, changed, tuple(notes))
    renamed, kept = _rename([tool["function"].get("name") for tool in result])
    for tool in result:
        name = tool["function"].get("name")
        if isinstance(name, str) and name in renamed:
            tool["function"] = {**tool["function"], "name": renamed[name]}
    return Normalised(result, renamed, changed or bool(renamed), (*notes, *kept))


def normalise_example(example: Example) -> Example:
    """The example with its tools normalised, in place. Calls and results are renamed with their tools;
    `original_tools` keeps what stood in the file where that is something else."""
    before = example["tools"]
    normalised = normalise_tools(before)
    example["tools"] = normalised.tools
    if normalised.changed:
        example.setdefault("original_tools", before)
    if normalised.names:
        for key in ("messages", "prompt", "chosen", "rejected", "completion"):
            for message in example.get(key, ()):
                _rename_in(message, normalised.names)
    return example


def _rename_in(message: Message, renamed: Mapping[str, str]) -> None:
    for call in message.get("tool_calls", ()):
        function = call["function"]
        function["name"] = renamed.get(function["name"], function["name"])
    if message["role"] == "tool" and "name" in message:
        message["name"] = renamed.get(message["name"], message["name"])


def _rename(found: Sequence[Any]) -> tuple[dict[str, str], list[str]]:
    """Old name to new, and notes on names that have to stay."""
    taken = {name for name in found if isinstance(name, str)}
    renamed: dict[str, str] = {}
    notes: list[str] = []
    for name in dict.fromkeys(name for name in found if isinstance(name, str)):
        usual = _ILLEGAL.sub("_", name.strip())
        if _USUAL.fullmatch(name):
            continue
        if not name.isascii() or not usual or len(usual) > LONGEST_NAME:
            notes.append(f'the name "{name[:LONGEST_NAME]}" stays: letters, digits, _ and - cannot write it')
        elif usual in taken:
            notes.append(f'the name "{name[:LONGEST_NAME]}" stays: "{usual}" is another tool')
        else:
            taken.add(usual)
            renamed[name] = usual
    return renamed, notes


def _wrapped(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical wrapping around what stands there, unchanged."""
    if isinstance(function := tool.get("function"), dict):
        return {"type": "function", "function": function}
    # OpenAI's Responses API has the type beside the name.
    typed = tool.get("type") == "function" and "name" in tool
    return {
        "type": "function",
        "function": {key: item for key, item in tool.items() if not (typed and key == "type")},
    }


@lru_cache(maxsize=2048)
def _normalised(raw: bytes) -> tuple[bytes | None, tuple[str, ...], bool]:
    """The canonical form of a tool, None when only the wrapping differs; notes; whether its name is usual."""
    tool = orjson.loads(raw)
    wrapped = _wrapped(tool)
    walk = SchemaWalk()
    name = wrapped["function"].get("name")
    outside = tool.get("required") if isinstance(tool.get("function"), Mapping) else None
    function = _function(wrapped["function"], outside, walk)
    mended = orjson.dumps({"type": "function", "function": function})
    notes = tuple(f'tool "{str(name)[:LONGEST_NAME]}": {note}' for note in walk.notes)
    is_usual = isinstance(name, str) and bool(_USUAL.fullmatch(name))
    return (None if mended == orjson.dumps(wrapped) else mended), notes, is_usual


def _function(value: Mapping[str, Any], outside: Any, walk: SchemaWalk) -> dict[str, Any]:
    """A function with its parameters in order; `outside` is a `required` found beside the function."""
    function = dict(value)
    for spelling in _SPELLINGS:
        if function.get("parameters") is None and isinstance(function.get(spelling), Mapping):
            function.pop("parameters", None)
            function = {"parameters" if key == spelling else key: item for key, item in function.items()}
    if "parameters" not in function:
        return function
    misplaced = [one for one in (function.get("required"), outside) if _is_names(one)]
    parameters = function["parameters"] = _parameters(function["parameters"], walk, listed=bool(misplaced))
    if not isinstance(parameters, dict) or not misplaced:
        return function
    if _is_names(function.get("required")):
        del function["required"]
    required = [*parameters.get("required", ()), *(name for one in misplaced for name in one)]
    if required:
        parameters["required"] = list(dict.fromkeys(required))
    return function


def _is_names(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _parameters(value: Any, walk: SchemaWalk, listed: bool) -> Any:
    """The schema of the arguments; what is none at all stays as it is, for a finding to say so. `listed`: the
    required ones are listed elsewhere."""
    if isinstance(value, str):
        try:
            value = load_json(value) if value.strip() else None
        except orjson.JSONDecodeError:
            walk.notes.append("parameters: the text is not JSON")
            return value
    if value is None or value == []:
        return dict(_NO_PARAMETERS)
    if isinstance(value, list):
        try:
            return walk.parameters(by_name(value), "parameters", listed=listed)
        except Unusable as reason:
            walk.notes.append(f"parameters: {reason}")
            return value
    if not isinstance(value, Mapping):
        walk.notes.append("parameters: they are no object")
        return value
    if _is_bare(value):
        return walk.parameters(value, "parameters", listed=listed)
    schema = walk.schema(value, "parameters")
    if "type" not in schema and ("type" in value or "properties" in schema or _is_bare(schema)):
        schema = {"type": "object", **schema}
    return schema


def _is_bare(value: Mapping[str, Any]) -> bool:
    """Whether it is parameters by name without a schema around them; one may be named "type"."""
    kind, properties = value.get("type"), value.get("properties")
    if isinstance(kind, str) and (kind in SIMPLE or read_type(kind)[0] == {"type": "object"}):
        return False
    if isinstance(kind, list) or isinstance(properties, list):
        return False
    if isinstance(properties, Mapping) and not isinstance(properties.get("type"), str):
        return False
    described = {name: item for name, item in value.items() if name != "required" or not _is_names(item)}
    return bool(described) and all(_is_parameter(name, item) for name, item in described.items())


def _is_parameter(name: str, value: Any) -> bool:
    """Whether it describes a parameter: an object, or the text of a type (but a keyword's text is the
    keyword's, such as a title "date")."""
    if isinstance(value, str):
        return value != "" and name not in VALUES and read_type(value)[0] is not None
    return isinstance(value, Mapping) and not name.startswith("$")
