"""The engine: any number of workers finds the same, and what else is asked of it."""

import random
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from data_rows import Writer, answer, conversation, example, user
from tallies import differences, tally

from tuner_tui.data.engine.chunks import ChunkInspector
from tuner_tui.data.engine.pool import tallies
from tuner_tui.data.engine.task import Task
from tuner_tui.data.inspection import inspect_file
from tuner_tui.data.layouts.formats import Format
from tuner_tui.data.progress import Progress
from tuner_tui.data.readers import open_rows
from tuner_tui.data.tally import Tally
from tuner_tui.errors import UserError
from tuner_tui.paths import embedded_model


@pytest.fixture
def mixed(write: Writer) -> Path:
    """Rows of all sorts, a thousand and more."""
    chance = random.Random(3)
    made: list[Any] = []
    for number in range(1500):
        row = conversation(number if number % 50 else 0)
        way = chance.randrange(30)
        if way == 0:
            row["messages"][1]["tool_calls"][0]["function"]["arguments"]["days"] = "two"
        elif way == 1:
            row["messages"][1]["tool_calls"][0]["function"]["name"] = "nothing"
        elif way == 2:
            row["messages"].pop(2)
        elif way == 3:
            row["messages"][3]["content"] = "Write to anna.meier@gmail.com, Größe 3."
        elif way == 5:
            row["messages"][3]["content"] = "<tool_call>"
        elif way == 6:
            made.append("")
        made.append("{cut" if way == 4 else row)
    return write(made)


def test_the_fast_path_finds_the_same_in_many_rows(mixed: Path) -> None:
    fast = tally(mixed, Format.CANONICAL, fast=True)
    assert differences(fast, tally(mixed, Format.CANONICAL, fast=False)) == []
    assert fast.sound > 1000
    assert fast.findings.counts["personal_data"] > 20
    assert fast.findings.counts["call_in_text"] > 20


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_any_number_of_workers_finds_the_same(mixed: Path, workers: int) -> None:
    source = open_rows(mixed)
    task = Task(mixed, Format.CANONICAL, questions=True, signatures=True)
    whole = Tally()
    for part in tallies(source.chunks(40_000), task, workers, lambda: False):
        whole.merge(part)
    once = Tally()
    (chunk,) = source.chunks(1 << 30)
    once.merge(ChunkInspector(task).tally(chunk, lambda: False))
    assert differences(whole, once) == []
    assert whole.rows == 1500
    assert set(whole.findings.counts) >= {"wrong_type", "undeclared_tool", "not_json", "personal_data"}
    assert list(whole.findings.rows["not_json"]) == sorted(whole.findings.rows["not_json"])


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def test_cancelled_workers_end_at_once(mixed: Path) -> None:
    before = set(children())
    told = False

    def stopped() -> bool:
        return told

    parts = tallies(open_rows(mixed).chunks(20_000), Task(mixed, Format.CANONICAL), 2, stopped)
    first = next(parts)
    assert set(children()) - before
    told = True
    begun = time.monotonic()
    rest = list(parts)
    assert time.monotonic() - begun < 2  # 0.2 s on a machine that has nothing else to do
    assert first.rows + sum(part.rows for part in rest) < 1500
    assert not set(children()) - before


def test_a_worker_that_is_killed_is_one_clear_error(mixed: Path) -> None:
    before = set(children())
    parts = tallies(open_rows(mixed).chunks(20_000), Task(mixed, Format.CANONICAL), 1, lambda: False)
    next(parts)
    (worker,) = set(children()) - before
    worker.kill()
    with pytest.raises(UserError, match="signal 9"):
        list(parts)
    assert not set(children()) - before


def test_an_error_in_a_worker_is_the_callers(mixed: Path, tmp_path: Path) -> None:
    task = Task(mixed, Format.CANONICAL, model=tmp_path / "no-model")
    with pytest.raises(UserError, match="no-model"):
        list(tallies(open_rows(mixed).chunks(), task, 1, lambda: False))


def test_rows_that_the_evaluation_has_too(write: Writer) -> None:
    train = write([conversation(number) for number in range(20)], "train.jsonl")
    held_out = write([conversation(number) for number in (3, 99, 12)], "eval.jsonl")
    assert list(inspect_file(train, eval_path=held_out).rows_of("leaked_row")) == [4, 13]


def test_near_duplicates(write: Writer) -> None:
    words = "please tell me how the weather over the whole of northern Italy will be on the next days"
    rows = [conversation(number) for number in range(5)]
    rows += [example(user(f"{words}; {words[::-1]} {end}"), answer("It rains.")) for end in ("then", "now")]
    path = write(rows)
    assert list(inspect_file(path).rows_of("near_duplicate")) == [7]
    assert not inspect_file(path, near=False).rows_of("near_duplicate")


def test_a_sample_of_the_rows_is_tokenised(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner_tui.data.engine.plan.TOKENISED_ROWS", 50)
    path = write([conversation(number) for number in range(200)])
    some = inspect_file(path, model=embedded_model())
    assert 20 < len(some.lengths) < 100
    assert len(some.tally.tokenised) == len(some.lengths) == len(some.trained)
    assert some.to_json()["tokens"]["rows"] == len(some.lengths)
    assert len(inspect_file(path, model=embedded_model(), all_tokens=True).lengths) == 200


def test_progress_tells_bytes_and_rows(mixed: Path) -> None:
    seen: list[Progress] = []
    inspection = inspect_file(mixed, workers=2, progress=seen.append)
    assert seen[-1].done == seen[-1].total == mixed.stat().st_size
    assert seen[-1].rows == inspection.rows == 1500
    assert len(inspection.severities) == 1500
