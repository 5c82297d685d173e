"""The files that a verb writes: what may be written is told before the work begins, and they appear whole."""

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from tuner_tui.errors import UserError

_OTHER_FILES = (".gz", ".zst", ".csv", ".tsv", ".parquet", ".arrow", ".feather")


def check_targets(*paths: Path) -> None:
    """Refuse, before anything is read or written, what cannot become a file of JSON Lines.

    Raises:
        UserError: one of them is a folder or a device, has no folder to lie in or one that may not be written
            into, promises another kind of file by its name, or two of them are one file.
    """
    for path in paths:
        if path.suffix.lower() in _OTHER_FILES:
            raise UserError(f"{path}: what is written is JSON Lines; name a file that ends in .jsonl.")
        _place(path)
    if len({_place(path) for path in paths}) < len(paths):
        raise UserError(f"{paths[0]}: is named twice; what is written must be different files.")


def check_sources(sources: Iterable[Path], *targets: Path) -> None:
    """Refuse to write over what is read.

    Raises:
        UserError: a target is one of the sources.
    """
    read = {path.resolve() for path in sources}
    for target in targets:
        if target.resolve() in read:
            raise UserError(
                f"{target}: is read as well; what is read and what is written must be different files."
            )


@contextmanager
def replacing(*paths: Path, optional: Path | None = None) -> Iterator[list[BinaryIO]]:
    """Files beside `paths` (and `optional`), which take their places together when all went well.

    A link is followed: what it leads to is replaced. An empty file takes the place of `optional` only if
    there is an older one to replace.

    Raises:
        UserError: something other than a file stands in the place of one, or the disk refuses it.
    """
    wanted = [*paths, *([optional] if optional is not None else [])]
    places = [_place(path) for path in wanted]
    temporary = [place.with_name(f".{place.name}.{os.getpid()}.tmp") for place in places]
    path = paths[0]
    try:
        with ExitStack() as stack:
            files: list[BinaryIO] = [stack.enter_context(beside.open("xb")) for beside in temporary]
            yield files
            sizes = [file.tell() for file in files]
        # Only now, when every one of them is closed and whole.
        for path, place, beside, size in zip(wanted, places, temporary, sizes, strict=True):
            if size or path != optional or place.exists():
                beside.replace(place)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}).") from None
    finally:
        for beside in temporary:
            beside.unlink(missing_ok=True)


@contextmanager
def spool(beside: Path) -> Iterator[BinaryIO]:
    """A file without a name on the disk of `beside`, for converted rows that wait to be written.

    Raises:
        UserError: the disk refuses it.
    """
    try:
        with tempfile.TemporaryFile(dir=_place(beside).parent) as file:
            yield file
    except OSError as error:
        raise UserError(f"{beside}: cannot be written ({error.strerror}).") from None


def _place(path: Path) -> Path:
    """Where a file of this name really lies, or will lie; links are followed."""
    try:
        # Before the path is resolved: what /dev/stdout leads to may have no name of its own.
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}).") from None
    if stat.S_ISDIR(mode):
        raise UserError(f"{path}: is a folder; name a file to write.")
    if not stat.S_ISREG(mode):
        raise UserError(f"{path}: is a device or a pipe, and no file; name a file to write.")
    place = path.resolve()
    if not place.parent.is_dir():
        raise UserError(f"{path}: cannot be written, for there is no folder {place.parent}; make it first.")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise UserError(f"{path}: its folder {place.parent} may not be written into; name another.")
    return place
