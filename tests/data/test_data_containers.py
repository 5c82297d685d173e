"""Rows come out the same whatever they are kept in; damaged files give what is whole, and a sentence."""

import datetime
import decimal
import gzip
import json
import pickle
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_files import ROWS, arrow, containers, json_lines, parquet, table, write, zstd

from tuner_tui.data.readers import MAX_ROW_BYTES, Row, open_rows, read_rows
from tuner_tui.errors import UserError

FILES = containers(ROWS)


def values(path: Path) -> list[dict[str, Any] | None]:
    return [row.value for row in read_rows(path)]


@pytest.mark.parametrize("name", FILES)
def test_every_container_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, FILES[name])
    source = open_rows(path)
    assert source.kind == name.replace("JSON values", "JSON")
    assert (source.files, source.size) == ([path], len(FILES[name]))
    assert source.filled_nulls is (name in ("Parquet", "Arrow", "Arrow stream"))
    rows = list(source.rows())
    assert [row.value for row in rows] == ROWS
    assert [row.number for row in rows] == list(range(1, len(ROWS) + 1))
    assert list(source.rows(3)) == rows[:3]


def content(rows: list[Row]) -> list[tuple[object, ...]]:
    return [(row.value, row.error, row.rule) for row in rows]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("target", [1, 700, 1 << 20])
def test_chunks_hold_the_same_rows(name: str, target: int, tmp_path: Path) -> None:
    source = open_rows(write(tmp_path, FILES[name]))
    expected = content(list(source.rows()))
    for limit in (None, 5):
        chunks = [pickle.loads(pickle.dumps(chunk)) for chunk in source.chunks(target, limit)]
        assert content([row for chunk in chunks for row in chunk.rows()]) == expected[:limit]
        assert all([row.number for row in chunk.rows()][:1] == [1] for chunk in chunks)
        assert sum(chunk.size for chunk in chunks) <= source.size
        for chunk in chunks:
            if chunk.json_lines:
                lines = [json.loads(line) for line in chunk.data().split(b"\n") if line.strip()]
                assert lines == [row.value for row in chunk.rows()]


pieces = st.sampled_from(
    [b'{"a": 1}', b'{"a": "\\u00fc"}', b"", b"  ", b"\r", b"{", b"[1]", b"\xff", b'{"a": NaN}', b"x" * 40]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(pieces, max_size=30), target=st.integers(1, 200), limit=st.none() | st.integers(0, 9))
def test_any_lines_in_chunks_of_any_size(
    lines: list[bytes], target: int, limit: int | None, tmp_path: Path
) -> None:
    data = b"\n".join([b'{"first": 1}', *lines])
    for name, packed in {"plain": data, "gzip": gzip.compress(data, 1), "zstd": zstd(data)}.items():
        source = open_rows(write(tmp_path, packed, name))
        rows = content(list(source.rows(limit)))
        assert content([row for chunk in source.chunks(target, limit) for row in chunk.rows()]) == rows
        assert rows == content(list(read_rows(tmp_path / "plain", limit)))


def test_a_line_too_long_for_a_row_is_a_chunk_of_its_own(tmp_path: Path) -> None:
    long = b'{"a": "' + b"x" * MAX_ROW_BYTES + b'"}\n'
    path = write(tmp_path, b'{"a": 1}\n' + long + b'{"a": 3}\n')
    expected = content(list(read_rows(path)))
    assert [row[0] for row in expected] == [{"a": 1}, None, {"a": 3}]
    for target in (4, 1 << 20, 1 << 40):
        chunks = list(open_rows(path).chunks(target))
        assert content([row for chunk in chunks for row in chunk.rows()]) == expected


def test_cells_of_a_table(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        b"\xef\xbb\xbfprompt,completion,label,tools,note\r\n"
        b'"two\r\nlines, a ""quote""",42,True,"[{""name"": ""f""}]",\r\n'
        b"x,true,0,\"[{'name': 'f', 'strict': None}]\",{not json\r\n"
        b"\r\n",
    )
    first, second = values(path)
    assert first == {
        "prompt": 'two\r\nlines, a "quote"',
        "completion": "42",
        "label": True,
        "tools": [{"name": "f"}],
        "note": None,
    }
    assert second == {
        "prompt": "x",
        "completion": "true",
        "label": False,
        "tools": [{"name": "f", "strict": None}],
        "note": "{not json",
    }


def test_a_wide_cell_and_bad_records_of_a_table(tmp_path: Path) -> None:
    wide = "w" * 300_000  # over the limit that csv has by itself
    text = f'a,b\n1,{wide}\n1,2,3\n4\n"5"x,6\n\xe9,7\n8,9\n"never closed,10\n'
    path = write(tmp_path, text.encode("latin-1"), "rows.csv")
    rows = list(read_rows(path))
    assert [row.value and row.value["a"] for row in rows] == ["1", None, None, None, None, "8", None]
    errors = [row.error or "" for row in rows]
    assert "3 cells where the header has 2" in errors[1]
    assert "1 cells where the header has 2" in errors[2]
    assert "',' expected after '\"'" in errors[3]
    assert "not UTF-8" in errors[4]
    assert "a quote is opened and not closed" in errors[6]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("a,a", "two columns are called 'a'"),
        ('"{""role"": 1}",b', "names no columns"),
        ("0.5,b", "names no columns"),
    ],
)
def test_a_table_needs_a_header(header: str, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path, f"{header}\n1,2\n".encode(), "rows.csv")
    with pytest.raises(UserError, match=reason) as caught:
        open_rows(path)
    assert str(path) in str(caught.value)


def test_a_table_of_one_column_by_its_name(tmp_path: Path) -> None:
    assert values(write(tmp_path, b"text\nhello there\n", "rows.csv")) == [{"text": "hello there"}]
    with pytest.raises(UserError, match="neither JSON"):
        open_rows(write(tmp_path, b"text\nhello there\n"))


def test_plain_text_by_paragraph_or_by_line(tmp_path: Path) -> None:
    lines = write(tmp_path, b"one\n two \r\n{three\n", "lines.txt")
    assert open_rows(lines).kind == "plain text"
    assert values(lines) == [{"text": "one"}, {"text": "two"}, {"text": "{three"}]
    paragraphs = write(tmp_path, b"one\ntwo\n\n\n three\n \nfour", "paragraphs.md")
    assert values(paragraphs) == [{"text": "one\ntwo"}, {"text": "three"}, {"text": "four"}]
    song = write(tmp_path, b"[Music]\nla la", "song.txt")
    assert values(song) == [{"text": "[Music]"}, {"text": "la la"}]
    packed = write(tmp_path, gzip.compress(b"one\n\xff\nthree"), "lines.txt.gz")
    first, bad, last = read_rows(packed)
    assert (first.value, last.value) == ({"text": "one"}, {"text": "three"})
    assert bad.error is not None and "not UTF-8" in bad.error
    assert values(write(tmp_path, b'{"a": 1}\n', "rows.txt")) == [{"a": 1}]


def test_columns_become_what_json_would_hold(tmp_path: Path) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5)
    inner = pa.struct([("a", pa.int64()), ("b", pa.string())])
    columns = {
        "moment": (pa.array([moment, None], pa.timestamp("us")), "2026-01-02 03:04:05.000000", None),
        "zoned": (pa.array([moment, None], pa.timestamp("s", "Europe/Rome")), "2026-01-02 03:04:05Z", None),
        "day": (pa.array([moment.date(), None]), "2026-01-02", None),
        "price": (pa.array([decimal.Decimal("1.50"), None]), 1.5, None),
        "whole": (pa.array([decimal.Decimal("12"), None]), 12, None),
        "coded": (pa.array(["x", "y"]).dictionary_encode(), "x", "y"),
        "large": (pa.array(["x", None], pa.large_string()), "x", None),
        "bytes": (pa.array([b"text", b"\xff"]), "text", "/w=="),
        "mapped": (pa.array([[("k", {"a": 1})], None], pa.map_(pa.string(), inner)), {"k": {"a": 1}}, None),
        "json": (pa.array(['{"a": 1}', None], pa.json_(pa.string())), '{"a": 1}', None),
        "half": (pa.array([1.5, float("nan")], pa.float16()), 1.5, None),
        "fixed": (pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), [1, 2], None),
        "view": (pa.array([[1], [2, 3]], pa.list_view(pa.int8())), [1], [2, 3]),
        "filled": (pa.array([[{"a": None, "b": "x"}, None], []], pa.list_(inner)), [{"b": "x"}, None], []),
        "empty": (pa.array([{}, None], inner), {}, None),
        "flag": (pa.array([True, None]), True, None),
        "nothing": (pa.nulls(2), None, None),
    }
    content = pa.table({name: column[0] for name, column in columns.items()})
    path = tmp_path / "rows"
    with pa.ipc.new_file(str(path), content.schema) as writer:
        writer.write_table(content)
    first, second = values(path)
    assert first == {name: column[1] for name, column in columns.items()}
    assert second == {name: column[2] for name, column in columns.items()}
    json.dumps([first, second], allow_nan=False)


def test_a_text_column_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    offsets, data = pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffc")
    content = pa.table({"s": pa.Array.from_buffers(pa.string(), 3, [None, offsets, data])})
    path = tmp_path / "rows"
    with pa.ipc.new_file(str(path), content.schema) as writer:
        writer.write_table(content)
    first, bad, last = read_rows(path)
    assert (first.value, last.value) == ({"s": "a"}, {"s": "c"})
    assert bad.error is not None and "UTF8" in bad.error


@pytest.mark.parametrize("name", [name for name in FILES if "gzip" in name or "zstd" in name])
def test_packed_files_that_are_cut_off(name: str, tmp_path: Path) -> None:
    rows = [
        row | {"salt": random.Random(number).randbytes(200).hex()} for number, row in enumerate(ROWS * 20)
    ]
    data = containers(rows)[name]
    path = write(tmp_path, data[: len(data) // 2])
    found = list(read_rows(path))
    # zstd gives whole blocks only: a file of one block may give no row at all.
    assert [row.value for row in found[:-1]] == rows[: len(found) - 1]
    assert found[-1].error is not None and "cut off here" in found[-1].error
    chunks = content([row for chunk in open_rows(path).chunks(10_000) for row in chunk.rows()])
    assert chunks == content(found)


def test_packed_files_that_are_damaged(tmp_path: Path) -> None:
    rows = [{"salt": random.Random(number).randbytes(200).hex()} for number in range(2000)]
    data = bytearray(gzip.compress(json_lines(rows)))
    data[len(data) // 2 :] = random.Random(0).randbytes(len(data) // 2)
    found = list(read_rows(write(tmp_path, bytes(data))))
    assert len(found) > 100
    assert found[-1].error is not None and "the gzip data is" in found[-1].error


@pytest.mark.parametrize("make", [parquet, arrow, lambda rows: arrow(rows, stream=True)])
def test_columnar_files_that_are_damaged(make: Any, tmp_path: Path) -> None:
    data = make(ROWS)
    chance = random.Random(5)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(8, len(damaged))
            damaged[at : at + 40] = chance.randbytes(len(damaged[at : at + 40]))
        path = write(tmp_path, bytes(damaged[: chance.choice([None, len(damaged) * 2 // 3])]))
        try:
            rows = content(list(read_rows(path)))
            chunks = content([row for chunk in open_rows(path).chunks(300) for row in chunk.rows()])
        except UserError as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert len(rows) == len(chunks)


@pytest.mark.parametrize("name", ["Parquet", "Arrow", "Arrow stream"])
def test_a_column_whose_name_is_no_text(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, FILES[name].replace(b"tool_calls", b"\xff" * 10))
    with pytest.raises(UserError, match="damaged") as caught:
        list(read_rows(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(FILES["Parquet"]), "Parquet inside gzip"),
        (gzip.compress(gzip.compress(b"{}")), "packed twice"),
        (gzip.compress(b"x" * 257 + b"ustar"), "tar archive"),
        (FILES["Parquet"][:-9], "damaged Parquet"),
        (FILES["Arrow"][:100], "damaged Arrow"),
        ('{"a": 1}'.encode("utf-16-le"), "UTF-16"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"\x28\xb5\x2f\xfd\x00", "zstd data is"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_that_are_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path, data)
    with pytest.raises(UserError, match=reason) as caught:
        open_rows(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_row_says_what_is_no_json(tmp_path: Path) -> None:
    path = write(tmp_path, b'{"a": 1}\n{"a": NaN}\n{"a": "\xe9"}\n')
    _, number, text = (row.error for row in read_rows(path))
    assert number is not None and "column 7: NaN is no JSON" in number
    assert text is not None and text.startswith(
        "byte 8 of the row (0xE9) is not UTF-8; if the file is Latin-1, "
    )


def test_a_packed_line_without_an_end_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    with gzip.open(path, "wb", 1) as file:
        file.write(b'{"a": 1}\n')
        for _ in range(40):
            file.write(b" " * (8 << 20))
    tracemalloc.start()
    rows = list(read_rows(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [row.value for row in rows] == [{"a": 1}, None]
    assert peak < 3 * MAX_ROW_BYTES


def test_layouts_of_many_rows_to_an_example_are_joined(tmp_path: Path) -> None:
    turns = [{"role": "User", "text": "hi"}, {"role": "AI", "text": "hello"}]
    path = write(tmp_path, json_lines(turns))
    source = open_rows(path)
    assert [row.value for row in source.rows()] == [{"dialogue": turns}]
    assert [row.value for chunk in source.chunks(1) for row in chunk.rows()] == [{"dialogue": turns}]


def test_a_table_with_another_delimiter(tmp_path: Path) -> None:
    assert values(write(tmp_path, table(ROWS, ";"))) == ROWS
