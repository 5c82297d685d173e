"""Before a run is created or resumed, everything it needs is there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tuner_tui.errors import UserError
from tuner_tui.runs.layout import RunState
from tuner_tui.runs.store import create_run, list_runs
from tuner_tui.runs.writer import RunWriter
from tuner_tui.training.config import TrainConfig, to_yaml
from tuner_tui.training.launchers import local


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda c, p: setattr(c.data, "train", [p / "none.jsonl"]), r"data\.train: there is no file"),
        (lambda c, p: setattr(c.data, "eval", p / "none.jsonl"), r"data\.eval: there is no file"),
        (lambda c, p: setattr(c.evaluation, "heldout", p), r"evaluation\.heldout: there is no file"),
        (lambda c, p: setattr(c.model, "name", str(p / "none")), r"model\.name: there is no model folder"),
        (lambda c, p: setattr(c.model, "name", str(p)), r"model\.name: .* holds no config\.json"),
    ],
)
def test_nothing_is_created_when_something_is_missing(
    config: TrainConfig, tmp_path: Path, spoil: Callable[[TrainConfig, Path], None], told: str
) -> None:
    spoil(config, tmp_path)
    with pytest.raises(UserError, match=told):
        local.launch(config)
    assert list_runs() == []


def test_paths_mean_the_same_in_any_folder(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config.data.train = [Path("train.jsonl")]
    config.model.name = "model"
    found = local.absolute(config)
    assert found.data.train == [tmp_path / "train.jsonl"]
    assert found.model.name == str(tmp_path / "model")
    assert config.data.train == [Path("train.jsonl")]
    config.model.name = "embedded"
    assert local.absolute(config).model.name == "embedded"


def test_a_live_run_is_not_resumed(config: TrainConfig) -> None:
    run_dir = create_run("trial", to_yaml(config), {})
    with RunWriter(run_dir) as writer:
        writer.update(state=RunState.RUNNING)
        with pytest.raises(UserError, match="running already"):
            local.resume(run_dir)
        writer.end(RunState.FINISHED)
    with pytest.raises(UserError, match="finished; there is nothing left"):
        local.resume(run_dir)


def test_a_run_does_not_go_on_with_other_data(config: TrainConfig) -> None:
    path = config.data.train[0]
    run_dir = create_run("trial", to_yaml(config), {"data": [{"path": str(path), "sha256": "0" * 64}]})
    with RunWriter(run_dir) as writer:
        writer.end(RunState.STOPPED)
    with pytest.raises(UserError, match="has changed since run"):
        local.resume(run_dir)
