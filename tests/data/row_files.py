"""Rows written in every container that the readers know."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROWS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "user", "content": f'Wie ist das Wetter in Köln, {number}?\nBitte, "jetzt".'},
            {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": arguments}}]},
        ],
        "tools": [{"name": "weather", "parameters": {"type": "object"}}],
        "source": f"row {number}",
    }
    for number, arguments in enumerate(
        [{"city": "Köln"}, {"zip": 50667}, {}, {"city": "Rome", "days": 2}] * 5
    )
]


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    """A row a line."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def table(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    """CSV; what is no text is written as JSON."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(rows[0])
    writer.writerows(
        [value if isinstance(value, str) else json.dumps(value) for value in row.values()] for row in rows
    )
    return text.getvalue().encode()


def parquet(rows: list[dict[str, Any]], group: int = 7) -> bytes:
    """Parquet in row groups of `group` rows."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=group)
    return sink.getvalue()


def arrow(rows: list[dict[str, Any]], *, stream: bool = False, batch: int = 6) -> bytes:
    """An Arrow file or stream in batches of `batch` rows."""
    content = pa.Table.from_pylist(rows)
    sink = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, content.schema) as writer:
        writer.write_table(content, max_chunksize=batch)
    return sink.getvalue()


def zstd(data: bytes) -> bytes:
    """Packed by zstd."""
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


def containers(rows: list[dict[str, Any]]) -> dict[str, bytes]:
    """The rows in each container, by a name for it."""
    plain = {
        "JSON Lines": json_lines(rows),
        "JSON": json.dumps(rows, indent=1).encode(),
        "JSON values": "\n".join(json.dumps(row, indent=2) for row in rows).encode(),
        "CSV": table(rows),
        "TSV": table(rows, "\t"),
    }
    packed = {f"{name}, gzip": gzip.compress(data) for name, data in plain.items()}
    packed |= {f"{name}, zstd": zstd(data) for name, data in plain.items()}
    columns = {
        "Parquet": parquet(rows),
        "Arrow": arrow(rows),
        "Arrow stream": arrow(rows, stream=True),
    }
    return plain | packed | columns


def write(folder: Path, data: bytes, name: str = "rows") -> Path:
    """A file whose name says nothing."""
    path = folder / name
    path.write_bytes(data)
    return path
