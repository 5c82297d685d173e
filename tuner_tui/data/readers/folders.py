"""Which files of a folder hold the rows of a dataset, and why the others do not.

Known layouts: any folder of data files, nested or not; a dataset that `datasets` has saved to disk, with or
without splits; the cache folder of a dataset of the Hugging Face hub. Files are taken in the order of their
paths. Where a name tells the split `train`, the files of other splits are not read; only `train` is, where
every name tells a split.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner_tui.data.readers.identify import Container, Kind, identify
from tuner_tui.errors import UserError

_MOST = 20_000  # files and folders: more than that is no folder of one dataset
_HIDDEN, _DOCUMENT, _DESCRIPTION, _FOREIGN = "hidden", "a document", "metadata", "not a data file"
_NO_DATA = {_HIDDEN, _DOCUMENT, _DESCRIPTION, _FOREIGN}
_METADATA = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}
_METADATA |= {"croissant.json", "package.json", "config.json", "tokenizer.json", "tokenizer_config.json"}
_DOCUMENTS = ("readme", "license", "licence", "source.md", "changelog", "citation", "notice")
_DATA = re.compile(
    r"\.(jsonl?|ndjson|csv|tsv|tab|parquet|arrow|feather|ipc)(\.gz|\.zst|\.zstd)?$", re.IGNORECASE
)
_OTHER = re.compile(
    r"\.(md|rst|html?|pdf|ya?ml|toml|ini|cfg|lock|py|ipynb|sh|png|jpe?g|gif|svg|webp|mp[34]|wav|pt|bin|"
    r"safetensors|gguf|log|idx|index|crc|sha256|md5|zip|tar|7z|rar|xz|bz2)$",
    re.IGNORECASE,
)
_SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test", "dev": "validation"}
_SPLITS |= dict.fromkeys(("eval", "evaluation", "val", "valid", "validation"), "validation")
_SPLITS |= dict.fromkeys(("heldout", "holdout"), "held out")
_FAMILIES = {Container.TABLE: "table", Container.TEXT: "text"} | dict.fromkeys(
    (Container.PARQUET, Container.ARROW_FILE, Container.ARROW_STREAM), "columns"
)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file with rows; `kind` is None when it cannot be read, and `error` says why."""

    path: Path
    kind: Kind | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The files of a folder `root` that are not read: `data` those that may be of the dataset, with the
    reason; `others` counts documents, metadata and hidden files."""

    root: Path = Path()
    data: tuple[tuple[Path, str], ...] = ()
    others: int = 0

    @classmethod
    def of(cls, root: Path, skipped: Sequence[tuple[Path, str]]) -> "LeftOut":
        """What was skipped in a folder."""
        data = tuple((path, reason) for path, reason in skipped if reason not in _NO_DATA)
        return cls(root, data, len(skipped) - len(data))

    def sentence(self, names: int = 4) -> str:
        """For people, with so many names: "2 files left out: a.jsonl (holds no rows), …"; "" for no data."""
        if not self.data:
            return ""
        told = [f"{self._name(path)} ({reason})" for path, reason in self.data[:names]]
        if len(self.data) > names:
            told.append(f"and {len(self.data) - names:,} more")
        others = (
            f"; {self.others:,} more {'is' if self.others == 1 else 'are'} no data" if self.others else ""
        )
        return f"{len(self.data):,} file{'s' * (len(self.data) > 1)} left out: {', '.join(told)}{others}"

    def to_json(self) -> dict[str, Any]:
        """Two keys of what the verbs print with `--json`."""
        files = [{"path": str(path), "reason": reason} for path, reason in self.data]
        return {"left_out": files, "other_files": self.others}

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else path.name


ALL_READ = LeftOut()
"""Nothing is left out."""


@dataclass(slots=True)
class Folder:
    """The data files of a folder in order, what was left out and why, and the split that was chosen."""

    files: list[DataFile] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    split: str = ""


def look_into(path: Path) -> Folder:
    """Find the data files of a folder.

    Raises:
        UserError: there is none, it cannot be listed, or it is far too large to be one dataset.
    """
    found = Folder()
    root = _snapshot(path)
    for file in _walk(root):
        reason = _no_data(file)
        if reason:
            found.skipped.append((file, reason))
        elif (entry := _identified(file)) is None:
            found.skipped.append((file, "holds no rows"))
        else:
            found.files.append(entry)
    _choose_family(found, root)
    _choose_split(found, root)
    if not found.files:
        left = ", ".join(f"{file.name} ({reason})" for file, reason in found.skipped[:3])
        raise UserError(
            f"{path}: this folder has no data files (JSON Lines, JSON, CSV, Parquet or Arrow)"
            + (f"; left out: {left}." if left else ".")
        )
    return found


def _walk(root: Path) -> Iterator[Path]:
    """All files below, in the order of their paths; of a dataset saved to disk those that it names."""
    seen: set[str] = set()
    count = 0

    def fail(error: OSError) -> None:
        if Path(error.filename or root) == root:
            raise UserError(f"{root}: cannot be opened ({error.strerror}).") from None

    for folder, names, files in os.walk(root, onerror=fail, followlinks=True):
        real = os.path.realpath(folder)
        names[:] = [] if real in seen else sorted(name for name in names if not name.startswith((".", "_")))
        if real in seen:  # a link to a folder above
            continue
        seen.add(real)
        count += len(files) + len(names)
        if count > _MOST:
            raise UserError(f"{root}: holds more than {_MOST:,} files; name the folder of one dataset.")
        here = Path(folder)
        saved = _saved_files(here) if "state.json" in files else None
        for name in sorted(files) if saved is None else saved:
            yield here / name


def _saved_files(folder: Path) -> list[str] | None:
    """The data files that a dataset saved to disk names, in its order; caches may lie beside them."""
    state = _json(folder / "state.json")
    entries = state.get("_data_files") if isinstance(state, dict) else None
    if not isinstance(entries, list):
        return None
    names = [entry.get("filename") for entry in entries if isinstance(entry, dict)]
    return [name for name in names if isinstance(name, str) and Path(name).name == name]


def _snapshot(path: Path) -> Path:
    """Of a dataset's folder in the cache of the hub, the files of the last revision."""
    snapshots = path / "snapshots"
    if not (path / "blobs").is_dir() or not snapshots.is_dir():
        return path
    try:
        main = snapshots / (path / "refs" / "main").read_text().strip()
    except (OSError, UnicodeDecodeError):
        main = snapshots
    if main != snapshots and main.is_dir():
        return main
    revisions = sorted(
        (each for each in snapshots.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime
    )
    return revisions[-1] if revisions else path


def _no_data(file: Path) -> str:
    """Why a file holds no rows, told from its name; "" when it may hold some."""
    name = file.name.lower()
    if name.startswith((".", "_")):
        return _HIDDEN
    if name.startswith(_DOCUMENTS):
        return _DOCUMENT
    if name in _METADATA:
        return _DESCRIPTION
    if _OTHER.search(name):
        return _FOREIGN
    return ""


def _identified(file: Path) -> DataFile | None:
    try:
        return DataFile(file, identify(file))
    except UserError as error:
        # What is called a data file and cannot be read is a row with an error: nothing is lost silently.
        empty = file.is_file() and os.access(file, os.R_OK) and file.stat().st_size == 0
        return DataFile(file, None, str(error)) if _DATA.search(file.name) and not empty else None


def _choose_split(found: Folder, root: Path) -> None:
    splits = [_split(entry.path.relative_to(root)) for entry in found.files]
    if "train" not in splits or set(splits) == {"train"}:
        return
    # Where most names tell nothing, one file that happens to be called train is not the whole of the dataset;
    # what is called a test must stay apart from it all the same.
    found.split = "train" if all(splits) else ""
    pairs = list(zip(found.files, splits, strict=True))
    found.skipped += [
        (entry.path, f"split {split}; name it to read it")
        for entry, split in pairs
        if split not in ("", "train")
    ]
    found.files = [entry for entry, split in pairs if split in ("", "train")]


def _split(path: Path) -> str:
    """The split that a path names: by a folder, else by a word of the file's name; "" when it names none."""
    name = re.sub(r"h(e|o)ld[-_]out", r"h\1ldout", path.name.lower())
    for part in (*path.parts[:-1], *reversed(re.split(r"[-_.]", name))):
        if split := _SPLITS.get(part.lower()):
            return split
    return ""


def _choose_family(found: Folder, root: Path) -> None:
    """Keep the files of one sort: a table or a text among JSON files goes with them, and is not of them."""
    families = [_FAMILIES.get(entry.kind.container, "json") if entry.kind else "" for entry in found.files]
    counts = Counter(family for family in families if family)
    if len(counts) < 2:
        return
    # Prose comes last: a list of requirements, a licence.
    train = {
        family
        for entry, family in zip(found.files, families, strict=True)
        if _split(entry.path.relative_to(root)) == "train"
    }
    chosen = max(counts, key=lambda family: (family != "text", family in train, counts[family]))
    kept = []
    for entry, family in zip(found.files, families, strict=True):
        if family in ("", chosen):
            kept.append(entry)
        else:
            found.skipped.append((entry.path, "another sort of file than most here"))
    found.files = kept


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
