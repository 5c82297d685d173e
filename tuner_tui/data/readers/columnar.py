"""Parquet and Arrow files, and the zstd stream: what needs pyarrow, imported when one is read."""

from typing import Any, BinaryIO


def zstd_stream(file: BinaryIO) -> Any:
    """The unpacked bytes of a zstd file: an object with `read(size)`, which raises OSError on a fault."""
    import pyarrow

    return pyarrow.CompressedInputStream(file, "zstd")
