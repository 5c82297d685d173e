"""A tiny model of random weights with the shipped tokenizer, and a small dataset: a run takes seconds."""

import json
from pathlib import Path

import pytest
from tiny_runs import example

from tuner_tui import paths
from tuner_tui.training.config import TrainConfig


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty TUNER_HOME, and one thread: the tests share their cores."""
    monkeypatch.setenv("TUNER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of width 64."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = AutoTokenizer.from_pretrained(paths.embedded_model())
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(shape).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """24 calls, and one row that calls a tool which nobody declared."""
    path = tmp_path / "train.jsonl"
    rows = [example(f"city{number}", number) for number in range(24)]
    rows.append(example("x", 1, called="undeclared"))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def config(tiny_model: Path, dataset: Path) -> TrainConfig:
    """QLoRA, twelve steps, a checkpoint every third."""
    return TrainConfig.model_validate(
        {
            "name": "tiny",
            "model": {"name": str(tiny_model)},
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
