"""Checkpoints: complete or absent."""

import errno
import stat
from pathlib import Path

import pytest

from tuner_tui.errors import UserError
from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.faults import TrainingAborted, explain

FILES = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "trainer_state.json")


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


def write(run_dir: Path, step: int) -> Path:
    target = run_dir / "checkpoints" / f"step-{step}"
    with checkpoints.published(target) as staging:
        for name in FILES:
            (staging / name).write_text("x")
    return target


def test_the_newest_complete_one_counts(run_dir: Path) -> None:
    assert checkpoints.newest(run_dir) is None
    write(run_dir, 9)
    write(run_dir, 10)
    assert checkpoints.newest(run_dir) == (run_dir / "checkpoints" / "step-10", 10)
    for name in FILES:
        path = run_dir / "checkpoints" / "step-10" / name
        path.write_text("")
        assert checkpoints.newest(run_dir) == (run_dir / "checkpoints" / "step-9", 9)
        path.unlink()
        assert checkpoints.newest(run_dir) == (run_dir / "checkpoints" / "step-9", 9)
        path.write_text("x")


def test_a_failure_in_the_middle_leaves_what_was_there(run_dir: Path) -> None:
    target = write(run_dir, 3)
    with pytest.raises(OSError, match="disk"), checkpoints.published(target) as staging:
        (staging / "adapter_model.safetensors").write_text("half")
        raise OSError(errno.ENOSPC, "disk full")
    assert sorted(path.name for path in target.iterdir()) == sorted(FILES)
    assert [path.name for path in target.parent.iterdir()] == ["step-3"]


def test_what_a_killed_process_left_is_swept(run_dir: Path) -> None:
    write(run_dir, 3)
    (run_dir / "checkpoints" / ".new-step-6-abc").mkdir()
    (run_dir / ".old-adapter").mkdir()
    assert checkpoints.newest(run_dir) == (run_dir / "checkpoints" / "step-3", 3)
    checkpoints.sweep(run_dir)
    assert [path.name for path in (run_dir / "checkpoints").iterdir()] == ["step-3"]
    assert not (run_dir / ".old-adapter").exists()


def test_old_ones_are_deleted_and_all_are_private(run_dir: Path) -> None:
    for step in (2, 4, 10, 12):
        target = write(run_dir, step)
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in target.iterdir())
    checkpoints.prune(run_dir, 2)
    assert sorted(path.name for path in (run_dir / "checkpoints").iterdir()) == ["step-10", "step-12"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UserError("the row is bad."), "the row is bad."),
        (TrainingAborted("diverged."), "diverged."),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (RuntimeError("[enforce fail at inline_container.cc:603] . PytorchStreamWriter"), "the disk is full"),
        (MemoryError(), "the machine ran out of memory"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory."), "the GPU ran out of memory"),
        (KeyError("x"), "KeyError: 'x' (the whole of it is in train.log)"),
        (ValueError(), "ValueError: no message"),
    ],
)
def test_faults_are_told_in_a_sentence(error: Exception, told: str) -> None:
    assert explain(error).startswith(told)
    assert "\n" not in explain(error)
