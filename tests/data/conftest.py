"""What the tests of this folder share."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from data_rows import Writer


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Writes rows as JSON Lines; a row of `str` is written as it is."""

    def to_file(rows: Iterable[Any], name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return path

    return to_file
