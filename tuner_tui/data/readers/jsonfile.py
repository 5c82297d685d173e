"""JSON Lines, JSON arrays and JSON values of one file, plain or compressed."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from tuner_tui.data.readers.chunks import Chunk, SpanBlock, line_ranges, span_blocks
from tuner_tui.data.readers.identify import Container, Kind
from tuner_tui.data.readers.rows import Row, Span
from tuner_tui.data.readers.spans import line_spans, value_spans
from tuner_tui.data.readers.streams import ByteStream, Compression


class JsonFile:
    """One file of JSON rows."""

    filled_nulls = False

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path, self.kind = path, kind
        self.size = path.stat().st_size

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The rows in order, at most `limit`."""
        with ByteStream(self.path, self.kind.compression) as stream:
            for number, span in enumerate(islice(self.spans(stream), limit), start=1):
                yield span.row(number)

    def chunks(self, target: int) -> Iterator[Chunk]:
        """The rows in chunks of about `target` bytes."""
        if self.plain_lines:
            return line_ranges(self.path, self.kind.start, target)
        return self._blocks(target, None)

    def limited(self, target: int, limit: int) -> Iterator[SpanBlock]:
        """At most `limit` rows in chunks of about `target` bytes."""
        return self._blocks(target, limit)

    def count(self) -> int:
        """How many rows there are."""
        with ByteStream(self.path, self.kind.compression) as stream:
            return sum(1 for _ in self.spans(stream))

    def _blocks(self, target: int, limit: int | None) -> Iterator[SpanBlock]:
        with ByteStream(self.path, self.kind.compression) as stream:
            packed = self.kind.compression is not Compression.NONE
            spans = islice(self.spans(stream), limit)
            yield from span_blocks(spans, target, self.size, (lambda: stream.consumed) if packed else None)

    @property
    def plain_lines(self) -> bool:
        """Whether any byte range of the file can be read by itself."""
        return self.kind.container is Container.LINES and self.kind.compression is Compression.NONE

    def spans(self, stream: ByteStream) -> Iterator[Span]:
        """The rows as texts, from the beginning of the stream.

        Where the stream has a fault, the last row is that fault.
        """
        stream.read(self.kind.start)
        if self.kind.container is Container.LINES:
            spans = line_spans(stream, self.kind.start)
        else:
            spans = value_spans(stream, self.kind.start, array=self.kind.container is Container.ARRAY)
        last = None
        for span in spans:
            if last is not None:
                yield last
            last = span
        if stream.fault is not None:
            if last is not None and last.row(1).error is None:
                yield last  # the fault lies between two rows
            end = Span(0, 0, 1, None) if last is None else last
            last = replace(end, data=None, error=stream.fault, rule="not_json")
        if last is not None:
            yield last
