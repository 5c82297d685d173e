"""Folders: which files hold rows, in which order, and where a row of the whole lies."""

import gzip
import json
import os
import pickle
from pathlib import Path

import pytest
from row_files import ROWS, arrow, json_lines, parquet

from tuner_tui.data.readers import RowFile, open_rows, read_rows
from tuner_tui.errors import UserError


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def rows(count: int, first: int = 0) -> bytes:
    return json_lines([{"n": number} for number in range(first, first + count)])


def numbers(path: Path) -> list[int]:
    return [row.value["n"] for row in read_rows(path) if row.value]


def test_files_are_read_in_order_and_numbered_through(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            "b/two.json": json.dumps([{"n": 3}, {"n": 4}], indent=1).encode(),
            "a-one.jsonl": rows(3),
            "b/c/three.jsonl.gz": gzip.compress(rows(2, 5)),
            "README.md": b"# about",
            "SOURCE.md": b"from",
            ".hidden.jsonl": rows(1, 90),
            "_SUCCESS": b"",
            ".git/objects.jsonl": rows(1, 91),
            "dataset_info.json": b"{}",
            "run.py": b"print()",
            "empty.jsonl": b"",
            "notes": b"nothing to see",
            "requirements.txt": b"torch\n",
        },
    )
    source = open_rows(tmp_path)
    assert source.kind == "folder of 3 files"
    assert [file.relative_to(tmp_path).as_posix() for file in source.files] == [
        "a-one.jsonl",
        "b/two.json",
        "b/c/three.jsonl.gz",
    ]
    found = list(source.rows())
    assert [(row.number, row.value) for row in found] == [(n + 1, {"n": n}) for n in range(7)]
    assert {file.name: reason for file, reason in source.skipped} == {
        "README.md": "a document",
        "SOURCE.md": "a document",
        ".hidden.jsonl": "hidden",
        "_SUCCESS": "hidden",
        "dataset_info.json": "metadata",
        "run.py": "not a data file",
        "empty.jsonl": "holds no rows",
        "notes": "holds no rows",
        "requirements.txt": "another sort of file than most here",
    }
    for target, limit in [(1, None), (1 << 20, None), (8, 4), (1 << 20, 6), (1, 0)]:
        chunks = [pickle.loads(pickle.dumps(chunk)) for chunk in source.chunks(target, limit)]
        assert [row.value for chunk in chunks for row in chunk.rows()] == [row.value for row in found][:limit]
    places = {1: ("a-one.jsonl", 1), 3: ("a-one.jsonl", 3), 4: ("two.json", 1), 7: ("three.jsonl.gz", 2)}
    for fresh in (source, open_rows(tmp_path)):
        for number, (name, at) in places.items():
            file, place = fresh.locate(number)
            assert (file.name, place) == (name, at)
    with RowFile(tmp_path) as table:
        assert [table[at] for at in range(len(table))] == found
        assert table.locate(6) == source.locate(7)
        assert list(table.search('"n":5')) + list(table.search('"n": 5')) == [5]


def test_a_folder_of_very_many_small_files(tmp_path: Path) -> None:
    fill(tmp_path, {f"{number:03d}.json": json.dumps({"n": number}).encode() for number in range(150)})
    source = open_rows(tmp_path)
    assert source.kind == "folder of 150 files"
    assert len(list(source.chunks())) == 1
    with RowFile(tmp_path) as file:
        assert [row["n"] for at in range(len(file)) if (row := file[at].value)] == list(range(150))
        assert file.locate(77) == (tmp_path / "077.json", 1)


def test_columnar_files_and_what_is_no_column(tmp_path: Path) -> None:
    fill(tmp_path, {"p.parquet": parquet(ROWS), "q.arrow": arrow(ROWS), "vocabulary.csv": b"a,b\n1,2\n"})
    source = open_rows(tmp_path)
    assert source.filled_nulls
    assert [file.name for file in source.files] == ["p.parquet", "q.arrow"]
    assert [row.value for row in source.rows()] == ROWS * 2
    with RowFile(tmp_path) as file:
        assert file[len(ROWS)].value == ROWS[0]
        assert file[len(ROWS)].number == len(ROWS) + 1


@pytest.mark.parametrize(
    ("train", "other"),
    [
        ("train.jsonl", "test.jsonl"),
        ("data/train-00000-of-00001.jsonl", "data/validation-00000-of-00001.jsonl"),
        ("train/0.jsonl", "dev/0.jsonl"),
        ("torchhub_train.json", "torchhub_eval.json"),
    ],
)
def test_of_several_splits_train_is_read(train: str, other: str, tmp_path: Path) -> None:
    fill(tmp_path, {train: rows(2), other: rows(2, 10)})
    source = open_rows(tmp_path)
    assert source.kind == "folder of 1 file, split train"
    assert numbers(tmp_path) == [0, 1]
    ((left, reason),) = source.skipped
    assert left == tmp_path / other
    assert reason.startswith("split ")
    assert numbers(tmp_path / other) == [10, 11]


def test_a_file_that_is_called_train_among_others(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            "negatives.jsonl": rows(1),
            "train.jsonl": rows(1, 1),
            "heldout.jsonl": rows(1, 2),
            "tools_held-out.jsonl": rows(1, 3),
            "more/empty.jsonl": b"",
            "README.md": b"# about",
            "config.json": b"{}",
        },
    )
    source = open_rows(tmp_path)
    assert source.kind == "folder of 2 files"
    assert numbers(tmp_path) == [0, 1]
    assert source.left_out.sentence() == (
        "3 files left out: more/empty.jsonl (holds no rows), heldout.jsonl (split held out; name it to read "
        "it), tools_held-out.jsonl (split held out; name it to read it); 2 more are no data"
    )
    assert source.left_out.sentence(1).startswith(
        "3 files left out: more/empty.jsonl (holds no rows), and 2 more"
    )
    assert source.left_out.to_json()["left_out"][0] == {
        "path": str(tmp_path / "more/empty.jsonl"),
        "reason": "holds no rows",
    }
    assert open_rows(tmp_path / "train.jsonl").left_out.sentence() == ""


def test_a_table_beside_the_splits_does_not_hide_them(tmp_path: Path) -> None:
    fill(tmp_path, {"train.jsonl": rows(1), "test.jsonl": rows(1, 1), "a.csv": b"a,b\n1,2\n"})
    fill(tmp_path, {f"b{number}.csv": b"a,b\n1,2\n" for number in range(3)})
    source = open_rows(tmp_path)
    assert source.kind == "folder of 1 file, split train"
    assert len(source.left_out.data) == 5


def test_without_train_all_splits_are_read(tmp_path: Path) -> None:
    fill(tmp_path, {"dev.jsonl": rows(1), "test.jsonl": rows(1, 1)})
    assert numbers(tmp_path) == [0, 1]


def test_a_file_of_a_folder_that_cannot_be_read_is_a_row(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            "1.jsonl": rows(1),
            "2.jsonl": '{"n": 7}\n'.encode("utf-16"),
            "3.parquet": parquet(ROWS)[:-3],
            "4.jsonl": rows(1, 1),
        },
    )
    found = list(read_rows(tmp_path))
    assert [row.value for row in found] == [{"n": 0}, None, {"n": 1}]
    assert found[1].error is not None and found[1].error.startswith("is UTF-16 text")
    with RowFile(tmp_path) as file:
        assert [file[at] for at in range(len(file))] == found
    fill(tmp_path, {"4.parquet": parquet(ROWS), "5.parquet": parquet(ROWS)})
    columns = list(read_rows(tmp_path))
    assert sum(row.error is not None and "damaged Parquet" in row.error for row in columns) == 1


def test_a_dataset_saved_to_disk(tmp_path: Path) -> None:
    state = {"_data_files": [{"filename": f"data-0000{part}-of-00002.arrow"} for part in (0, 1)]}
    half = len(ROWS) // 2
    saved = {
        "data-00000-of-00002.arrow": arrow(ROWS[:half], stream=True),
        "data-00001-of-00002.arrow": arrow(ROWS[half:], stream=True),
        "cache-1234.arrow": arrow(ROWS, stream=True),
        "state.json": json.dumps(state).encode(),
        "dataset_info.json": b"{}",
    }
    assert [row.value for row in read_rows(fill(tmp_path / "one", saved))] == ROWS
    both = {f"{split}/{name}": data for split in ("train", "test") for name, data in saved.items()}
    both["dataset_dict.json"] = b'{"splits": ["train", "test"]}'
    fill(tmp_path / "two", both)
    assert open_rows(tmp_path / "two").kind == "folder of 2 files, split train"
    assert [row.value for row in read_rows(tmp_path / "two" / "test")] == ROWS


def test_a_dataset_in_the_cache_of_the_hub(tmp_path: Path) -> None:
    folder = tmp_path / "datasets--owner--name"
    fill(
        folder,
        {
            "blobs/aaaa": rows(2, 5),
            "blobs/bbbb": rows(1, 50),
            "refs/main": b"new\n",
            "snapshots/old/data/rows.jsonl": rows(1, 99),
        },
    )
    (folder / "snapshots/new/data").mkdir(parents=True)
    (folder / "snapshots/new/data/rows.jsonl").symlink_to("../../../blobs/aaaa")
    assert numbers(folder) == [5, 6]
    assert numbers(folder / "snapshots" / "old") == [99]
    (folder / "refs/main").unlink()
    os.utime(folder / "snapshots/new", (1, 1))
    assert numbers(folder) == [99]


def test_folders_without_data(tmp_path: Path) -> None:
    fill(tmp_path, {"README.md": b"# nothing"})
    os.mkfifo(tmp_path / "pipe.jsonl")  # to open it must not wait for a writer
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "broken.jsonl").symlink_to(tmp_path / "missing")
    found = list(read_rows(tmp_path))
    assert [row.error and row.error[:20] for row in found] == ["there is no such fil", "is not a file; name "]
    (tmp_path / "pipe.jsonl").unlink()
    (tmp_path / "broken.jsonl").unlink()
    with pytest.raises(UserError, match=r"no data files .*README\.md") as caught:
        open_rows(tmp_path)
    assert str(tmp_path) in str(caught.value)
