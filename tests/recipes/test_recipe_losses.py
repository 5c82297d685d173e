"""The recipe's fast path on packed rows learns what TRL's plain trainer learns from the same batches."""

from pathlib import Path

import pytest

from benchmarks.training import losses, workload


def test_each_step_has_the_loss_that_trl_has(tmp_path: Path, interpreter: None) -> None:
    workload.make_model(tmp_path / "model", workload.SMALL)  # in NF4
    workload.make_rows(tmp_path, 80, 256, 90.0)
    found = losses.compare(
        tmp_path,
        model=tmp_path / "model",
        rows=tmp_path / "rows.jsonl",
        steps=6,
        batch=2,
        max_length=256,
    )
    assert found["same_batches"]
    assert found["same_adapter"]
    plain, ours = (values for _, values in sorted(found["losses"].items()))
    assert len(plain) == 6
    assert plain[-1] < plain[0] - 0.05
    assert ours == pytest.approx(plain, abs=1e-4)
