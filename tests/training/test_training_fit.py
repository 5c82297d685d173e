"""What is chosen for a card, why, and what is never touched."""

import json
from pathlib import Path

import pytest

from tuner_tui.cli import main
from tuner_tui.errors import UserError
from tuner_tui.training.cards import Card, speed_of
from tuner_tui.training.config import TrainConfig, to_yaml
from tuner_tui.training.fit import MARGIN, card_named, fit


@pytest.fixture
def large() -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "model": {"name": "Qwen/Qwen3-8B"},
            "data": {"train": ["x.jsonl"], "max_length": 4096, "packing": True},
            "optimization": {"micro_batch": 1, "effective_batch": 8, "learning_rate": 1e-4},
        }
    )


@pytest.mark.parametrize(
    ("memory", "bits", "checkpointing"),
    [(12, 4, "full"), (24, 4, "selective"), (40, None, "none"), (140, None, "none")],
)
def test_more_memory_is_used_for_speed(
    large: TrainConfig, memory: int, bits: int | None, checkpointing: str
) -> None:
    card = Card("H200", memory * 10**9, 989e12)
    found = fit(large, card)
    assert found.config.quantization.bits == bits
    assert found.config.optimization.gradient_checkpointing == checkpointing
    assert found.estimate.total <= card.memory * (1 - MARGIN)
    assert found.config.optimization.effective_batch == 8
    assert found.config.optimization.learning_rate == 1e-4
    assert found.config.data == large.data
    # What it says has changed is all that has changed, and turns the one into the other.
    changed = large.model_copy(deep=True)
    for name, value in found.changes.items():
        section, field = name.split(".")
        setattr(getattr(changed, section), field, value)
    assert changed == found.config
    assert any("effective batch stays 8" in reason for reason in found.reasons)


def test_a_larger_card_is_never_slower(large: TrainConfig) -> None:
    speeds = [fit(large, Card("H200", size * 10**9, 989e12)).speed for size in (12, 16, 24, 48, 80, 140)]
    assert speeds == sorted(speeds)


def test_what_does_not_fit_is_told_with_the_least_that_it_takes(large: TrainConfig) -> None:
    with pytest.raises(UserError, match=r"nothing fits into 4 GB: the least .* is \d+\.\d GB"):
        fit(large, Card("small", 4 * 10**9, None))


def test_cards_are_named() -> None:
    assert card_named("24") == Card("a GPU with 24 GB", 24 * 10**9, None)
    assert card_named("H100:80") == Card("H100", 80 * 10**9, 989e12)
    assert speed_of("NVIDIA A100-SXM4-80GB") == 312e12
    assert speed_of("NVIDIA A10G") == 70e12
    assert speed_of("abacus") is None
    for wrong in ("x", "0", "H100:", "nan"):
        with pytest.raises(UserError, match="--fit takes GB"):
            card_named(wrong)


def test_the_command_line_prints_what_to_set(
    large: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(large))
    assert main(["estimate", str(path), "--fit", "H100:80", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert "quantization.bits=null" in value["fit"]["set"]
    assert value["total_bytes"] == sum(value["bytes"].values())
