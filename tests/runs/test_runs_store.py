"""Runs on disk: their names, their privacy, finding and deleting them."""

import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.runs import files, layout, store
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.writer import RunWriter


def end(run_dir: Path, state: RunState = RunState.FINISHED) -> Path:
    with RunWriter(run_dir) as writer:
        writer.end(state)
    return run_dir


def test_runs_of_one_second_have_names_of_their_own(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: store.create_run("My first/run!", "x: 1\n", {}), range(16)))
    assert len(set(made)) == 16
    assert all("my-first-run" in path.name for path in made)
    assert sorted(path.name for path in (home / "runs").iterdir()) == sorted(path.name for path in made)


def test_everything_is_private(home: Path) -> None:
    run_dir = end(store.create_run("trial", "x: 1\n", {}))
    for path in [home, home / "runs", *run_dir.rglob("*"), run_dir]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match="TUNER_HOME"):
        store.create_run("trial", "", {})


def test_runs_are_listed_newest_first_and_junk_is_passed_over(home: Path) -> None:
    assert store.list_runs() == []
    first = end(store.create_run("first", "", {}))
    second = store.create_run("second", "", {})
    files.append_line(first / layout.METRICS, {"step": 1, "loss": 0.25})
    files.append_line(first / layout.METRICS, {"step": 1, "eval_loss": 0.5})
    (home / "runs" / "junk").mkdir()
    (home / "runs" / "broken").mkdir()
    (home / "runs" / "broken" / layout.STATUS).write_text("{")
    listed = store.list_runs()
    assert [run.path for run in listed] == [second, first]
    assert [run.last_loss for run in listed] == [None, 0.25]
    assert listed[0].to_json()["state"] == "starting"


def test_a_run_is_found_by_id_prefix_path_and_last(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no runs yet"):
        store.find_run("last")
    run_dir = store.create_run("alpha", "", {})
    other = store.create_run("beta", "", {})
    assert store.find_run(run_dir.name) == run_dir
    assert store.find_run(run_dir.name[:-1]) == run_dir
    assert store.find_run(str(run_dir)) == run_dir
    assert store.find_run("last") == other
    with pytest.raises(UserError, match="no run is called"):
        store.find_run("gamma")
    with pytest.raises(UserError, match="fits 2 runs"):
        store.find_run(run_dir.name[:8])


def test_a_whole_id_wins_over_a_longer_one() -> None:
    first = store.create_run("same", "", {})
    second = store.create_run("same", "", {})
    if second.name.startswith(first.name):
        assert store.find_run(first.name) == first


def test_a_live_run_is_not_deleted() -> None:
    run_dir = store.create_run("trial", "", {})
    with RunWriter(run_dir) as writer:
        writer.update(state=RunState.RUNNING)
        with pytest.raises(UserError, match="stop it first"):
            store.delete_run(run_dir)
        writer.end(RunState.STOPPED)
    store.delete_run(run_dir)
    assert not run_dir.exists()
    assert list(paths.runs_dir().iterdir()) == []


def test_a_folder_that_is_no_run_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    with pytest.raises(UserError, match="not a readable run"):
        store.delete_run(tmp_path / "precious")
    assert (tmp_path / "precious").is_dir()


def test_the_heart_beats_while_the_trainer_is_busy() -> None:
    run_dir = store.create_run("trial", "", {})
    with RunWriter(run_dir) as writer:
        writer.update(phase="loading the model")
        first = store.summarize(run_dir).status.heartbeat
        deadline = time.monotonic() + 3 * layout.HEARTBEAT_SECONDS
        while store.summarize(run_dir).status.heartbeat <= first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        writer.end(RunState.STOPPED)


def test_two_trainers_never_share_a_run() -> None:
    run_dir = store.create_run("trial", "", {})
    with RunWriter(run_dir) as writer:
        with pytest.raises(UserError, match="another process"):
            RunWriter(run_dir)
        writer.end(RunState.STOPPED)
    end(run_dir)
