"""What is written: where it may lie, that it appears whole, and that nothing else is touched."""

import os
import stat
from pathlib import Path

import orjson
import pytest
from data_rows import Writer, answer, call, example, user

from tuner_tui.cli import main
from tuner_tui.data.outputs import check_sources, check_targets, replacing
from tuner_tui.errors import UserError

CALL = example(user(), answer("", call(city="Rome")))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    older, link, dangling = tmp_path / "there/old.jsonl", tmp_path / "link.jsonl", tmp_path / "new.jsonl"
    older.write_bytes(b"old")
    link.symlink_to(older)
    dangling.symlink_to(tmp_path / "there/new.jsonl")
    with replacing(link, dangling) as files:
        for file in files:
            file.write(b"new")
    assert link.is_symlink() and dangling.is_symlink()
    assert older.read_bytes() == (tmp_path / "there/new.jsonl").read_bytes() == b"new"
    assert names(tmp_path / "there") == ["new.jsonl", "old.jsonl"]


def test_a_pipe_a_folder_and_a_circle_are_refused(tmp_path: Path) -> None:
    pipe, folder, circle = tmp_path / "pipe", tmp_path / "folder", tmp_path / "circle"
    os.mkfifo(pipe)
    folder.mkdir()
    circle.symlink_to(circle)
    (tmp_path / "link").symlink_to(pipe)
    for path, said in (
        (pipe, "a device or a pipe"),
        (tmp_path / "link", "a device or a pipe"),
        (folder, "is a folder"),
        (circle, "cannot be written"),
        (tmp_path / "no/such/out.jsonl", "no folder"),
        (tmp_path / "out.parquet", "JSON Lines"),
    ):
        with pytest.raises(UserError, match=said):
            check_targets(path)
        if path.suffix != ".parquet":
            with pytest.raises(UserError, match=said), replacing(path):
                pass
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["circle", "folder", "link", "pipe"]


def test_what_is_read_is_not_written(tmp_path: Path) -> None:
    source, link = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_bytes(b"{}")
    link.symlink_to(source)
    with pytest.raises(UserError, match="different files"):
        check_sources([source], link)
    with pytest.raises(UserError, match="different files"):
        check_targets(source, link)


def test_files_appear_together_or_not_at_all(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with pytest.raises(ZeroDivisionError), replacing(one, optional=two) as files:
        files[1].write(b"half")
        raise ZeroDivisionError
    with pytest.raises(UserError, match="one: cannot be written"), replacing(one, optional=two) as files:
        files[1].write(b"half")
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []
    with replacing(one, optional=two):
        pass
    assert names(tmp_path) == ["one"]


@pytest.mark.parametrize(
    "verb",
    [
        ["convert", "{rows}", "{target}"],
        ["inspect", "{rows}", "--fix", "{target}"],
        ["split", "{rows}", "{target}", "{free}"],
        ["split", "{rows}", "{free}", "{target}"],
        ["mix", "{target}", "{rows}"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("kind", ["folder", "pipe", "nowhere", "table"])
def test_the_verbs_refuse_before_they_write(
    verb: list[str], kind: str, write: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = write([CALL, {"broken": 1}])
    there = tmp_path / "there"
    there.mkdir()
    target = there / {"nowhere": "no/out.jsonl", "table": "out.parquet"}.get(kind, kind)
    if kind == "folder":
        target.mkdir()
    elif kind == "pipe":
        os.mkfifo(target)
    before = names(there)
    words = {"{rows}": str(rows), "{target}": str(target), "{free}": str(there / "free.jsonl")}
    assert main([words.get(word, word) for word in verb]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert names(there) == before


def test_no_half_result_stays(write: Writer, tmp_path: Path) -> None:
    rows = write([CALL, "{cut"])
    out = tmp_path / "out.jsonl"
    os.mkfifo(out.with_suffix(".rejected.jsonl"))
    assert main(["convert", str(rows), str(out)]) == 2
    assert not out.exists()
    assert orjson.loads(rows.read_bytes().splitlines()[0])
