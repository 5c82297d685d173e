"""An interpreter that has the libraries loaded already: a run starts in a second, instead of nine.

The tests start dozens of runs of a few steps, and nearly all that each would compute is the import of torch,
transformers and TRL. Here one process imports them and forks for every `python -m tuner_tui.recipes.METHOD`:
the same program, in a process and a session of its own, with the environment, the folder and the files that
it was started with. Whatever else is asked of this interpreter, the real one does in its place. Tests with
the mark `fresh_interpreter` have the real one.
"""

import atexit
import importlib
import json
import os
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuner_tui.recipes.start import QUIET
from tuner_tui.training.methods import METHODS

CHAIN = "tuner_tui.training.chain_process"
MODULES = [CHAIN, "benchmarks.training.losses", *(f"tuner_tui.recipes.{method}" for method in METHODS)]
PARTS = ("arguments", "callback", "kernels", "merge", "model", "ppo_state", "rows", "trainer")
LIBRARIES = [
    "accelerate",
    "bitsandbytes",
    "datasets",
    "peft",
    "trl",
    *(f"tuner_tui.recipes.{p}" for p in PARTS),
]
TRAINERS = [f"{method}Trainer" for method in ("SFT", "DPO", "KTO", "Reward", "GRPO", "RLOO")]

_SCRIPT = """\
#!/bin/sh
exec {python} -IS {client} "$@"
"""
_CLIENT = """\
import json, os, socket, sys
words = sys.argv[1:]
if words[:1] != ["-m"] or words[1] not in {modules}:
    os.execv({python!r}, [{python!r}, *words])
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = {{"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}}
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps(request).encode())
    server.shutdown(socket.SHUT_WR)
    server.recv(1)  # until it is there
"""


@contextmanager
def quick_python() -> Iterator[str]:
    """The path of an interpreter that forks; of the real one where there is a GPU, which bears no fork."""
    if shutil.which("nvidia-smi"):
        yield sys.executable
        return
    with tempfile.TemporaryDirectory(prefix="quick-") as folder:  # short: so must a socket's address be
        address, path, client = f"{folder}/socket", Path(folder) / "python", Path(folder) / "client.py"
        client.write_text(_CLIENT.format(python=sys.executable, modules=MODULES, address=address))
        path.write_text(_SCRIPT.format(python=shlex.quote(sys.executable), client=client))
        path.chmod(0o700)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(address)
            listening.listen(64)
            server = subprocess.Popen(
                [sys.executable, "-P", __file__, str(listening.fileno()), str(path)],
                stdin=subprocess.PIPE,
                env={**os.environ, **QUIET, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
                pass_fds=[listening.fileno()],
            )
        try:
            yield str(path)
        finally:  # its input ends, and with it the process; also when the tests are killed
            server.communicate()


def serve(listening: socket.socket, client: str) -> None:
    """Fork for each request, until the standard input ends."""
    for name in (*LIBRARIES, *(f"tuner_tui.recipes.{part}" for part in PARTS)):
        importlib.import_module(name)
    for name in TRAINERS:
        getattr(sys.modules["trl"], name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the runs
    while True:
        ready, _, _ = select.select([listening, sys.stdin], [], [])
        if sys.stdin in ready:
            os._exit(0)
        with listening.accept()[0] as connection:
            _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
            with connection.makefile("rb") as file:
                request = json.load(file)
            if os.fork() == 0:
                listening.close()
                connection.close()
                os._exit(_run(request, descriptors, client))
            for descriptor in descriptors:
                os.close(descriptor)


def _run(request: dict[str, Any], descriptors: list[int], client: str) -> int:
    """The module that was asked for, as `python -m` runs it; its exit status."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    words = request["words"]
    sys.path.insert(0, request["folder"])
    sys.argv, sys.orig_argv = words[1:], [sys.executable, *words]
    if words[1] == CHAIN:  # its runs begin quickly, too; a recipe that begins anew (`exec`) begins really
        sys.executable = client
    status: Any = 0
    try:
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code or 0
        if not isinstance(status, int):
            sys.stderr.write(f"{status}\n")
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status if isinstance(status, int) else 1


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
