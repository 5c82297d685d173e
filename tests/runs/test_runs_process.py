"""Processes that outlive whoever started them."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil

from tuner_tui.runs.process import identity, is_alive, start_detached, usable_cores

REPORT = "import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '', os.environ['X'])"


def wait_until_dead(pid: int) -> None:
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_has_a_session_of_its_own_no_input_and_a_log(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("before\n")
    pid = start_detached([sys.executable, "-c", REPORT], log, {"X": "y"})
    wait_until_dead(pid)  # also shows that its starter leaves no zombie
    assert log.read_text() == "before\nTrue True y\n"


def test_alive_means_this_very_process(tmp_path: Path) -> None:
    pid = start_detached([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log")
    started, host = psutil.Process(pid).create_time(), identity()[2]
    assert is_alive(pid, started, host) is True
    assert is_alive(pid, started - 100, host) is False
    assert is_alive(pid, started, "some-other-host") is None
    assert is_alive(None, None, host) is False
    os.kill(pid, signal.SIGKILL)
    wait_until_dead(pid)
    assert is_alive(pid, started, host) is False


def test_a_zombie_is_dead() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    deadline = time.monotonic() + 10
    process = psutil.Process(pid)
    while process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert is_alive(pid, process.create_time(), identity()[2]) is False
    os.waitpid(pid, 0)


def test_threads_fit_the_cores() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
