"""Checkpoints that are complete or absent, never half: staged, synced, renamed."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner_tui.recipes import ranks
from tuner_tui.runs import layout
from tuner_tui.runs.files import sync_folder
from tuner_tui.runs.silent import SilentRun
from tuner_tui.runs.writer import RunWriter

_NEEDED = ("scheduler.pt", "trainer_state.json")
_OPTIMIZERS = ("optimizer.pt", "optimizer.bin", "latest")
"""Without the optimizer's or scheduler's file the Trainer would start them anew, without a word. FSDP gives
the optimizer's file another name; DeepSpeed writes a folder, and its name into `latest`."""

_WEIGHTS = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json")
"""One of them: of an adapter, or of a model whose every weight is trained."""


def newest(run_dir: Path) -> tuple[Path, int] | None:
    """The newest complete checkpoint and its step."""
    found = [(path, step) for path, step in _all(run_dir) if is_complete(path)]
    return found[-1] if found else None


def resume(run: RunWriter | SilentRun) -> str | None:
    """The checkpoint to go on from, if there is one, said in the run directory; call it as its one writer.

    What a killed process left unfinished is removed; what it had logged beyond the checkpoint is made anew.
    """
    if ranks.is_main():
        sweep(run.run_dir)
    found = newest(run.run_dir)
    reached = found[1] if found else 0
    run.resumed(reached)
    run.update(step=reached)
    if found is None:
        return None
    run.event("resumed", f"going on from the checkpoint of step {reached}.")
    return str(found[0])


def is_complete(path: Path) -> bool:
    """Whether all that a resume needs is there and not empty."""

    def there(name: str) -> bool:
        return (path / name).is_file() and (path / name).stat().st_size > 0

    return all(map(there, _NEEDED)) and any(map(there, _OPTIMIZERS)) and any(map(there, _WEIGHTS))


def prune(run_dir: Path, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints."""
    for path, _ in _all(run_dir)[:-keep]:
        # Out of sight first: a crash in mid-deletion must not leave half a checkpoint.
        doomed = path.with_name(f".old-{path.name}")
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `target` when the block ends well and vanishes when it does not.

    Everything in it is on disk (fsync) before the rename. An older `target` is replaced.
    """
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".new-{target.name}-"))
    try:
        yield staging
        for folder, _, names in os.walk(staging):
            for name in names:
                _sync_private(Path(folder, name))
            sync_folder(Path(folder))
        old = target.with_name(f".old-{target.name}")
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        staging.rename(target)
        sync_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def sweep(run_dir: Path) -> None:
    """Remove what a killed process left unfinished. Call it only as the run's one writer."""
    for folder in (run_dir, run_dir / layout.CHECKPOINTS):
        for pattern in (".new-*", ".old-*"):
            for path in folder.glob(pattern):
                shutil.rmtree(path, ignore_errors=True)


def _all(run_dir: Path) -> list[tuple[Path, int]]:
    """(folder, step) of the checkpoints, oldest first."""
    folders = (run_dir / layout.CHECKPOINTS).glob("step-*")
    found = [(path, re.fullmatch(r"step-(\d+)", path.name)) for path in folders]
    numbered = [(path, int(match[1])) for path, match in found if match]
    return sorted(numbered, key=lambda item: item[1])


def _sync_private(path: Path) -> None:
    path.chmod(0o600)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
