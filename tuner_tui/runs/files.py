"""The two ways a file of a run directory is written: replaced whole, or a line appended."""

import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` so that a reader sees the old content or the new, never a part (mode 0600).

    Written beside, synced, renamed, and the folder synced: POSIX rename(2) is atomic in one file
    system.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """`write_atomic` of an indented JSON object."""
    write_atomic(path, orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str) + b"\n")


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append one JSON object as one line with one write(2) (mode 0600).

    A number that is not finite becomes null and its key is listed under "nonfinite". If a writer
    died in the middle of a line, that fragment is closed with a newline first, so that this record
    is not lost in it.
    """
    append_lines(path, [value])


def append_lines(path: Path, values: Sequence[Mapping[str, Any]]) -> None:
    """`append_line` for several objects, still with one write(2)."""
    lines = b"".join(orjson.dumps(with_finite_numbers(value), default=str) + b"\n" for value in values)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        os.write(descriptor, lines)
    finally:
        os.close(descriptor)


def with_finite_numbers(value: Mapping[str, Any]) -> dict[str, Any]:
    """`value` with NaN and infinities as null and their keys listed under "nonfinite"."""
    bad = [key for key, item in value.items() if isinstance(item, float) and not math.isfinite(item)]
    if not bad:
        return dict(value)
    return {**value, **dict.fromkeys(bad), "nonfinite": bad}


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
