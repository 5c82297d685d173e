"""Reading rows: layouts of JSON, row numbers, and files that are not what they say."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuner_tui.data.readers import MAX_ROW_BYTES, RowFile, read_rows
from tuner_tui.errors import UserError

ROWS = [{"a": 1}, {"a": 'two, [3] {4} "5" \\'}, {"a": {"b": [[], {}, "]"]}}]


def layouts(rows: list[Any]) -> dict[str, str]:
    return {
        "lines": "\n".join(map(json.dumps, rows)),
        "array": json.dumps(rows),
        "array, pretty": json.dumps(rows, indent=2),
        "array, a row a line": "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n",
        "values, pretty": "\n".join(json.dumps(row, indent=1) for row in rows) + "\n",
    }


@pytest.mark.parametrize("layout", layouts(ROWS))
def test_rows_are_the_same_in_every_layout(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"  # the name says nothing: JSON Lines are found by content
    path.write_text(layouts(ROWS)[layout])
    rows = list(read_rows(path))
    assert [row.value for row in rows] == ROWS
    assert [row.number for row in rows] == [1, 2, 3]
    with RowFile(path) as file:
        assert len(file) == 3
        assert [file[index] for index in range(3)] == rows
        assert file[-1] == rows[-1]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
json_rows = st.lists(st.dictionaries(st.text(max_size=4), json_values, min_size=1, max_size=3), min_size=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=json_rows)
def test_any_objects_come_back(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    for text in layouts(rows).values():
        path.write_text(text, "utf-8")
        assert [row.value for row in read_rows(path)] == rows
        with RowFile(path) as file:
            assert [file[index].value for index in range(len(file))] == rows


def test_an_array_larger_than_the_buffer(tmp_path: Path) -> None:
    rows = [
        {"row": index, "text": '[{"' * 50, "deep": [[[[[[[[[[[index]]]]]]]]]]]} for index in range(20_000)
    ]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    assert path.stat().st_size > 3 * 2**20
    assert [row.value for row in read_rows(path)] == rows


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n   \n{"a": \n{"a": 3}')
    first, bad, last = read_rows(path)
    assert (first.number, bad.number, last.number) == (1, 2, 3)
    assert bad.value is None
    assert bad.rule == "not_json"
    assert bad.error is not None and bad.error.startswith("column 6: ")
    assert last.value == {"a": 3}


def test_a_fault_in_an_array_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[\n {"a": 1},\n {"a":\n  nope},\n {"a": 3}\n]')
    rows = list(read_rows(path))
    assert [row.value for row in rows] == [{"a": 1}, None, {"a": 3}]
    assert rows[1].error is not None and rows[1].error.startswith("line 4, column 3: ")


def test_an_array_that_is_cut_off_loses_only_its_last_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[{"a": 1}, {"a": 2}, {"a": "unfin')
    assert [row.value for row in read_rows(path)] == [{"a": 1}, {"a": 2}, None]


@pytest.mark.parametrize("line", ["1", '"text"', "[1, 2]", "null", "true"])
def test_values_that_are_no_objects(line: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"a": 1}}\n{line}\n')
    _, bad = read_rows(path)
    assert (bad.value, bad.rule) == (None, "not_object")
    assert bad.error is not None and "where an object should be" in bad.error


@pytest.mark.parametrize(
    "line",
    [
        b'{"a": "\xff\xfe"}',  # not UTF-8
        b'{"a": "\\ud800"}',  # half of a surrogate pair
        b'{"a": "\x00"}',  # a raw NUL
        b'{"a": NaN}',
        b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}",  # nested too deeply
        b"{" + b"}" * 3,
    ],
)
def test_a_bad_row_costs_only_itself(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 3}\n')
    rows = list(read_rows(path))
    assert [row.value for row in rows] == [{"a": 1}, None, {"a": 3}]
    assert rows[1].error


@pytest.mark.parametrize(
    "form", ['{{"a": 1}}\n{{"a": "{0}"}}\n{{"a": 3}}', '[{{"a": 1}}, {{"a": "{0}"}}, {{"a": 3}}]']
)
def test_a_row_too_long_for_memory_is_skipped(form: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(form.format("x" * (MAX_ROW_BYTES + 5)))
    rows = list(read_rows(path, limit=2))
    assert rows[0].value == {"a": 1}
    assert rows[1].error is not None and "longer than 64 MiB" in rows[1].error


def test_limit(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' * 10)
    assert len(list(read_rows(path, limit=4))) == 4


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    assert [row.value for row in read_rows(path)] == [{"a": 1}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"PK\x03\x04\x15\x04", "zip archive; unpack it"),
        (b"\x1f\x8b\x08\x00", "gzip data is cut off"),
        ('{"a": 1}\n'.encode("utf-16"), "UTF-16"),
        (b"name and city\nAda, Rome\n", "neither JSON Lines nor JSON"),
        (bytes(range(128, 256)) * 4, "neither JSON Lines nor JSON"),
    ],
)
def test_files_that_hold_no_json(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=reason) as caught:
        list(read_rows(path))
    assert str(path) in str(caught.value)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        list(read_rows(tmp_path / "missing.jsonl"))
    with pytest.raises(UserError, match="no data files"):
        list(read_rows(tmp_path))
    os.mkfifo(tmp_path / "pipe")  # to open it must not wait for a writer
    with pytest.raises(UserError, match="is not a file"):
        list(read_rows(tmp_path / "pipe"))


def test_a_file_that_shrinks_under_a_table(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' * 3)
    with RowFile(path) as file:
        os.truncate(path, 12)
        assert file[0].value == {"a": 1}
        assert file[2].value is None
        with pytest.raises(IndexError):
            file[3]


def test_the_heavy_libraries_come_with_the_first_file_that_needs_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' * 1000)
    program = (
        "import sys; from pathlib import Path; from tuner_tui.data.readers import RowFile, read_rows\n"
        "assert len(list(read_rows(Path(sys.argv[1])))) == 1000\n"
        "assert RowFile(Path(sys.argv[1]), wait=False)[5].value == {'a': 1}\n"
        "print(sorted({'pyarrow', 'numpy', 'datasets', 'pandas', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
