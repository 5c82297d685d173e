"""The app in a real pseudo-terminal: what is on the screen, the keys, the end; a closed terminal and a live
run.
"""

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pyte
import pytest

OPEN = "import sys; from tuner_tui.tui.app import run_app; sys.exit(run_app({arguments}))"


class Terminal:
    """A program in a pty of 80 × 24, and what a person would see."""

    def __init__(self, code: str, environment: dict[str, str], columns: int = 80, rows: int = 24) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, "-c", code], environment)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.output = b""

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._descriptor, keys)

    def until(self, condition: Callable[[], bool], seconds: float = 40.0) -> None:
        """Read what the program writes until `condition` holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.screen.display)
            if select.select([self._descriptor], [], [], 0.1)[0] and not self._read():
                assert condition(), "the program ended:\n" + "\n".join(self.screen.display)
                return

    def shows(self, text: str) -> bool:
        """Whether the screen holds `text` in one line."""
        return any(text in line for line in self.screen.display)

    def close(self) -> None:
        """Close the terminal, as a dropped connection does: the program gets SIGHUP."""
        os.close(self._descriptor)
        self._descriptor = -1  # the number may be given to another file

    def exit_status(self, seconds: float = 20.0) -> int:
        """Wait for the end; negative for a signal."""
        deadline = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._read_the_rest()
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, "the program did not end"
            try:
                if select.select([self._descriptor], [], [], 0.05)[0]:
                    self._read()
            except (OSError, ValueError):
                time.sleep(0.02)

    def _read_the_rest(self) -> None:
        """What was written just before the end, or since the last reading."""
        if self._descriptor >= 0:
            while select.select([self._descriptor], [], [], 0)[0] and self._read():
                pass

    def _read(self) -> bool:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError as error:
            if error.errno == errno.EIO:  # the other side is closed
                return False
            raise
        self.output += data
        self._stream.feed(data)
        return bool(data)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, and no colours or terminal of the one who runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (source, kept.get("PYTHONPATH"))))
    return {
        **kept,
        "PYTHONPATH": path,
        "TUNER_HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }


@pytest.fixture
def trainer(tmp_path: Path, environment: dict[str, str]) -> Iterator[tuple[Path, int]]:
    """A run whose process is in a session of its own, started as the launcher starts one."""
    code = """
import time
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.store import create_run
from tuner_tui.runs.writer import RunWriter
run_dir = create_run("long", "name: long\\n", {})
with RunWriter(run_dir) as writer:
    writer.update(state=RunState.RUNNING, phase="training", total=100000)
    print(run_dir, flush=True)
    for step in range(1, 100001):
        writer.metrics(step, {"loss": 1 / step})
        writer.update(step=step)
        time.sleep(0.05)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    yield Path(process.stdout.readline().strip()), process.pid
    process.kill()
    process.wait()


def test_the_app_opens_answers_keys_and_leaves_the_terminal_clean(environment: dict[str, str]) -> None:
    terminal = Terminal(OPEN.format(arguments=""), environment)
    terminal.until(lambda: terminal.shows("6 Report") and terminal.shows("The journey"))
    terminal.until(lambda: terminal.shows("d Guided demo"))
    terminal.type(b"4")
    terminal.until(lambda: terminal.shows("Nothing is configured yet"))
    terminal.type(b"\x10")  # Ctrl+P
    terminal.until(lambda: terminal.shows("Search for commands"))
    terminal.type(b"\x1b")
    terminal.until(lambda: not terminal.shows("Search for commands"))
    terminal.type(b"q")
    assert terminal.exit_status() == 0
    assert b"\x1b[?1049l" in terminal.output  # the alternate screen is left
    assert b"\x1b[?25h" in terminal.output  # the cursor is shown again


def test_a_closed_terminal_ends_the_app_and_not_the_run(
    environment: dict[str, str], trainer: tuple[Path, int]
) -> None:
    run_dir, pid = trainer
    arguments = f"watch=__import__('pathlib').Path({str(run_dir)!r})"
    nohup = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
    terminal = Terminal(nohup + OPEN.format(arguments=arguments), environment)
    terminal.until(lambda: terminal.shows("● running") and terminal.shows("train 0."))
    terminal.close()
    assert terminal.exit_status() != 0
    assert psutil.Process(pid).is_running()
    # A second window sees the same run, further on.
    again = Terminal(OPEN.format(arguments=arguments), environment)
    again.until(lambda: again.shows("● running") and again.shows("train 0."))
    again.type(b"q")
    assert again.exit_status() == 0
    assert f"tuner watch {run_dir.name}".encode() in again.output
    assert psutil.Process(pid).is_running()


def test_a_killed_window_leaves_the_run_alone(environment: dict[str, str], trainer: tuple[Path, int]) -> None:
    run_dir, pid = trainer
    arguments = f"watch=__import__('pathlib').Path({str(run_dir)!r})"
    terminal = Terminal(OPEN.format(arguments=arguments), environment)
    terminal.until(lambda: terminal.shows("● running"))
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.exit_status() == -signal.SIGKILL
    assert psutil.Process(pid).is_running()


def test_no_bytes_of_a_hostile_log_reach_the_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    code = """
from tuner_tui.runs.layout import LOG, RunState
from tuner_tui.runs.store import create_run
from tuner_tui.runs.writer import RunWriter
run_dir = create_run("evil", "name: evil\\n", {})
with RunWriter(run_dir) as writer:
    (run_dir / LOG).write_text("\\x1b]0;owned\\x07 \\x1b[5;31mblink\\n")
    writer.metrics(1, {"loss": 1.0})
    writer.end(RunState.FAILED, "reason \\x1b[2J")
print(run_dir)
"""
    made = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    arguments = f"watch=__import__('pathlib').Path({made.stdout.strip()!r})"
    terminal = Terminal(OPEN.format(arguments=arguments), environment)
    terminal.until(lambda: terminal.shows("✗ failed"))
    terminal.type(b"l")
    terminal.until(lambda: terminal.shows("␛]0;owned␇ ␛[5;31mblink"))
    terminal.type(b"q")
    assert terminal.exit_status() == 0
    assert b"\x1b]0;owned" not in terminal.output
    assert b"\x1b[5;31m" not in terminal.output


def test_the_questions_are_asked_again_until_the_answer_is_one(environment: dict[str, str]) -> None:
    terminal = Terminal("import sys; from tuner_tui.cli import main; sys.exit(main(['decide']))", environment)
    terminal.until(lambda: terminal.shows("(1 of 9)") and terminal.shows("leave it open"))
    for typed, said in (
        (b"9\r", "a number from 1 to 7"),
        (b"1, 2\r", "please type one number"),
        (b"4\r", "(2 of 9)"),
        (b"3\r", "(3 of 9)"),
        (b"2, 4\r", "please type one number"),
        (b"4, 5\r", "(4 of 9)"),
    ):
        terminal.screen.reset()
        terminal.type(typed)
        terminal.until(lambda said=said: terminal.shows(said) and terminal.shows("leave it open"))
    terminal.type(b"\r" * 6)
    assert terminal.exit_status() == 0
    assert b"Why" in terminal.output
