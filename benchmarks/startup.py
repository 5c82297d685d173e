"""First paint of the app against that of a ten-line Textual app, in a real pseudo-terminal.

    python benchmarks/startup.py [--runs 15]

Each program is started in a pty of 80 × 24; the clock runs from `exec` until its first text is on the screen
(the first write that holds its word). Runs of all alternate, so that a busy machine is unfair to none.
Prints the medians in milliseconds, their ratio to the ten-line app, and as a floor the bare interpreter.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import contextlib
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import tempfile
import termios
import time
from pathlib import Path

MINIMAL = """
from textual.app import App
from textual.widgets import Footer, Header, Static

class Minimal(App):
    def compose(self):
        yield Header()
        yield Static("minimal app")
        yield Footer()

Minimal().run()
"""
PROGRAMS = {
    "python -c pass, then a word": (["-c", "print('minimal')"], b"minimal"),
    "ten-line Textual app": (["-c", MINIMAL], b"minimal app"),
    "tuner: first text": (["-m", "tuner_tui"], b"Decide"),
    "tuner: home filled": (["-m", "tuner_tui"], b"The journey"),
}


def first_text(arguments: list[str], word: bytes, environment: dict[str, str]) -> float:
    """Seconds from exec to the first appearance of `word` in what the program writes."""
    started = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, *arguments], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    output = b""
    try:
        while word not in output:
            if not select.select([terminal], [], [], 30)[0]:
                raise TimeoutError(f"no {word!r} within 30 s; the last output was {output[-300:]!r}")
            try:
                output += os.read(terminal, 65536)
            except OSError:  # the program has ended
                raise SystemExit(f"no {word!r} in the output of {arguments}: {output[-500:]!r}") from None
        return time.perf_counter() - started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "TUNER_HOME": home,
            "TERM": "xterm-256color",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        for run in range(runs + 1):
            for name, (arguments, word) in PROGRAMS.items():
                seconds = first_text(arguments, word, environment)
                if run:  # the first round fills the caches of the file system
                    times[name].append(seconds)
    floor = statistics.median(times["ten-line Textual app"])
    for name, values in times.items():
        median = statistics.median(values)
        spread = f"{min(values) * 1e3:.0f} to {max(values) * 1e3:.0f}"
        print(f"{name:<30} {median * 1e3:6.0f} ms  ({spread})  {median / floor:.2f} x")


if __name__ == "__main__":
    main()
