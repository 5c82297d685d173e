"""The file beside a dataset, where a layout keeps its tools or its answers in a second file.

- BFCL: `possible_answer/<the same name>`, in the folder or beside it, holds the answers, and
  `multi_turn_func_doc/*.json` the tools of the multi-turn categories
  (https://github.com/ShishirPatil/gorilla, berkeley-function-call-leaderboard).
- Seal-Tools: `tool.jsonl` in the same folder (https://github.com/fairyshine/Seal-Tools).
- API-Bank: the programs `apis/*.py`, and else the table `all_apis.csv`, in the folder or one above it, the
  table also in a folder `data` of these (https://github.com/AlibabaResearch/DAMO-ConvAI, api-bank). Table and
  dialogues disagree in places (DeleteAlarm takes `timer_id` in one, `time` in the other); the programs agree
  with the dialogues.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from tuner_tui.data.layouts.api_bank_tools import tool_of_row, tools_of_program
from tuner_tui.data.layouts.formats import Format
from tuner_tui.errors import UserError

MAX_BYTES = 256 * 1024 * 1024
"""A larger companion is refused: it is held in memory."""

_LEVELS = 4  # folders above the dataset in which API-Bank's table is looked for
_PACKED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Companion:
    """What stands beside a dataset.

    `answers`: a row's id to its answer; `tools`: a tool's name to its declaration (BFCL: the stem of a file
    to its list of tools); `missing`: where something was looked for and not found, as the end of a sentence,
    empty when all is there or nothing is needed.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    tools: Mapping[str, Any] = field(default_factory=dict)
    missing: str = ""


def load_companion(path: Path, format: Format) -> Companion:
    """The companion of a dataset; an empty one where the layout needs none, or none is there.

    Args:
        path: the dataset, a file or a folder of files.
        format: its layout.

    Raises:
        UserError: there is one, and it cannot be read.
    """
    finder = _FINDERS.get(format)
    if finder is None:
        return Companion()
    answers, tools, missing = finder(path)
    return _load(format, _stamped(answers), _stamped(tools), missing)


_Found = tuple[list[Path], list[Path], str]
_Stamped = tuple[tuple[Path, int, int], ...]


def _find_bfcl(path: Path) -> _Found:
    folder = _folder(path)
    wanted = "*.json" if path.is_dir() else _plain_name(path)
    answers: list[Path] = []
    for place in (folder / "possible_answer", folder.parent / "possible_answer"):
        if not answers:
            found = place.glob("*.json") if path.is_dir() else [place / wanted]
            answers = sorted(one for one in found if _is_file(one))
    missing = "" if answers else f"there is no possible_answer/{wanted} beside the file"
    return answers, sorted((folder / "multi_turn_func_doc").glob("*.json")), missing


def _find_seal_tools(path: Path) -> _Found:
    tools = _folder(path) / "tool.jsonl"
    return ([], [tools], "") if _is_file(tools) else ([], [], "there is no tool.jsonl beside the file")


def _find_api_bank(path: Path) -> _Found:
    folder = _folder(path).absolute()
    levels = (folder, *folder.parents[:_LEVELS])
    for above in levels:
        if programs := sorted(one for one in (above / "apis").glob("*.py") if _is_file(one)):
            return [], programs, ""
    for above in levels:
        for table in (above / "all_apis.csv", above / "data" / "all_apis.csv"):
            if _is_file(table):
                return [], [table], ""
    return [], [], "there is neither apis/*.py nor all_apis.csv in its folder or above"


_FINDERS: dict[Format, Callable[[Path], _Found]] = {
    Format.BFCL: _find_bfcl,
    Format.SEAL_TOOLS: _find_seal_tools,
    Format.API_BANK: _find_api_bank,
}


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder on the way that may not be looked into
        return False


def _plain_name(path: Path) -> str:
    return path.stem if path.suffix in _PACKED else path.name


def _stamped(paths: Iterable[Path]) -> _Stamped:
    """The files with their time and size, so that one that was changed is read again."""
    try:
        return tuple((path, state.st_mtime_ns, state.st_size) for path in paths for state in (path.stat(),))
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read ({error.strerror}).") from None


@lru_cache(maxsize=8)
def _load(format: Format, answers: _Stamped, tools: _Stamped, missing: str) -> Companion:
    answer_of: dict[str, Any] = {}
    for path, _, size in answers:
        for value in _objects(path, size):
            answer_of[str(value.get("id"))] = value.get("ground_truth")
    if format is Format.BFCL:
        return Companion(
            answer_of, {path.stem: list(_objects(path, size)) for path, _, size in tools}, missing
        )
    tool_of: dict[str, Any] = {}
    for path, _, size in tools:
        if format is Format.SEAL_TOOLS:
            tool_of.update((str(tool.get("api_name")), tool) for tool in _objects(path, size))
        else:
            tool_of.update((tool["name"], tool) for tool in _api_bank_tools(path, size))
    return Companion(answer_of, tool_of, missing)


def _api_bank_tools(path: Path, size: int) -> Iterator[dict[str, Any]]:
    """The tools of a program or of the table."""
    data = _read(path, size)
    try:
        if path.suffix == ".py":
            yield from tools_of_program(data.decode())
        else:
            table = io.StringIO(data.decode("utf-8-sig"), newline="")
            yield from map(tool_of_row, csv.DictReader(table))
    except (ValueError, csv.Error) as error:  # UnicodeDecodeError is a ValueError
        kind = "Python" if path.suffix == ".py" else "CSV in UTF-8"
        raise UserError(
            f"{path}: is not {kind} ({error}); it goes with the dataset, so mend it or take it away."
        ) from None


def _objects(path: Path, size: int) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file, or of one JSON array."""
    data = _read(path, size)
    try:
        if data.lstrip().startswith(b"["):
            values = orjson.loads(data)
        else:
            values = [orjson.loads(line) for line in data.splitlines() if line.strip()]
    except orjson.JSONDecodeError as error:
        raise UserError(
            f"{path}: is not JSON ({error.msg}); it goes with the dataset, so mend it or take it away."
        ) from None
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise UserError(f"{path}: row {number} is no JSON object; mend it or take the file away.")
        yield value


def _read(path: Path, size: int) -> bytes:
    if size > MAX_BYTES:
        raise UserError(f"{path}: is larger than {MAX_BYTES // 2**20} MiB, too large to go with a dataset.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}).") from None
