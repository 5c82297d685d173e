"""SFT in its variants: every weight, DoRA with rank stabilisation, and on top of an earlier run's adapter."""

import json
from pathlib import Path

import pytest
import torch
from tiny_runs import ended, wait

from tuner_tui.errors import UserError
from tuner_tui.recipes.model import load_base, load_tokenizer
from tuner_tui.runs import layout
from tuner_tui.runs.layout import RunState
from tuner_tui.training.bases import base_model
from tuner_tui.training.config import TrainConfig, load_config, parse_config
from tuner_tui.training.launchers import local

BASE = "data: {train: [a.jsonl]}\n"


def finished(run_dir: Path) -> Path:
    status = wait(run_dir, ended)
    assert status.state is RunState.FINISHED, status.reason
    return run_dir


def logits(model: torch.nn.Module) -> torch.Tensor:
    ids = torch.arange(40).reshape(2, 20) + 300
    with torch.inference_mode():
        return model(input_ids=ids).logits  # type: ignore[no-any-return]


def test_every_weight_can_be_trained(config: TrainConfig, tiny_model: Path) -> None:
    config.quantization.bits = None
    config.lora.enabled = False
    config.optimization.max_steps = 3
    run_dir = finished(local.launch(config))
    assert not (run_dir / layout.ADAPTER).exists()
    before = load_base(str(tiny_model), torch.float32, bits=None, double=False)
    after = load_base(str(run_dir / layout.MODEL), torch.float32, bits=None, double=False)
    changed = [
        name
        for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True)
        if not torch.equal(old, new)
    ]
    assert len(changed) == len(list(before.parameters()))
    assert load_tokenizer(str(run_dir / layout.MODEL)).chat_template
    assert (run_dir / layout.CHECKPOINTS / "step-3" / "model.safetensors").is_file()


def test_a_run_goes_on_from_the_adapter_of_another(config: TrainConfig) -> None:
    from peft import PeftModel

    config.lora.dora = True
    config.lora.rslora = True
    config.optimization.max_steps = 3
    first = finished(local.launch(config))
    saved = json.loads((first / layout.ADAPTER / "adapter_config.json").read_text())
    assert saved["use_dora"] is True
    assert saved["use_rslora"] is True

    config.lora.dora = config.lora.rslora = False
    config.model.adapter = first.name  # a run's id, as a person gives it
    second = finished(local.launch(config))
    stored = load_config(second / layout.CONFIG)
    assert stored.model.adapter == str(first / layout.ADAPTER)

    # The base of the second run is what the first one trained, to the rounding of float32.
    base = load_base(config.model.name, torch.float32, bits=4, double=True)
    trained = PeftModel.from_pretrained(base, str(first / layout.ADAPTER)).eval()
    merged = load_base(base_model(stored), torch.float32, bits=None, double=False).eval()
    plain = load_base(config.model.name, torch.float32, bits=None, double=False).eval()
    expected = logits(trained)
    assert torch.allclose(logits(merged), expected, atol=1e-4)
    assert not torch.allclose(logits(plain), expected, atol=1e-2)


def test_an_adapter_that_is_not_there_is_told(config: TrainConfig, tmp_path: Path) -> None:
    config.model.adapter = "nobody"
    with pytest.raises(UserError, match=r'model\.adapter: there is no run and no folder "nobody"'):
        local.launch(config)
    config.model.adapter = str(tmp_path)
    with pytest.raises(UserError, match=r"model\.adapter: .* holds no adapter"):
        local.launch(config)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lora: {enabled: false}\n", r"quantization\.bits: 4-bit weights are frozen"),
        ("method: dpo\nlora: {enabled: false}\nquantization: {bits: null}\n", r"lora\.enabled: only sft"),
        ("method: ppo\n", r"ppo\.reward_model: missing"),
        ("method: ppo\nppo: {reward_model: x, rollouts: 24}\n", r"ppo\.rollouts must be a multiple"),
        ("method: grpo\noptimization: {effective_batch: 12}\n", r"must be a multiple of grpo\.generations"),
        ("launch: {nodes: 2}\n", r"more than one machine needs slurm"),
        ("method: telepathy\n", r"method: .*'rloo'"),
    ],
)
def test_what_does_not_go_together_is_told(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        parse_config(text + BASE, "x")
