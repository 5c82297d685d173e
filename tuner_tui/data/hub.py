"""Datasets of the Hugging Face hub: told by their id, fetched by a process of their own.

The files are kept as they are, below `$TUNER_HOME/datasets`, and read like any other folder. Only recipes may
import `datasets`, and its imports take seconds: so `python -m tuner_tui.recipes.download` does the work.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tuner_tui.errors import UserError
from tuner_tui.paths import home

_ID = re.compile(
    r"(?P<owner>[\w-]+(?:\.[\w-]+)*)/(?P<name>[\w-]+(?:\.[\w-]+)*)(?::(?P<split>\w+))?", re.ASCII
)
_FILE = re.compile(r"\.(jsonl?|ndjson|csv|tsv|txt|md|parquet|arrow|ya?ml|gz|zst)$", re.IGNORECASE)
_POLL = 0.1  # seconds between two looks at `cancelled`


@dataclass(frozen=True, slots=True)
class DatasetId:
    """A dataset of the hub, and which of its splits; "" for all."""

    repository: str
    split: str

    @property
    def folder(self) -> Path:
        """Where its files are kept."""
        name = self.repository.replace("/", "--") + (f"--{self.split}" if self.split else "")
        return home() / "datasets" / name


def dataset_id(text: str) -> DatasetId | None:
    """The id that a text is: "owner/name" or "owner/name:split". None when it looks like the path of a file:
    its folder exists, or its name ends like that of a data file."""
    match = _ID.fullmatch(text)
    if match is None or _FILE.search(match["name"]) or Path(match["owner"]).exists():
        return None
    return DatasetId(f"{match['owner']}/{match['name']}", match["split"] or "")


def fetch(dataset: DatasetId, cancelled: Callable[[], bool] | None = None) -> Path:
    """The folder with the dataset's files; downloads them unless they are there.

    Raises:
        UserError: there is no network, no such dataset or split, no room, or `cancelled` said True.
    """
    if dataset.folder.is_dir():
        return dataset.folder
    command = [sys.executable, "-m", "tuner_tui.recipes.download", dataset.repository, str(dataset.folder)]
    if dataset.split:
        command += ["--split", dataset.split]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        while True:
            # Asked first: who cancels is told so, also where the download has failed in the meantime.
            if cancelled is not None and cancelled():
                raise UserError(f"{dataset.repository}: the download was cancelled.")
            try:
                _, errors = process.communicate(timeout=_POLL)
                break
            except subprocess.TimeoutExpired:
                continue
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode != 0:
        lines = [line for line in errors.splitlines() if line.strip()]
        raise UserError(lines[-1] if lines else f"{dataset.repository}: could not be downloaded.")
    return dataset.folder
