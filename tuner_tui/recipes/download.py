"""A dataset of the Hugging Face hub to a folder: `python -m tuner_tui.recipes.download OWNER/NAME OUT`.

`datasets` tells which files of the repository are its data, and to which split each belongs; they are fetched
as they are. To save them as Arrow would be simpler, and would fill every tool's arguments with the nulls of
all the others.
"""

import argparse
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import getproxies

from tuner_tui.errors import UserError

_REACH = 5.0  # seconds to wait for the hub's first answer: the library itself would try for minutes


def download(repository: str, out: Path, split: str = "") -> None:
    """Fetch the data files of a dataset to `out`, a folder for each split; all or nothing.

    `repository` may be a local folder as well, whose files are copied.

    Raises:
        UserError: the hub cannot be reached, there is no such dataset or split, or no room.
    """
    if not Path(repository).is_dir():
        _check_reachable(repository)
    files = _data_files(repository)
    if split and split not in files:
        raise UserError(f"{repository}: has no split {split!r}; its splits are {', '.join(files)}.")
    chosen = {split: files[split]} if split else files
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        for name, urls in chosen.items():
            _fetch(repository, urls, Path(folder) / "data" / name)
        (Path(folder) / "data").replace(out)


def _check_reachable(repository: str) -> None:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise UserError(
            f"{repository}: not a file here, and HF_HUB_OFFLINE forbids to fetch it from the hub."
        )
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    address = urlsplit(endpoint)
    if address.scheme in getproxies():
        return  # the way leads over the proxy, which the library knows
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        socket.create_connection((address.hostname or "", port), timeout=_REACH).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{repository}: there is no such file here, and the hub ({endpoint}) cannot be reached "
            f"({reason}); check the path, or the network."
        ) from None


def _data_files(repository: str) -> dict[str, list[str]]:
    """The addresses of the data files, by split."""
    from datasets import load_dataset_builder

    try:
        found: Mapping[str, Sequence[str]] | None = load_dataset_builder(repository).config.data_files
    except Exception as error:
        # Of many kinds; the library's first line says what is wrong, for people.
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"{repository}: cannot be fetched from the hub ({reason}).") from None
    if not found:
        raise UserError(f"{repository}: has no data files that can be read.")
    return {str(split): [str(url) for url in urls] for split, urls in found.items()}


def _fetch(repository: str, urls: Sequence[str], folder: Path) -> None:
    from datasets import DownloadConfig, DownloadManager

    folder.mkdir(parents=True)
    try:
        paths = DownloadManager(download_config=DownloadConfig(max_retries=2)).download(list(urls))
        for number, (url, path) in enumerate(zip(urls, paths, strict=True)):
            # Numbered: files of several folders may have one name, and their order is the split's.
            target = folder / f"{number:05d}-{PurePosixPath(url).name}"
            _place(Path(path).resolve(), target, own=Path(repository).is_dir())
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"{repository}: the download failed ({reason}).") from None


def _place(path: Path, target: Path, *, own: bool) -> None:
    """The file under another name: a file of the cache is linked where the disk is the same, for it may be
    large; a person's own file may change, and is copied."""
    try:
        if not own:
            os.link(path, target)
            return
    except OSError:  # another disk
        pass
    shutil.copyfile(path, target)


def main(arguments: Sequence[str] | None = None) -> int:
    """Download; 0, or 2 after a sentence on stderr."""
    parser = argparse.ArgumentParser(description="Fetch the data files of a dataset of the Hugging Face hub.")
    parser.add_argument("repository", help="OWNER/NAME")
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="")
    options = parser.parse_args(arguments)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        download(options.repository, options.out, options.split)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
