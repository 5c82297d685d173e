"""The verbs of training, as a script calls them."""

import json
from pathlib import Path

import pytest

from tuner_tui.cli import main
from tuner_tui.training.config import TrainConfig, parse_config, to_yaml
from tuner_tui.training.presets import load_preset


def test_init_prints_a_configuration_that_can_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "demo"]) == 0
    assert parse_config(capsys.readouterr().out, "stdout") == load_preset("demo")
    assert main(["init"]) == 0
    assert "gpu-24gb-qlora" in capsys.readouterr().out
    assert main(["init", "demo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "demo"
    assert main(["init", "nothing"]) == 2


def test_estimate_counts_bytes(
    config: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(config))
    assert main(["estimate", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total_bytes"] == sum(found["bytes"].values())
    assert found["reserved_bytes"] == found["total_bytes"] - found["bytes"]["context"]
    low, high = found["seconds"]
    assert 0 < low < high
    assert main(["estimate", str(path), "--set", "lora.r=64"]) == 0
    assert "total" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train", "demo"], "`tuner init demo > demo.yaml` writes that preset"),
        (["train", "none.yaml"], "cannot read the configuration"),
        (["resume", "last"], "there are no runs yet"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_train_refuses_what_is_missing_before_it_creates_a_run(
    config: TrainConfig, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(config))
    assert main(["train", str(path), "--set", f"data.train=[{tmp_path}/none.jsonl]"]) == 2
    assert "data.train: there is no file" in capsys.readouterr().err
    assert not (home / "runs").exists()
