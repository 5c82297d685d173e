"""A row of data, and waiting for a trainer in a process of its own."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from tuner_tui.runs.layout import Status
from tuner_tui.runs.reader import read_status


def example(city: str, days: int, called: str = "get_weather") -> dict[str, object]:
    """A request and its call."""
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    }
    function = {"name": "get_weather", "description": "The weather.", "parameters": parameters}
    call = {"name": called, "arguments": {"city": city, "days": days}}
    return {
        "messages": [
            {"role": "user", "content": f"Weather in {city} for {days} days?"},
            {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]},
        ],
        "tools": [{"type": "function", "function": function}],
    }


def wait(run_dir: Path, condition: Callable[[Status], bool], seconds: float = 180) -> Status:
    """The status once `condition` holds; fails with the log when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition(status := read_status(run_dir)):
        log = run_dir / "train.log"
        assert time.monotonic() < deadline, (status, log.read_text() if log.exists() else "no log")
        time.sleep(0.05)
    return status


def ended(status: Status) -> bool:
    """No process stands behind it any more."""
    return not status.state.live


def kill(run_dir: Path, signal_number: int) -> None:
    """Signal the trainer itself."""
    pid = read_status(run_dir).pid
    assert pid is not None
    os.kill(pid, signal_number)
