"""Processes that outlive the window: how they are started, and how one is known to be alive."""

import os
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

_START_TOLERANCE = 2.0
"""Seconds. Start times are computed from the boot time, which moves when the clock is set."""


def start_detached(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> int:
    """Start `argv` in a session of its own, so that no hang-up or signal meant for us reaches it.

    Standard input is /dev/null; both outputs are appended to `log` (created with mode 0600).

    Args:
        argv: the program and its arguments.
        log: the file that gets everything it prints.
        env: added to our own environment.

    Returns:
        The process id.

    Raises:
        OSError: the program or the log cannot be opened.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            close_fds=True,
        )
    finally:
        os.close(descriptor)
    # Whoever started it may live on for hours: without this its child would stay a zombie when it
    # ends.
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
    return process.pid


def identity() -> tuple[int, float, str]:
    """(pid, start time in seconds since the epoch, host) of this process: what `is_alive` takes."""
    process = psutil.Process()
    return process.pid, process.create_time(), socket.gethostname()


def is_alive(pid: int | None, pid_start: float | None, host: str | None) -> bool | None:
    """Whether that very process runs: its id AND its start time AND its host.

    Returns:
        None when it belongs to another host, where only its heartbeat can tell.
    """
    if host is not None and host != socket.gethostname():
        return None
    if pid is None or pid_start is None:
        return False
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - pid_start) > _START_TOLERANCE:
            return False
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
