"""Rows by number: the same rows as in order, whatever they are kept in, and before the file was read."""

import gzip
import json
import os
import random
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_files import ROWS, arrow, containers, json_lines, parquet, write, zstd

from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import MAX_ROW_BYTES, RowFile, read_rows
from tuner_tui.errors import UserError

FILES = containers(ROWS)
MANY = [{"row": number, "text": "x" * (number % 97)} for number in range(60_000)]


@pytest.mark.parametrize("name", FILES)
def test_every_container_by_number(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, FILES[name])
    expected = list(read_rows(path))
    with RowFile(path) as file:
        assert file.complete
        assert len(file) == len(expected)
        numbers = [*range(len(expected)), *reversed(range(len(expected)))]
        assert [file[number] for number in numbers] == [expected[number] for number in numbers]
        assert file[-1] == expected[-1]
        assert file.locate(4) == (path, 5)
        for outside in (len(expected), -len(expected) - 1):
            with pytest.raises(IndexError):
                file[outside]


@pytest.mark.parametrize("name", FILES)
def test_search_in_every_container(name: str, tmp_path: Path) -> None:
    with RowFile(write(tmp_path, FILES[name])) as file:
        assert list(file.search("in KÖLN, 7")) == [7]
        assert list(file.search('"jetzt"', start=18)) == [18, 19]
        assert list(file.search("rome")) == [3, 7, 11, 15, 19]
        assert list(file.search("nowhere")) == []
        assert list(file.search("rome", cancelled=lambda: True)) == []


lines = st.lists(
    st.sampled_from(
        [
            b'{"a": 1}',
            b'{"b": "' + b"y" * 90 + b'"}',
            b"",
            b" ",
            b"\t\r",
            b" " * 80,
            b"!",
            b'!["a", "b"]',
            b"{",
        ]
    ),
    max_size=40,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=lines, end=st.booleans(), block=st.sampled_from([16, 100, 1 << 20]))
def test_any_lines_by_number(
    lines: list[bytes], end: bool, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner_tui.data.readers.line_index._BLOCK", block)  # so that small files have many
    data = b"\n".join([b'{"first": 1}', *lines]) + b"\n" * end
    for name, packed in {"plain": data, "gzip": gzip.compress(data, 1), "zstd": zstd(data)}.items():
        path = write(tmp_path, packed, name)
        expected = list(read_rows(path))
        with RowFile(path) as file:
            assert [file[number] for number in range(len(file))] == expected
            found = [number for number, row in enumerate(expected) if row.value and "b" in row.value]
            assert [number for number in file.search("YYY") if expected[number].value] == found


def test_the_first_rows_before_the_rest(tmp_path: Path) -> None:
    for name, data in {
        "lines": json_lines(MANY),
        "array": json.dumps(MANY).encode(),
        "packed": gzip.compress(json_lines(MANY), 1),
        "stream": arrow(MANY, stream=True, batch=1000),
    }.items():
        path = write(tmp_path, data, name)
        with RowFile(path, wait=False) as file:
            assert not file.complete
            assert 0 < len(file) < len(MANY) / 2
            assert file[3].value == MANY[3]
            seen: list[Progress] = []
            calls = iter([False, True])
            file.build(seen.append, calls.__next__)
            assert not file.complete
            assert len(file) < len(MANY)
            file.build(seen.append)  # goes on where it was cancelled
            assert file.complete
            assert len(file) == len(MANY)
            assert [file[at].value for at in (0, 31_234, -1)] == [MANY[0], MANY[31_234], MANY[-1]]
            assert (seen[-1].share, seen[-1].rows) == (1.0, len(MANY))
            assert all(0 <= one.done <= one.total for one in seen)


def test_parquet_knows_its_rows_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, parquet(MANY, group=50_000))
    with RowFile(path, wait=False) as file:
        assert len(file) == len(MANY)
        places = random.Random(1).sample(range(len(MANY)), 40)
        assert [file[at].value for at in places] == [MANY[at] for at in places]


def test_a_long_line_and_blank_ones_in_the_index(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with path.open("wb") as file:
        file.write(b'{"a": 1}\n' + b"\n" * 3_000_000 + b" " * 3_000_000 + b"\n")
        file.write(b'{"a": "' + b"x" * MAX_ROW_BYTES + b'"}\n{"a": 3}')
    with RowFile(path) as rows:
        assert len(rows) == 3
        assert (rows[0].value, rows[2].value) == ({"a": 1}, {"a": 3})
        assert rows[1].error == "longer than 64 MiB"
        assert list(rows.search("3")) == [2]


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("Погода в Москве", "погода В"),
        ("天气 in Rome", "天气"),
        ("an emoji 😀 here", "😀 HERE"),
        ('she said "no"\nand left', '"NO"\nAnd'),
        ("straße", "STRAßE"),
    ],
)
def test_search_in_either_spelling(text: str, needle: str, tmp_path: Path) -> None:
    rows = [{"text": "none"}, {"text": text}, {"text": "none either"}]
    plain = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    for name, data in {
        "plain": plain,
        "escaped": json_lines(rows),
        "array": json.dumps(rows).encode(),
    }.items():
        with RowFile(write(tmp_path, data, name)) as file:
            assert list(file.search(needle)) == [1], name


def test_a_file_that_shrinks_or_goes(tmp_path: Path) -> None:
    path = write(tmp_path, json_lines(MANY))
    with RowFile(path) as file:
        os.truncate(path, 100)
        assert file[0].value == MANY[0]
        last = file[-1]
        assert (last.value, last.rule) == (None, "not_json")
        assert list(file.search("nowhere")) == []
        path.unlink()
        assert file[1].value == MANY[1]


def test_threads_share_a_file_that_is_being_indexed(tmp_path: Path) -> None:
    for data in (json_lines(MANY), gzip.compress(json_lines(MANY), 1), parquet(MANY, 9000)):
        with RowFile(write(tmp_path, data), wait=False) as file, ThreadPoolExecutor(4) as pool:
            done = threading.Event()

            def fetch(seed: int, file: RowFile = file, done: threading.Event = done) -> bool:
                chance = random.Random(seed)
                right, rounds = True, 0
                while rounds < 50 or not done.is_set():
                    at = chance.randrange(len(file))
                    right &= file[at].value == MANY[at]
                    rounds += 1
                return right

            readers = [pool.submit(fetch, seed) for seed in range(3)]
            pool.submit(file.build).result()
            done.set()
            assert all(reader.result() for reader in readers)


def test_closed_while_it_is_indexed(tmp_path: Path) -> None:
    for data in (json_lines(MANY), gzip.compress(json_lines(MANY), 1)):
        file = RowFile(write(tmp_path, data), wait=False)

        def close(file: RowFile = file) -> bool:
            file.close()
            return False

        file.build(cancelled=close)
        assert not file.complete


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_too_little_room_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, gzip.compress(json_lines(MANY)))
    free: Iterator[int] = iter([1 << 40, 1 << 40, 1 << 20, 1 << 20])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1 << 40, 0, next(free)))
    with RowFile(path, wait=False) as file:  # the first rows find room
        with pytest.raises(UserError, match=r"too little room in .* set TMPDIR") as caught:
            file.build()
        assert str(path) in str(caught.value)
        assert file[0].value == MANY[0]
    with pytest.raises(UserError, match="too little room"):
        RowFile(path)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = write(tmp_path, FILES["CSV, gzip"])
    with RowFile(path) as file:
        assert len(file) == len(ROWS)
        assert list(tmp_path.iterdir()) == [path]


def test_a_packed_file_that_is_cut_off(tmp_path: Path) -> None:
    data: Any = gzip.compress(json_lines(MANY))
    path = write(tmp_path, data[: len(data) // 2])
    expected = list(read_rows(path))
    with RowFile(path) as file:
        assert len(file) == len(expected)
        assert file[-1] == expected[-1]
        assert file[-1].error == "the gzip data is cut off here; get the file again"
