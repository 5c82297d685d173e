"""The estimate against what was measured, and its honest gaps."""

import json
from pathlib import Path
from typing import Any

import pytest

from tuner_tui.errors import UserError
from tuner_tui.runs import files, layout
from tuner_tui.runs.store import create_run
from tuner_tui.training import memory
from tuner_tui.training.cards import Card
from tuner_tui.training.config import TrainConfig, to_yaml
from tuner_tui.training.estimate import estimate
from tuner_tui.training.shapes import Shape, model_shape

LLAMA: dict[str, Any] = {
    "model": {"name": "meta-llama/Llama-3.1-8B-Instruct"},
    "data": {"train": ["x.jsonl"], "max_length": 4096, "packing": True},
    "optimization": {"micro_batch": 1, "effective_batch": 4, "gradient_checkpointing": True},
}


H200 = Card("NVIDIA H200", 143_771 * 2**20, 989e12)

# Peaks of PyTorch's allocator (max_memory_allocated) on an H200, by benchmarks/memory.py and train.py:
# bits, rank, targets, tokens of a row, rows at once, checkpointing, packed, method, kernels, GB.
ATTENTION = "q_proj,k_proj,v_proj,o_proj"
MEASURED = [
    (4, 16, "all-linear", 4096, 1, "full", True, "sft", "off", 8.382),
    (4, 64, "all-linear", 16384, 1, "full", True, "sft", "off", 16.220),
    (4, 16, "all-linear", 2048, 1, "full", False, "dpo", "off", 8.381),
    (4, 16, "all-linear", 4096, 1, "none", True, "sft", "off", 30.972),
    (4, 16, ATTENTION, 2048, 4, "none", False, "sft", "off", 45.361),
    (4, 16, ATTENTION, 2048, 4, "none", False, "sft", "auto", 31.42),
    (4, 16, ATTENTION, 2048, 4, "selective", False, "sft", "auto", 20.58),
    (4, 16, ATTENTION, 2048, 4, "full", False, "sft", "auto", 9.35),
    (4, 16, ATTENTION, 32768, 1, "full", True, "sft", "auto", 18.65),
    (None, 16, "all-linear", 4096, 1, "none", True, "sft", "off", 48.6),
]


@pytest.mark.parametrize("case", MEASURED, ids=lambda case: "-".join(map(str, case[:6])))
def test_an_8b_model_takes_what_an_h200_measured(case: tuple[Any, ...]) -> None:
    bits, rank, targets, length, rows, checkpointing, packing, method, kernels, measured = case
    config = TrainConfig.model_validate(
        {
            "method": method,
            "model": {"name": "meta-llama/Llama-3.1-8B-Instruct", "kernels": kernels},
            "quantization": {"bits": bits},
            "lora": {"r": rank, "targets": targets},
            "data": {"train": ["x.jsonl"], "max_length": length, "packing": packing},
            "optimization": {
                "micro_batch": rows,
                "effective_batch": 4,
                "gradient_checkpointing": checkpointing,
            },
        }
    )
    found = estimate(config, H200)
    assert sum(found.parts.values()) == found.total
    assert found.reserved == found.total - found.parts["context"]
    allocated = found.reserved - found.parts["fragmentation"]
    assert allocated == pytest.approx(measured * 1e9, rel=0.06)
    assert any("bfloat16" in note for note in found.notes)


# Peaks that the allocator reserved (max_memory_reserved), of benchmarks/memory.md.
RESERVED = [
    ("meta-llama/Llama-3.1-8B-Instruct", 4, 64, "all-linear", 16384, 1, "full", True, "sft", 15.67),
    ("meta-llama/Llama-3.1-8B-Instruct", None, 8, "all-linear", 8192, 1, "full", False, "sft", 20.56),
    ("meta-llama/Llama-3.1-8B-Instruct", 4, 16, "all-linear", 2048, 1, "full", False, "dpo", 8.68),
    ("Qwen/Qwen3-0.6B", 4, 16, "all-linear", 16384, 1, "full", True, "sft", 2.68),
    ("Qwen/Qwen3-0.6B", None, 32, "all-linear", 8192, 1, "none", True, "sft", 10.33),
    ("Qwen/Qwen3-4B", 4, 16, "all-linear", 1024, 4, "none", False, "dpo", 28.16),
    ("Qwen/Qwen3-8B", 4, 16, "all-linear", 4096, 1, "none", False, "sft", 21.91),
    ("Qwen/Qwen3-8B", 4, 16, "all-linear", 16384, 1, "full", False, "sft", 14.16),
]


@pytest.mark.parametrize("case", RESERVED, ids=lambda case: "-".join(map(str, case[:7])))
def test_what_is_reserved_is_within_a_tenth_of_the_estimate(case: tuple[Any, ...]) -> None:
    model, bits, rank, targets, length, rows, checkpointing, packing, method, measured = case
    config = TrainConfig.model_validate(
        {
            "method": method,
            "model": {"name": model},
            "quantization": {"bits": bits},
            "lora": {"r": rank, "targets": targets},
            "data": {"train": ["x.jsonl"], "max_length": length, "packing": packing},
            "optimization": {
                "micro_batch": rows,
                "effective_batch": rows,
                "gradient_checkpointing": checkpointing,
            },
        }
    )
    assert estimate(config, H200).reserved == pytest.approx(measured * 1e9, rel=0.1)


def test_the_parts_of_qlora_are_what_the_formulas_say() -> None:
    found = estimate(TrainConfig.model_validate(LLAMA), H200).parts
    linear = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    adapter = 41_943_040
    assert found["weights"] == linear // 2 + (2 * 128_256 * 4096 + 65 * 4096) * 2
    assert found["quantisation constants"] == round(linear * (8 / 64 + 32 / (64 * 256)) / 8)
    assert found["gradients"] == 4 * adapter
    assert found["optimizer"] == 8 * adapter
    assert found["activations"] == 4096 * 32 * 2 * 4096  # the input of each layer

    config = TrainConfig.model_validate(LLAMA)
    config.quantization.bits = None
    config.lora.enabled = False
    every = estimate(config, H200).parts
    assert every["weights"] == every["gradients"] == 4 * model_shape(config.model.name).weights
    assert every["optimizer"] == 2 * every["weights"]
    assert every["adapter"] == every["quantisation constants"] == 0


def test_what_autograd_saves_is_what_the_formula_counts() -> None:
    """A layer of transformers, in float32 without an adapter on gate and up, counted by its saved tensors."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4, "num_key_value_heads": 2}
    tokens = 96

    def saved(layers: int) -> int:
        model = LlamaForCausalLM(LlamaConfig(**sizes, num_hidden_layers=layers, vocab_size=128))
        targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
        model = get_peft_model(model, LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM"))
        weights = {parameter.data_ptr() for parameter in model.parameters()}
        kept: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            model.model.model(input_ids=torch.arange(tokens)[None])
        return sum(kept.values())

    measured = (saved(3) - saved(1)) / 2 / tokens
    shape = Shape(64, 160, 1, 64, 32, 128, False, False, head=16)
    config = TrainConfig.model_validate(
        {"data": {"train": ["x"]}, "lora": {"r": 4}, "quantization": {"bits": None}}
    )
    work = memory.work_of(shape, config, half=False, on_gpu=False)
    assert memory.layer_bytes(shape, work) == pytest.approx(measured, rel=0.15)


def test_more_of_everything_takes_more(config: TrainConfig) -> None:
    base = estimate(config).total
    for section, name, value in [
        ("lora", "r", 64),
        ("lora", "dropout", 0.1),
        ("lora", "dora", True),
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
    pairs = TrainConfig.model_validate({**config.model_dump(), "method": "dpo"})
    assert estimate(pairs).parts["activations"] == 2 * estimate(config).parts["activations"]


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
    config.lora.targets = ATTENTION  # of a mixture, the experts are not adapted
    dense = estimate(config)
    config.lora.targets = "all-linear"
    mixture = {"num_local_experts": 8, "num_experts_per_tok": 1, "moe_intermediate_size": 128}
    (folder / "config.json").write_text(json.dumps(shape | mixture))
    found = estimate(config)
    assert found.parts["weights"] > dense.parts["weights"]
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


def test_time_comes_from_earlier_runs_first(config: TrainConfig) -> None:
    config.data.train[0].write_text('{"messages": "x"}\n' * 1000)
    computed = estimate(config)
    assert computed.seconds is not None  # on a CPU, from the operations that a token costs
    assert any("a second on this CPU" in note for note in computed.notes)
    config.optimization.max_steps = 100
    earlier = create_run("earlier", to_yaml(config), {})
    for step in range(1, 21):
        files.append_line(earlier / layout.METRICS, {"step": step, "time": 2.0 * step, "loss": 1.0})
    found = estimate(config)
    assert found.seconds == (200.0, 200.0)
    assert "time: from the speed of earlier runs of this model" in found.notes


def test_nothing_is_said_of_the_time_where_nothing_is_known(config: TrainConfig) -> None:
    unknown = estimate(TrainConfig.model_validate(LLAMA), Card("some card", 10**11, None))
    assert unknown.seconds is None
    assert any("--probe measures it" in note for note in unknown.notes)


def test_time_is_in_proportion_to_the_work(config: TrainConfig) -> None:
    settings = TrainConfig.model_validate({**LLAMA, "data": {**LLAMA["data"], "train": config.data.train}})
    settings.optimization.max_steps = 100
    config.data.train[0].write_text('{"messages": "x"}\n' * 1000)

    def middle() -> float:
        low, high = estimate(settings, H200).seconds or (0.0, 0.0)
        return (low * high) ** 0.5

    hundred = middle()
    # 8.03 G weights less the input embedding, three passes of two operations, half of 989 TFLOP/s.
    per_token = 3 * 2 * (8.03e9 - 128_256 * 4096)
    assert hundred == pytest.approx(100 * 4 * 4096 * per_token / (0.5 * 989e12), rel=0.25)
    settings.optimization.max_steps = 200
    assert middle() == pytest.approx(2 * hundred)
    settings.optimization.gradient_checkpointing = "none"
    assert middle() == pytest.approx(2 * hundred * 2 / 3)


FOUR = {"num_attention_heads": 4, "head_dim": 32}


@pytest.mark.parametrize(
    ("family", "sizes"),
    [
        ("gemma2", {**FOUR, "num_key_value_heads": 2}),
        ("gemma3_text", {**FOUR, "num_key_value_heads": 1}),
        ("gemma4_text", {"hidden_size_per_layer_input": 16, "vocab_size_per_layer_input": 512}),
        ("qwen2_moe", {"num_attention_heads": 4, "num_key_value_heads": 4, "num_experts": 6}),
        ("mixtral", {"num_attention_heads": 4, "num_key_value_heads": 2}),
    ],
)
def test_the_weights_are_those_that_transformers_makes(
    family: str, sizes: dict[str, Any], tmp_path: Path
) -> None:
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    common = {"hidden_size": 96, "intermediate_size": 160, "num_hidden_layers": 6, "vocab_size": 512}
    made = CONFIG_MAPPING[family](**{**common, **sizes})
    made.save_pretrained(tmp_path)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(made)
    shape = model_shape(str(tmp_path))
    assert shape.weights == pytest.approx(sum(p.numel() for p in model.parameters()), rel=0.02)
    # Of a mixture, bitsandbytes quantises the attention and the expert that all share, no more.
    linear = [m for name, m in model.named_modules() if isinstance(m, torch.nn.Linear) and name != "lm_head"]
    assert shape.quantised_weights == pytest.approx(sum(m.weight.numel() for m in linear), rel=0.05)


def test_making_answers_needs_their_keys_and_values() -> None:
    config = TrainConfig.model_validate(
        {
            **LLAMA,
            "method": "grpo",
            "data": {"train": ["x.jsonl"], "max_length": 2048},
            "optimization": {"micro_batch": 1, "effective_batch": 8, "gradient_checkpointing": "none"},
        }
    )
    assert "cache of answers" not in estimate(config, H200).parts  # learning takes more
    config.optimization.effective_batch = 256
    # 8 key and value heads of 128, in 32 layers, 16 bits each: 128 KiB a token.
    assert estimate(config, H200).parts["cache of answers"] == 256 * 2048 * 131_072
