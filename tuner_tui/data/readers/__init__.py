"""Rows of any dataset, streamed in order, cut into chunks for workers, or fetched by number.

Read are JSON Lines, JSON arrays, one JSON object that holds the rows in a list, JSON values one after
another, CSV and TSV, plain text (each also packed by gzip or zstd), Parquet, Arrow files and streams, folders
of such files, and datasets of the Hugging Face hub by their id. What a file is, is told from its first bytes.
Memory stays at one chunk, whatever the size of the file, and one bad row costs only itself.
"""

from tuner_tui.data.readers.chunks import Chunk
from tuner_tui.data.readers.folders import ALL_READ, LeftOut
from tuner_tui.data.readers.row_file import RowFile
from tuner_tui.data.readers.rows import MAX_ROW_BYTES, Row, decode
from tuner_tui.data.readers.source import RowSource, open_rows, read_rows

__all__ = [
    "ALL_READ",
    "MAX_ROW_BYTES",
    "Chunk",
    "LeftOut",
    "Row",
    "RowFile",
    "RowSource",
    "decode",
    "open_rows",
    "read_rows",
]
