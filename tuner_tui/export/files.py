"""Copy what a run made to where it is wanted, with its card."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tuner_tui.errors import UserError
from tuner_tui.report.build import build_report, result_folder
from tuner_tui.report.card import model_card
from tuner_tui.runs import files, layout
from tuner_tui.training.bases import adapter_folder
from tuner_tui.training.config import load_config

CARD = "README.md"


def write_card(run_dir: Path) -> Path:
    """Write the model card beside the adapter of a run (or the model, when every weight was trained).

    Raises:
        UserError: the run has neither yet, or the card cannot be written.
    """
    folder = result_folder(run_dir)
    if folder is None:
        raise UserError(f"run {run_dir.name} has no adapter yet; wait until it has finished.")
    try:
        files.write_atomic(folder / CARD, model_card(build_report(run_dir)).encode())
    except OSError as error:
        raise UserError(f"{folder / CARD} cannot be written: {error.strerror}.") from error
    return folder / CARD


def export_adapter(run_dir: Path, out: Path) -> Path:
    """Copy the adapter to `out`, a folder that is not there yet or empty, with its card.

    Raises:
        UserError: there is no adapter, or `out` cannot be written or holds something.
    """
    folder = adapter_folder(str(run_dir), "--adapter")
    return _publish(folder, out, model_card(build_report(run_dir)))


def export_merged(run_dir: Path, out: Path) -> Path:
    """Write the base model with the adapter merged into it to `out`, with its card. Merging runs in a process
    of its own, for it loads the model.

    Raises:
        UserError: there is no adapter, it cannot be merged, or `out` cannot be written or holds something.
    """
    _check_empty(out)
    if (run_dir / layout.MODEL).is_dir():  # every weight was trained: there is nothing to merge
        return _publish(run_dir / layout.MODEL, out, model_card(build_report(run_dir), merged=True))
    adapter = adapter_folder(str(run_dir), "--merged")
    load_config(run_dir / layout.CONFIG)
    done = subprocess.run(
        [sys.executable, "-m", "tuner_tui.recipes.merge_run", str(run_dir), str(adapter)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        said = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        said = {"error": (done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}")}
    if "folder" not in said:
        raise UserError(f"the adapter cannot be merged: {said['error']}")
    return _publish(Path(said["folder"]), out, model_card(build_report(run_dir), merged=True))


def _check_empty(out: Path) -> None:
    try:
        taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise UserError(f"{out} cannot be read: {error.strerror}.") from error
    if taken:
        raise UserError(f"{out} is there already; name a folder that is not, so that nothing is overwritten.")


def _publish(source: Path, out: Path, card: str) -> Path:
    """Complete or absent: copied beside, then renamed."""
    _check_empty(out)
    staging = out.absolute().with_name(f".{out.absolute().name}.partial")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, staging)
        (staging / CARD).write_text(card, "utf-8")
        if out.exists():
            out.rmdir()
        staging.rename(out.absolute())
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise UserError(f"{out} cannot be written: {error.strerror or error}.") from error
    return out
