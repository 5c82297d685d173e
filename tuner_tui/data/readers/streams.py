"""Files opened for reading: plain, gzip or zstd; a fault in the middle ends the stream and is kept.

A compressed file that is cut off or damaged still gives what comes before the fault, so the reader of the
stream sees an ordinary end and asks for `fault` afterwards.
"""

import io
import os
import zlib
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

from tuner_tui.errors import UserError

_BUFFER = 1024 * 1024
_PIECE = 64 * 1024


class Compression(Enum):
    """How the bytes of a file are packed; the value is the name for people."""

    NONE = ""
    GZIP = "gzip"
    ZSTD = "zstd"


class ByteStream(io.BufferedReader):
    """The unpacked bytes of a file, from its beginning; `fault` says after the end why it came too early."""

    def __init__(self, path: Path, compression: Compression) -> None:
        self._source = _Unpacked(path, compression)
        super().__init__(self._source, _BUFFER)

    @property
    def fault(self) -> str | None:
        """Why the stream ended before its end; None when it did not."""
        return self._source.fault

    @property
    def consumed(self) -> int:
        """Bytes of the file on disk that were read so far."""
        return self._source.consumed


class _Unpacked(io.RawIOBase):
    def __init__(self, path: Path, compression: Compression) -> None:
        self.fault: str | None = None
        self._compression = compression
        self._file = open_plain(path)
        self._stream: Any = self._file
        if compression is Compression.GZIP:
            self._stream = _Gunzip(self._file)
        elif compression is Compression.ZSTD:
            import pyarrow

            self._stream = pyarrow.CompressedInputStream(self._file, "zstd")

    @property
    def consumed(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.fault is not None:
            return 0
        try:
            # In small pieces: what was unpacked before a fault, in the same call, is lost.
            data: bytes = self._stream.read(min(len(buffer), _PIECE))
        except EOFError:
            self.fault = f"the {self._compression.value} data is cut off here; get the file again"
            return 0
        except (OSError, zlib.error) as error:
            self.fault = self._describe(error)
            return 0
        buffer[: len(data)] = data
        return len(data)

    def fileno(self) -> int:
        return self._file.fileno()

    def _describe(self, error: Exception) -> str:
        if isinstance(error, OSError) and error.strerror:
            return f"the file cannot be read from here on ({error.strerror})"
        if "runcated" in str(error):
            return f"the {self._compression.value} data is cut off here; get the file again"
        return f"the {self._compression.value} data is damaged here ({error}); get the file again"

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class _Gunzip:
    """The unpacked bytes of a gzip file of one or more members. `gzip.GzipFile` would give nothing of a piece
    that has its end, or a fault, in it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._member = zlib.decompressobj(wbits=31)
        self._packed = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, none at the end; EOFError when that comes too early."""
        while True:
            data = self._member.decompress(self._packed, size)
            self._packed = self._member.unconsumed_tail
            if data:
                return data
            if self._member.eof:
                rest = self._member.unused_data.lstrip(b"\0")  # members may be padded
                while not rest:
                    if not (block := self._file.read(_PIECE)):
                        return b""
                    rest = block.lstrip(b"\0")
                self._member = zlib.decompressobj(wbits=31)
                self._packed = rest
            elif not self._packed:
                self._packed = self._file.read(_PIECE)
                if not self._packed:
                    raise EOFError


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        UserError: it is not there, may not be read, or is no ordinary file.
    """
    try:
        # Not blocking: to open a pipe that nobody writes to would wait for ever.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; check the path.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{path}: cannot be opened ({reason}).") from None
    if not path.is_file():
        file.close()
        raise UserError(f"{path}: is not a file; name a file or a folder of rows.")
    return file


def read_up_to(file: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer only at the end of the file."""
    parts: list[bytes] = []
    while size > 0 and (data := file.read(size)):
        parts.append(data)
        size -= len(data)
    return b"".join(parts)
