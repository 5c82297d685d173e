"""A chunk of rows to its tally."""

from collections.abc import Callable

from tuner_tui.data.engine.fast import FastPath
from tuner_tui.data.engine.rows import RowInspector
from tuner_tui.data.engine.task import Task
from tuner_tui.data.readers import Chunk
from tuner_tui.data.tally import Tally

_ROWS_BETWEEN_LOOKS = 64


class ChunkInspector:
    """Makes tallies; what it learns from one chunk (tools, shapes, templates) serves the next."""

    def __init__(self, task: Task) -> None:
        """Make ready for a task.

        Raises:
            UserError: as `RowInspector`.
        """
        self._rows = RowInspector(task)
        self._fast = FastPath(task, self._rows) if task.fast and FastPath.serves(task.format) else None

    def tally(self, chunk: Chunk, stopped: Callable[[], bool]) -> Tally:
        """The tally of a chunk, or of its first rows when `stopped` says so in between.

        Raises:
            UserError: the chunk's file cannot be read any more.
        """
        tally = Tally()
        if self._fast is not None and chunk.json_lines:
            self._fast.add(tally, chunk.data(), stopped)
        else:
            for row in chunk.rows():
                if row.number % _ROWS_BETWEEN_LOOKS == 0 and stopped():
                    break
                self._rows.add(tally, row)
        self._rows.finish(tally)
        tally.bytes_read = chunk.size
        return tally
