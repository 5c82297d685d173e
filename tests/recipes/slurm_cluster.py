"""A cluster of one machine: Debian's slurm-wlm and munge, started by the tests, in a folder of theirs."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={controller}
SlurmdPort={daemon}
ReturnToService=2
MpiDefault=none
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=low Nodes={host} Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=120 State=UP
PartitionName=high Nodes={host} PriorityTier=10 PreemptMode=OFF State=UP
"""
_SECONDS = 30.0


class NoSlurm(Exception):
    """Why no cluster can be started here."""


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which Slurm's commands find the cluster; it has two CPUs or what the machine has.

    Raises:
        NoSlurm: it cannot be started here.
    """
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(name) is None]
    if missing:
        raise NoSlurm(f"{', '.join(missing)} not found (Debian: apt-get install slurm-wlm munge)")
    if os.geteuid():
        raise NoSlurm("slurmd starts jobs only as root")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = socket.gethostname().split(".")[0]
    cpus = min(2, os.cpu_count() or 1)
    text = _CONFIG.format(folder=folder, host=host, cpus=cpus, controller=_port(), daemon=_port())
    (folder / "slurm.conf").write_text(text)
    environment = {"SLURM_CONF": str(folder / "slurm.conf")}
    munge = ["--force", "--foreground", f"--key-file={key}"]
    munge += [f"--{name}-file={folder}/munge.{name}" for name in ("log", "pid", "seed")]
    commands = {
        "munged": [*munge, f"--socket={folder}/munge.sock"],
        "slurmctld": ["-D"],
        "slurmd": ["-D", "-N", host],
    }
    with ExitStack() as stack:
        for name, arguments in commands.items():
            log = stack.enter_context((folder / f"{name}.out").open("wb"))
            daemon = subprocess.Popen(
                [shutil.which(name) or name, *arguments],
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )
            stack.callback(_end, daemon)
            if name == "munged":
                _wait(folder, lambda: (folder / "munge.sock").exists(), daemon)
        idle = ["sinfo", "--noheader", "--partition=low", "--format=%T"]
        _wait(folder, lambda: _said(idle, environment) == "idle", daemon)
        try:
            yield environment
        finally:  # a job whose controller is gone would wait for it for ever
            subprocess.run(["scancel", "--user=root"], env={**os.environ, **environment}, check=False)
            with suppress(NoSlurm):
                _wait(folder, lambda: not _said(["squeue", "--noheader"], environment), daemon)


def _said(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    return done.stdout.strip()


def _wait(folder: Path, condition: object, daemon: "subprocess.Popen[bytes]") -> None:
    assert callable(condition)
    deadline = time.monotonic() + _SECONDS
    while not condition():
        if daemon.poll() is not None or time.monotonic() > deadline:
            lines = "; ".join(path.read_text(errors="replace")[-200:] for path in folder.glob("*.out"))
            raise NoSlurm(f"the daemons did not come up: {' '.join(lines.split())}")
        time.sleep(0.1)


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    try:
        daemon.wait(10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
