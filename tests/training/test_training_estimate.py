"""The estimate against what was measured, and its honest gaps."""

import json
from pathlib import Path

import pytest

from tuner_tui.errors import UserError
from tuner_tui.runs import files, layout
from tuner_tui.runs.store import create_run
from tuner_tui.training.config import TrainConfig, to_yaml
from tuner_tui.training.estimate import estimate
from tuner_tui.training.shapes import model_shape

LLAMA = {
    "model": {"name": "meta-llama/Llama-3.1-8B-Instruct"},
    "data": {"train": ["x.jsonl"], "max_length": 4096, "packing": True},
    "optimization": {"micro_batch": 1, "effective_batch": 4, "gradient_checkpointing": True},
}


def test_qlora_of_an_8b_model_is_what_an_h200_took() -> None:
    found = estimate(TrainConfig.model_validate(LLAMA))
    assert sum(found.parts.values()) == found.total
    without_overhead = found.total - found.parts["overhead"]
    assert without_overhead == pytest.approx(8.65e9, rel=0.1)  # peak of PyTorch's allocator
    assert any("bfloat16" in note for note in found.notes)


def test_lora_of_an_8b_model_without_checkpointing_is_what_an_h200_took() -> None:
    config = TrainConfig.model_validate(LLAMA)
    config.quantization.bits = None
    config.optimization.gradient_checkpointing = False
    found = estimate(config)
    assert found.total - found.parts["overhead"] == pytest.approx(48.6e9, rel=0.1)


def test_more_of_everything_takes_more(config: TrainConfig) -> None:
    base = estimate(config).total
    for section, name, value in [
        ("lora", "r", 64),
        ("data", "max_length", 4096),
        ("optimization", "micro_batch", 16),
        ("quantization", "bits", None),
        ("quantization", "double", False),
        ("model", "dtype", "float32"),
    ]:
        changed = config.model_copy(deep=True)
        setattr(getattr(changed, section), name, value)
        assert estimate(changed).total >= base, name
    checkpointed = config.model_copy(deep=True)
    checkpointed.optimization.gradient_checkpointing = True
    assert estimate(checkpointed).parts["activations"] < estimate(config).parts["activations"]


def test_shapes_count_the_weights_of_real_models() -> None:
    assert model_shape("meta-llama/Llama-3.1-8B-Instruct").weights == pytest.approx(8.03e9, rel=0.001)
    assert model_shape("Qwen/Qwen3-8B").weights == pytest.approx(8.19e9, rel=0.001)
    assert model_shape("Qwen/Qwen2.5-7B-Instruct").weights == pytest.approx(7.62e9, rel=0.001)
    assert model_shape("Qwen/Qwen3-0.6B").weights == pytest.approx(0.596e9, rel=0.001)
    llama = model_shape("meta-llama/Llama-3.1-8B-Instruct")
    assert llama.adapter_weights(16, "all-linear") == 41_943_040
    assert llama.adapter_weights(16, "q_proj, v_proj") == 32 * 16 * (4096 + 4096 + 4096 + 1024)


def test_a_mixture_keeps_all_experts_and_works_with_few(config: TrainConfig) -> None:
    folder = Path(config.model.name)
    shape = json.loads((folder / "config.json").read_text())
    dense = estimate(config)
    mixture = {"num_local_experts": 8, "num_experts_per_tok": 1, "moe_intermediate_size": 128}
    (folder / "config.json").write_text(json.dumps(shape | mixture))
    found = estimate(config)
    assert found.parts["base model"] > dense.parts["base model"]
    assert found.parts["activations"] == dense.parts["activations"]
    assert any("mixture" in note for note in found.notes)


def test_a_model_of_the_hubs_cache_is_found(config: TrainConfig, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "hub" / "models--some--model" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_bytes((Path(config.model.name) / "config.json").read_bytes())
    assert model_shape("some/model") == model_shape(config.model.name)


def test_an_unknown_model_is_told(config: TrainConfig) -> None:
    config.model.name = "nobody/nothing"
    with pytest.raises(UserError, match=r"hf download nobody/nothing config\.json"):
        estimate(config)


@pytest.mark.parametrize("text", ["{", "[]", '{"hidden_size": 3}'])
def test_a_strange_config_is_told(config: TrainConfig, text: str) -> None:
    (Path(config.model.name) / "config.json").write_text(text)
    with pytest.raises(UserError, match=r"config\.json does not describe"):
        estimate(config)


def test_time_comes_from_earlier_runs_or_not_at_all(config: TrainConfig) -> None:
    assert estimate(config).seconds is None
    config.optimization.max_steps = 100
    earlier = create_run("earlier", to_yaml(config), {})
    for step in range(1, 21):
        files.append_line(earlier / layout.METRICS, {"step": step, "time": 2.0 * step, "loss": 1.0})
    assert estimate(config).seconds == (200.0, 200.0)
    config.optimization.micro_batch = 2
    assert estimate(config).seconds is None
