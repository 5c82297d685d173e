"""A worker process: chunks come in through a connection, tallies go out.

It is started by `pool` with a program text of its own (`COMMAND`), not through `multiprocessing`: that would
run the main program's file again, which need not be made for it, and leave a process to track resources.
"""

import gc
import signal
import sys
import traceback
from multiprocessing.connection import Connection

COMMAND = "import sys; sys.path[:] = {path!r}; from tuner_tui.data.engine.worker import main; main({fd})"
"""What the interpreter is told with -c: the parent's module path, and the number of the connection's file."""


def main(fd: int) -> None:
    """Receive the task, then chunks until the connection ends; send for each its tally, or what is raised."""
    # The terminal's Ctrl-C goes to the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(fd)
    try:
        _serve(connection)
    except (EOFError, OSError):  # the parent has gone, or wants no more
        sys.exit(0)


def _serve(connection: Connection) -> None:
    from tuner_tui.data.engine.chunks import ChunkInspector
    from tuner_tui.errors import UserError

    inspector = None
    task = connection.recv()
    # What is loaded by now stays; rows make no cycles, and looking for some would take a tenth of the time.
    gc.freeze()
    gc.disable()
    while True:
        chunk = connection.recv()
        try:
            inspector = inspector or ChunkInspector(task)
            result = inspector.tally(chunk, lambda: False)
        except UserError as error:
            connection.send(error)
        except Exception:
            connection.send(RuntimeError(traceback.format_exc()))
        else:
            connection.send(result)
