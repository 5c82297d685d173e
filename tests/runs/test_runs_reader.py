"""What a watcher sees: whole lines, no superseded steps, and no dead process called running."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tuner_tui.errors import UserError
from tuner_tui.runs import files, layout, process
from tuner_tui.runs.layout import RunState, Status
from tuner_tui.runs.reader import RunReader, read_metrics, read_status

NewRun = Callable[[], Path]


def say(run_dir: Path, **changes: object) -> None:
    pid, started, host = process.identity()
    status = Status(
        RunState.RUNNING, step=3, total=9, pid=pid, pid_start=started, host=host, heartbeat=time.time()
    )
    files.write_json(run_dir / layout.STATUS, replace(status, **changes).to_json())  # type: ignore[arg-type]


def test_a_line_that_is_not_whole_waits(new_run: NewRun) -> None:
    run_dir = new_run()
    path = run_dir / layout.METRICS
    reader = RunReader(run_dir)
    assert reader.poll_metrics() == []
    path.write_bytes(b'{"step":1,"loss":2.0}\n{"step":2,')
    assert [record["step"] for record in reader.poll_metrics()] == [1]
    assert reader.poll_metrics() == []
    with path.open("ab") as file:
        file.write(b'"loss":1.5}\n')
    assert reader.poll_metrics() == [{"step": 2, "loss": 1.5}]


def test_a_fragment_is_passed_over(new_run: NewRun) -> None:
    run_dir = new_run()
    (run_dir / layout.METRICS).write_bytes(b'{"step":1}\n{"step":2, "lo\n[]\n{"step":3}\n')
    assert [record["step"] for record in read_metrics(run_dir)] == [1, 3]


def test_steps_after_the_checkpoint_are_dropped_after_a_resume(new_run: NewRun) -> None:
    run_dir = new_run()
    path = run_dir / layout.METRICS
    reader = RunReader(run_dir)
    for step in range(1, 8):
        files.append_line(path, {"step": step, "loss": 1.0})
    assert len(reader.poll_metrics()) == 7
    files.append_line(path, {"resumed": 4, "step": 4})
    files.append_line(path, {"step": 5, "loss": 0.5})
    history = reader.poll_metrics()
    assert reader.generation == 1
    assert [record["step"] for record in history] == [1, 2, 3, 4, 5]
    assert history[-1]["loss"] == 0.5
    assert read_metrics(run_dir) == history
    files.append_line(path, {"step": 6, "loss": 0.4})
    assert [record["step"] for record in reader.poll_metrics()] == [6]
    assert reader.generation == 1


def test_a_resume_that_supersedes_nothing_is_no_new_generation(new_run: NewRun) -> None:
    run_dir = new_run()
    reader = RunReader(run_dir)
    files.append_line(run_dir / layout.METRICS, {"step": 4, "loss": 1.0})
    reader.poll_metrics()
    files.append_line(run_dir / layout.METRICS, {"resumed": 4, "step": 4})
    assert reader.poll_metrics() == []
    assert reader.generation == 0


def test_a_live_process_is_running(new_run: NewRun) -> None:
    run_dir = new_run()
    say(run_dir)
    assert read_status(run_dir).state is RunState.RUNNING


def test_lost_when_the_process_is_gone(new_run: NewRun) -> None:
    run_dir = new_run()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    say(run_dir, pid=ended.pid)
    status = read_status(run_dir)
    assert status.state is RunState.LOST
    assert str(ended.pid) in (status.reason or "")


def test_lost_when_another_process_has_its_id(new_run: NewRun) -> None:
    run_dir = new_run()
    say(run_dir, pid_start=process.identity()[1] - 1000)
    assert read_status(run_dir).state is RunState.LOST


def test_lost_when_the_heart_stands_still(new_run: NewRun) -> None:
    run_dir = new_run()
    say(run_dir, heartbeat=time.time() - layout.STALE_SECONDS - 1)
    assert read_status(run_dir).state is RunState.LOST


def test_on_another_host_the_heartbeat_decides(new_run: NewRun) -> None:
    run_dir = new_run()
    say(run_dir, host=socket.gethostname() + "-other", pid=os.getpid() + 100_000)
    assert read_status(run_dir).state is RunState.RUNNING
    say(run_dir, host=socket.gethostname() + "-other", heartbeat=time.time() - layout.STALE_SECONDS - 1)
    assert read_status(run_dir).state is RunState.LOST


def test_a_run_that_never_showed_life_is_lost_in_time(new_run: NewRun) -> None:
    run_dir = new_run()
    assert read_status(run_dir).state is RunState.STARTING
    say(run_dir, state=RunState.STARTING, pid=None, heartbeat=time.time() - layout.STALE_SECONDS - 1)
    assert read_status(run_dir).state is RunState.LOST


def test_an_ended_run_is_never_lost(new_run: NewRun) -> None:
    run_dir = new_run()
    say(run_dir, state=RunState.FAILED, reason="the disk is full.", pid=1, heartbeat=0.0)
    status = read_status(run_dir)
    assert (status.state, status.reason) == (RunState.FAILED, "the disk is full.")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "flying"}', '{"step": 1}'])
def test_a_broken_status_is_told(new_run: NewRun, text: str) -> None:
    run_dir = new_run()
    (run_dir / layout.STATUS).write_text(text)
    with pytest.raises(UserError, match=r"status\.json"):
        read_status(run_dir)


def test_keys_of_a_newer_version_are_ignored(new_run: NewRun) -> None:
    assert Status.from_json({"state": "finished", "mood": "good"}).state is RunState.FINISHED


def test_the_log_is_given_as_it_is_and_from_its_end(new_run: NewRun) -> None:
    run_dir = new_run()
    log = run_dir / layout.LOG
    log.write_bytes(b"x" * 100 + b"\n" + b"line\n" * 100_000 + b"\x1b[31m\xff last\nhalf")
    lines = RunReader(run_dir).poll_log()
    assert lines[-1] == "\x1b[31m\ufffd last"
    assert set(lines[:-1]) == {"line"}
    assert len(lines) < 60_000


def test_a_file_that_was_replaced_is_read_anew(new_run: NewRun) -> None:
    run_dir = new_run()
    reader = RunReader(run_dir)
    files.append_line(run_dir / layout.EVENTS, {"code": "started", "message": "a longer message"})
    assert len(reader.poll_events()) == 1
    (run_dir / layout.EVENTS).unlink()
    files.append_line(run_dir / layout.EVENTS, {"code": "stopped"})
    assert reader.poll_events() == [{"code": "stopped"}]
