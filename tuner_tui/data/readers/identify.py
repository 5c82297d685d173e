"""What a file is, told from its first bytes.

The name decides only where the bytes cannot: a text that does not begin as JSON is prose when it is called
`.txt` or `.md`, and a table, even of one column, when it is called `.csv` or `.tsv`.
"""

import csv
import io
import re
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

import orjson

from tuner_tui.data.readers.streams import ByteStream, Compression, read_up_to
from tuner_tui.errors import UserError

_HEAD = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_PACKED = {b"\x1f\x8b": Compression.GZIP, b"\x28\xb5\x2f\xfd": Compression.ZSTD}
_COLUMNAR = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
_FOREIGN = {
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"BZh": "a bzip2 archive; unpack it first (bunzip2)",
    b"\xfd7zXZ": "an xz archive; unpack it first (unxz)",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"FEA1": "a Feather file of version 1; save it as Parquet first",
    b"SQLite format 3": "an SQLite database; export the table as CSV or JSON first",
    b"\x89HDF": "an HDF5 file; save its table as Parquet first",
    b"PARE": "an encrypted Parquet file; save it without encryption first",
    b"version https://git-lfs": "a Git LFS pointer, not the data itself; run `git lfs pull`",
}
_UTF16 = "UTF-16 text; turn it into UTF-8 first (iconv -f UTF-16 -t UTF-8)"
_TABLES, _PROSE = (".csv", ".tsv", ".tab"), (".txt", ".text", ".md")
_DELIMITERS = ",\t;"
# So that prose which begins "[Music]" is no array.
_BEGINS_JSON = re.compile(rb"\{|\[\s*(?:[\[{\]\"\d-]|true|false|null|$)")
_SAMPLE = 20  # records of a table that are looked at


class Container(Enum):
    """How rows lie in a file; the value is the name for people."""

    LINES = "JSON Lines"
    ARRAY = "JSON"
    VALUES = "JSON values"
    TABLE = "CSV"
    TEXT = "plain text"
    PARQUET = "Parquet"
    ARROW_FILE = "Arrow"
    ARROW_STREAM = "Arrow stream"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: `start` is the length of its byte order mark, `delimiter` that of a table,
    `paragraphs` whether blank lines divide a text (else each line is a row)."""

    container: Container
    compression: Compression = Compression.NONE
    start: int = 0
    delimiter: str = ""
    paragraphs: bool = False

    @property
    def name(self) -> str:
        """For people: "JSON Lines, gzip"."""
        name = "TSV" if self.delimiter == "\t" else self.container.value.removesuffix(" values")
        return f"{name}, {self.compression.value}" if self.compression is not Compression.NONE else name


def identify(path: Path) -> Kind:
    """Tell what the file is.

    Raises:
        UserError: it cannot be opened, is empty, or holds no rows that are known here.
    """
    with ByteStream(path, Compression.NONE) as file:
        head = read_up_to(file, _HEAD)
    compression = next((each for magic, each in _PACKED.items() if head.startswith(magic)), Compression.NONE)
    if compression is not Compression.NONE:
        with ByteStream(path, compression) as file:
            head = read_up_to(file, _HEAD)
            if not head and file.fault:
                raise UserError(f"{path}: nothing of it can be unpacked: {file.fault}.")
    _refuse_foreign(path, head, compression)
    if head.startswith(_COLUMNAR):
        container = {
            b"PAR1": Container.PARQUET,
            b"ARRO": Container.ARROW_FILE,
            b"\xff\xff\xff\xff": Container.ARROW_STREAM,
        }[head[:4]]
        if compression is not Compression.NONE:
            raise UserError(
                f"{path}: is {container.value} inside {compression.value}, which gains nothing and cannot be "
                "read piecewise; unpack it first."
            )
        return Kind(container)
    return _text_kind(path, head, compression)


def _refuse_foreign(path: Path, head: bytes, compression: Compression) -> None:
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise UserError(f"{path}: is {what}.")
    if head[257:262] == b"ustar":
        raise UserError(f"{path}: is a tar archive; unpack it first and name its folder (tar -xf).")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"{\x00" in head[:2] or head.startswith(b"\x00{"):
        raise UserError(f"{path}: is {_UTF16}.")
    if compression is not Compression.NONE and head.startswith(tuple(_PACKED)):
        raise UserError(f"{path}: is packed twice; unpack it once first.")


def _text_kind(path: Path, head: bytes, compression: Compression) -> Kind:
    start = len(_BOM) if head.startswith(_BOM) else 0
    text = head[start:].lstrip()
    if not text:
        raise UserError(f"{path}: is empty; a dataset has one JSON object per row.")
    suffix = next(
        (each.lower() for each in reversed(path.suffixes) if each.lower() not in (".gz", ".zst")), ""
    )
    if not _BEGINS_JSON.match(text):
        if suffix in _PROSE:
            blank = b"\n\n" in text or b"\n\r\n" in text
            return Kind(Container.TEXT, compression, start, paragraphs=blank)
        whole = len(head) < _HEAD
        if delimiter := _delimiter(text, certain=suffix in _TABLES, whole=whole):
            return Kind(Container.TABLE, compression, start, delimiter=delimiter)
        if not any(line.lstrip().startswith(b"{") for line in text.split(b"\n")):
            raise UserError(
                f"{path}: is neither JSON Lines nor JSON, nor a table with a header; no line of it begins "
                "with { (one JSON object per line, or one array of objects)."
            )
    lines = text.split(b"\n", 1)
    first, rest = lines[0].strip(), lines[1] if len(lines) > 1 else b""
    container = Container.LINES
    # A line that is whole in itself, with more lines after it, is a row (a wrong one).
    if text.startswith(b"[") and not (rest.strip() and _is_json(first)):
        container = Container.ARRAY
    elif first == b"{":
        container = Container.VALUES
    return Kind(container, compression, start)


def _delimiter(text: bytes, *, certain: bool, whole: bool) -> str:
    """What divides the columns; "" when the text is no table (`certain`: its name says that it is one)."""
    try:
        decoded = text.decode("utf-8", "strict" if not certain else "replace")
    except UnicodeDecodeError as error:
        if error.start < len(text) - 4:  # else: a character that the end of the head cuts in two
            return ""
        decoded = text[: error.start].decode()
    records = {
        each: found for each in _DELIMITERS if (found := _records(decoded, each, whole=whole)) and found[0]
    }
    best = max(records, key=lambda each: len(records[each][0]), default="")
    if certain:
        return best or ","
    sample = records.get(best, [])
    if len(sample) < 2 or len(sample[0]) < 2 or len(set(map(len, sample))) > 1:
        return ""
    names = sample[0]
    sound = len(set(names)) == len(names) and all(len(name) <= 64 and name.isprintable() for name in names)
    return best if sound and any(names) else ""


def _records(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[list[str]] = []
    try:
        found.extend(islice(rows, _SAMPLE + 1))
    except csv.Error:
        whole = True  # the record that the end of the head cuts in two is not among them
    if not whole and len(found) <= _SAMPLE and len(found) > 1:
        found.pop()
    return [record for record in found if record]


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True
