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
        env: added to our own environment, and to defaults that suit a process that computes.

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
            env={**_defaults(), **os.environ, **(env or {})},
            start_new_session=True,
            close_fds=True,
        )
    finally:
        os.close(descriptor)
    # Whoever started it may live on for hours: without this its child would stay a zombie when it
    # ends.
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()
    return process.pid


def usable_cores() -> int:
    """The cores that this process may use: of the machine, of its affinity mask, of its container's quota."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    try:  # cgroup v2: "max 100000", or "200000 100000" for two cores
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return max(1, cores)


def _defaults() -> dict[str, str]:
    """Unbuffered, without warnings meant for programmers, and as many threads as there are cores to use.

    PyTorch counts the cores of the machine, also in a container that may use two of them.
    """
    return {
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": str(usable_cores()),
    }


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
