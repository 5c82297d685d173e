"""What clean rows count, column by column: nothing of a row is kept that need not be."""

from array import array
from collections.abc import Sequence
from typing import Any

from tuner_tui.data.engine.screen import screen
from tuner_tui.data.engine.shapes import Shape


class Columns:
    """Some clean rows, each with an entry in the columns; `judge.Judge` fills them.

    The names of the tools that a row offers and calls, and the types of the values in its calls' arguments,
    stand in `offered`, `called` and `types` behind those of the rows before it; how many of each are its own
    is in `tools`, the shapes and `values`. So do its texts in `texts`, behind `screen.ROW`, those of the
    messages with SEPARATOR between them; where they end is in `ends`.
    """

    def __init__(self) -> None:
        self.fingerprints, self.answers = array("q"), array("q")  # signed: as Python's hashes are
        self.shapes: list[Shape] = []
        self.scripts: list[str] = []
        self.tools: list[int] = []
        self.values: list[int] = []
        self.offered: list[str] = []
        self.called: list[str] = []
        self.types: list[type] = []
        self.ends: list[int] = []
        self.texts = bytearray()

    def __len__(self) -> int:
        return len(self.fingerprints)

    def suspected(self) -> Sequence[int]:
        """The indexes of the rows whose texts may not be clean."""
        return screen(self.texts, self.ends, sum([shape.separators for shape in self.shapes]))

    def drop(self, index: int) -> None:
        """Take a row out again; its texts stay."""
        for flat, counts in (
            (self.offered, self.tools),
            (self.called, [shape.calls for shape in self.shapes]),
            (self.types, self.values),
        ):
            start = sum(counts[:index])
            del flat[start : start + counts[index]]
        columns: list[Any] = [self.fingerprints, self.answers, self.shapes, self.scripts]
        for column in (*columns, self.tools, self.values, self.ends):
            del column[index]
