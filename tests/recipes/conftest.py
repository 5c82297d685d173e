"""A tiny model of random weights with the shipped tokenizer, and a small dataset: a run takes seconds."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from quick_python import quick_python
from tiny_models import make_tiny
from tiny_runs import example

from tuner_tui.training.config import TrainConfig


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TUNER_HOME, and one thread: the tests share their cores."""
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def quick() -> Iterator[str]:
    """An interpreter in which a run starts quickly."""
    with quick_python() as path:
        yield path


@pytest.fixture
def interpreter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs start quickly, except in tests with the mark `fresh_interpreter`."""
    if request.node.get_closest_marker("fresh_interpreter") is None:
        monkeypatch.setattr(sys, "executable", request.getfixturevalue("quick"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of width 64."""
    return make_tiny(tmp_path_factory.mktemp("tiny"), window=2048, spread=0.02)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """24 calls, and one row that calls a tool which nobody declared."""
    path = tmp_path / "train.jsonl"
    rows = [example(f"city{number}", number) for number in range(24)]
    rows.append(example("x", 1, called="undeclared"))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def config(tiny_model: Path, dataset: Path, interpreter: None) -> TrainConfig:
    """QLoRA, twelve steps, a checkpoint every third."""
    return TrainConfig.model_validate(
        {
            "name": "tiny",
            # Also where the CPU has units for bfloat16: what is compared must not depend on the machine.
            "model": {"name": str(tiny_model), "dtype": "float32"},
            "lora": {"r": 4},
            "data": {"train": [dataset], "eval_fraction": 0.2, "max_length": 256},
            "optimization": {
                "learning_rate": 0.01,
                "micro_batch": 2,
                "effective_batch": 4,
                "max_steps": 12,
                "warmup_ratio": 0.0,
            },
            "logging": {"eval_every": 6, "save_every": 3},
        }
    )
