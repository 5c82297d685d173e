"""Every layout to the one canonical example: one function a layout, in the table `CONVERTERS`.

A converter makes the shape sound and leaves the content alone: what is wrong in it, `validators`
says. What cannot be brought into shape raises `ConversionError`, which names the field.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tuner_tui.data.examples import Example, Message
from tuner_tui.data.formats import Format, seen
from tuner_tui.data.messages import (
    ConversionError,
    merge_turns,
    name_results,
    to_message,
    to_messages,
    to_tools,
)
from tuner_tui.data.readers import Row
from tuner_tui.data.sources import open_source
from tuner_tui.errors import UserError

__all__ = ["CONVERTERS", "Conversion", "ConversionError", "convert", "convert_file"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a conversion went, in rows: `rows == converted + rejected`."""

    rows: int
    converted: int
    rejected: int
    format: Format


def convert(value: Mapping[str, Any], format: Format) -> Example:
    """One row of the given layout as a canonical example.

    Raises:
        ConversionError: the row has not this layout, or something in it has not the shape.
    """
    try:
        example = CONVERTERS[format](value)
        orjson.dumps(example)
    except (orjson.JSONEncodeError, RecursionError):
        # orjson reads deeper than it writes; nothing after this step could pass such a row on.
        raise ConversionError("bad_message", None, "nested too deeply") from None
    return example


def convert_file(source: Path, out: Path, rejected: Path) -> Conversion:
    """Convert a whole file to canonical JSON Lines.

    Rows that cannot be converted go to `rejected`, one object a line: `row`, `rule`, `field`,
    `reason` and the row's `value` (null when it is not JSON). Both files appear at the end, whole;
    the second one only when a row was rejected, or when there is an older one to replace.

    Raises:
        UserError: the source cannot be read, its layout is not known, or a target cannot be
            written or is the source itself.
    """
    if source.resolve() in (out.resolve(), rejected.resolve()) or out.resolve() == rejected.resolve():
        raise UserError(f"{out}: source, target and rejected must be three files; name another.")
    opened = open_source(source)
    good = bad = 0
    with _replacing(out, always=True) as target, _replacing(rejected, always=False) as refuse:
        for row in opened.rows:
            try:
                line = _convert_row(row, opened.format)
            except ConversionError as error:
                bad += 1
                refuse.write(_rejection(row, error))
            else:
                good += 1
                target.write(line)
    return Conversion(good + bad, good, bad, opened.format)


def _convert_row(row: Row, format: Format) -> bytes:
    if row.value is None:
        raise ConversionError(row.rule or "not_json", None, row.error or "")
    return orjson.dumps(convert(row.value, format)) + b"\n"


def _rejection(row: Row, error: ConversionError) -> bytes:
    reason = {"row": row.number, "rule": error.rule, "field": error.field, "reason": str(error)}
    return orjson.dumps({**reason, "value": row.value}) + b"\n"


@contextmanager
def _replacing(path: Path, *, always: bool) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when all went well.

    An empty one does so only if `always`, or if there is an older one to replace.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            written = file.tell()
        if written or always or path.exists():
            temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}).") from None
    finally:
        temporary.unlink(missing_ok=True)


def _messages(value: Mapping[str, Any]) -> Example:
    messages = to_messages(_field(value, "messages"), "messages")
    return {"messages": name_results(messages), "tools": _tools(value)}


def _sharegpt(value: Mapping[str, Any]) -> Example:
    turns = to_messages(_field(value, "conversations"), "conversations")
    system = value.get("system")
    if isinstance(system, str) and system and turns and turns[0]["role"] != "system":
        turns.insert(0, {"role": "system", "content": system})
    return {"messages": name_results(merge_turns(turns)), "tools": _tools(value)}


def _completion(value: Mapping[str, Any]) -> Example:
    prompt = _turns(_field(value, "prompt"), "prompt", "user")
    for message in prompt:
        if message["role"] == "assistant":
            message["weight"] = 0  # TRL trains the completion alone
    completion = _turns(_field(value, "completion"), "completion", "assistant")
    return {"messages": name_results(prompt + completion), "tools": _tools(value)}


def _preference(value: Mapping[str, Any]) -> Example:
    chosen = _turns(_field(value, "chosen"), "chosen", "assistant")
    rejected = _turns(_field(value, "rejected"), "rejected", "assistant")
    if value.get("prompt") is not None:
        prompt = _turns(value["prompt"], "prompt", "user")
    else:
        # TRL's "implicit prompt": both sides begin with the same turns.
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(chosen[:-1], rejected, strict=False))
        prompt = [left for left, _ in pairs]
        chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, "tools": _tools(value)}


def _unknown(value: Mapping[str, Any]) -> Example:
    raise ConversionError("unknown_layout", None, f"no known layout; the row has {seen(value)}")


CONVERTERS: dict[Format, Callable[[Mapping[str, Any]], Example]] = {
    Format.CANONICAL: _messages,
    Format.OPENAI: _messages,
    Format.SHAREGPT: _sharegpt,
    Format.COMPLETION: _completion,
    Format.PREFERENCE: _preference,
    Format.UNKNOWN: _unknown,
}


def _field(value: Mapping[str, Any], name: str) -> Any:
    if name not in value:
        raise ConversionError("unknown_layout", name, f'no "{name}"; the row has {seen(value)}')
    return value[name]


def _turns(value: Any, field: str, role: str) -> list[Message]:
    """Messages, one message, or plain text (then of the given role)."""
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if isinstance(value, Mapping):
        return [to_message(value, field)]
    return to_messages(value, field)


def _tools(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = "functions" if value.get("tools") is None and "functions" in value else "tools"
    return to_tools(value.get(name), name)
