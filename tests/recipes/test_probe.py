"""A few real steps before the run: what is measured, on which rows, and that nothing stays behind."""

import json
from pathlib import Path

import pytest
from tiny_runs import example

from tuner_tui.cli import main
from tuner_tui.errors import UserError
from tuner_tui.runs.layout import Status
from tuner_tui.runs.store import list_runs
from tuner_tui.training.config import TrainConfig, to_yaml
from tuner_tui.training.probe import probe


def test_real_steps_on_the_longest_rows_are_measured(
    config: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # One row is far longer than the others: the peak of a run is its peak.
    rows = config.data.train[0].read_text().splitlines()
    rows.append(json.dumps(example("very " * 300 + "far", 3)))
    config.data.train[0].write_text("\n".join(rows) + "\n")
    config.data.max_length = 512
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(config))
    before = path.read_text()
    assert main(["estimate", str(path), "--probe", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    found = value["probe"]
    assert found["steps"] == 4
    assert found["estimated"] == value["reserved_bytes" if found["reserved"] else "total_bytes"]
    assert found["peak"] == (found["reserved"] or found["allocated"]) > 100_000_000
    assert found["seconds_per_step"] > 0
    assert found["startup"] > 0
    assert found["tokens_per_second"] > 0
    assert found["device"]
    assert list_runs() == []
    assert path.read_text() == before


def test_a_probe_that_fails_or_is_cancelled_says_so(config: TrainConfig) -> None:
    config.data.max_length = 16  # nothing to learn is left of any row
    with pytest.raises(UserError, match=r"the probe of this configuration failed: .*data\.max_length"):
        probe(config)
    config.data.max_length = 256
    seen: list[Status] = []
    with pytest.raises(UserError, match="the probe was cancelled"):
        probe(config, steps=50, watch=seen.append, cancelled=lambda: any(s.step for s in seen))
    assert list_runs() == []
