"""Datasets of the hub: ids, the process that fetches them, and what is said without a network."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tuner_tui.data.hub import DatasetId, dataset_id, fetch
from tuner_tui.data.readers import open_rows, read_rows
from tuner_tui.errors import UserError


@pytest.fixture(autouse=True)
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of one's own, and a hub that no one answers for."""
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("owner/name", DatasetId("owner/name", "")),
        ("own-er/na.me_1:train", DatasetId("own-er/na.me_1", "train")),
        ("name", None),
        ("/owner/name", None),
        ("a/b/c", None),
        ("owner/rows.jsonl", None),
        ("owner/rows.csv.gz", None),
        ("../name", None),
        ("home/name", None),  # its folder is here
    ],
)
def test_ids_are_told_from_paths(text: str, expected: DatasetId | None, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert dataset_id(text) == expected


def test_without_a_network_one_sentence_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(UserError, match=r"owner/name: .*cannot be reached") as caught:
        open_rows(Path("owner/name:train"))
    assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 20
    assert not list(tmp_path.glob("home/datasets/*"))


def test_what_was_fetched_before_needs_no_network(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "datasets" / "owner--name--train"
    folder.mkdir(parents=True)
    (folder / "rows").write_text('{"a": 1}\n')
    assert [row.value for row in read_rows(Path("owner/name:train"))] == [{"a": 1}]


def test_a_download_can_be_cancelled() -> None:
    with pytest.raises(UserError, match="cancelled"):
        fetch(DatasetId("owner/name", ""), cancelled=lambda: True)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tuner_tui.recipes.download", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_files_are_fetched_as_they_are_by_split(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "data").mkdir(parents=True)
    calls = [{"arguments": {"city": "Rome"}}, {"arguments": {"days": [1, {"odd": None}]}}]
    text = "\n".join(json.dumps(call) for call in calls)
    (repository / "data" / "train.jsonl").write_text(text)
    (repository / "data" / "test.jsonl").write_text('{"arguments": {}}')
    out = tmp_path / "out"
    done = run(repository, out)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert [row.value for row in read_rows(out)] == calls
    assert [row.value for row in read_rows(out / "test")] == [{"arguments": {}}]

    wrong = run(repository, tmp_path / "other", "--split", "dev")
    assert wrong.returncode == 2
    assert "has no split 'dev'; its splits are train, test" in wrong.stderr
    assert {path.name for path in tmp_path.iterdir()} >= {"repository", "out"}
    assert not (tmp_path / "other").exists()
    assert not list(tmp_path.glob(".other-*"))


def test_what_datasets_saves_is_read_without_it(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": f"number {number}"}], "n": number} for number in range(30)
    ]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    program = (
        "import json; from datasets import Dataset, DatasetDict\n"
        "data = Dataset.from_list(json.load(open('rows.json')))\n"
        "data.save_to_disk('one', num_shards=2)\n"
        "DatasetDict({'train': data, 'test': data.select(range(3))}).save_to_disk('two')\n"
        "data.to_parquet('rows.parquet')"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, timeout=120
    )
    for name, expected in {"one": rows, "two": rows, "two/test": rows[:3], "rows.parquet": rows}.items():
        assert [row.value for row in read_rows(tmp_path / name)] == expected, name
