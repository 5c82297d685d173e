"""Whole files and whole lines, whatever happens to the writer."""

import json
import math
import stat
from pathlib import Path

import pytest

from tuner_tui.runs.files import append_line, write_atomic, write_json


def test_atomic_write_replaces_and_is_private(tmp_path: Path) -> None:
    target = tmp_path / "status.json"
    write_atomic(target, b"old")
    write_atomic(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_failed_atomic_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    (target / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        write_atomic(target, b"a file cannot replace a folder that is not empty")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_numbers_that_are_not_finite_are_null_and_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    append_line(path, {"step": 1, "loss": math.nan, "grad_norm": math.inf, "learning_rate": 0.1})
    assert json.loads(path.read_text()) == {
        "step": 1,
        "loss": None,
        "grad_norm": None,
        "learning_rate": 0.1,
        "nonfinite": ["loss", "grad_norm"],
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_dead_writers_fragment_does_not_swallow_the_next_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"step": 2, "lo')
    append_line(path, {"step": 3})
    assert path.read_bytes().split(b"\n")[2] == b'{"step":3}'


def test_json_is_readable_by_people(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": Path("b")})
    assert (tmp_path / "x.json").read_text() == '{\n  "a": "b"\n}\n'
