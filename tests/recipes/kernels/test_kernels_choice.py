"""Which stage of the fast path is chosen, and the reason when it is not the best."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Gemma2Config, LlamaConfig, Qwen2Config

from tuner_tui.recipes.kernels import fast_path

SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 97,
    "use_cache": False,
}


def model(config: Any = LlamaConfig, lora: dict[str, Any] | None = None, **shape: Any) -> Any:
    """A tiny model with an adapter, or without one if `lora` is empty."""
    torch.manual_seed(0)
    made = AutoModelForCausalLM.from_config(config(**{**SHAPE, **shape}), dtype=torch.float32)
    if lora == {}:
        return made
    options = {"task_type": "CAUSAL_LM", "r": 4, "target_modules": "all-linear", **(lora or {})}
    return get_peft_model(made, LoraConfig(**options))


def layers(made: Any) -> Any:
    """The decoder layers."""
    return (made.get_base_model() if hasattr(made, "get_base_model") else made).model.layers


def test_lora_on_a_llama_takes_the_fast_layers() -> None:
    made = model()
    chosen = fast_path(made)
    assert (chosen.layers, chosen.attention, chosen.checkpointing) == ("fast", "varlen", "none")
    assert chosen.sentence.startswith("fast layers")
    assert all("forward" in layer.__dict__ for layer in layers(made))
    chosen.remove()
    assert not any("forward" in layer.__dict__ for layer in layers(made))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: model(lora={"lora_dropout": 0.1}), "the adapter has dropout"),
        (lambda: model(lora={"use_dora": True}), "no plain LoRA"),
        (lambda: model(lora={}), "weights of the base are trained"),
        (lambda: model(hidden_act="gelu"), "the activation is gelu"),
        (lambda: model(head_dim=24), "heads of 24"),
        (lambda: model(attention_dropout=0.1), "drops attention"),
        (lambda: model(Gemma2Config), "there are none for Gemma2Model"),
        (
            lambda: model(Qwen2Config, lora={"target_modules": ["q_proj"], "bias": "all"}),
            "weights of the base are trained",
        ),
    ],
)
def test_what_the_fast_layers_cannot_do_is_said(made: Any, reason: str) -> None:
    chosen = fast_path(made())
    assert chosen.layers == "plain"
    assert reason in chosen.sentence


def test_off_and_another_attention_leave_the_model_alone() -> None:
    for options, reason in (({"kernels": "off"}, "kernels is off"), ({"attention": "eager"}, "is eager")):
        made = model()
        chosen = fast_path(made, **options)
        assert chosen.layers == "plain"
        assert reason in chosen.sentence
        assert not any("forward" in layer.__dict__ for layer in layers(made))


def test_weights_on_several_cards_are_left_alone() -> None:
    assert "several cards" in fast_path(model(), sharded=True).sentence


def test_a_layer_that_computes_something_else_is_found_out() -> None:
    made = model()
    mlp = layers(made)[0].mlp
    plain = mlp.forward
    mlp.forward = lambda x: 1.5 * plain(x)
    chosen = fast_path(made)
    assert chosen.layers == "plain"
    assert "away from the plain one" in chosen.sentence
    assert not any("forward" in layer.__dict__ for layer in layers(made))


@pytest.mark.parametrize("lora", [{}, {"lora_dropout": 0.1}])
@pytest.mark.parametrize(
    ("wanted", "checkpointed"),
    [("none", [False] * 4), ("selective", [False, True, False, True]), ("full", [True] * 4)],
)
def test_checkpoints_of_plain_layers(lora: dict[str, Any], wanted: str, checkpointed: list[bool]) -> None:
    made = model(lora=lora)
    chosen = fast_path(made, checkpointing=wanted)
    assert (chosen.layers, chosen.checkpointing) == ("plain", wanted)
    assert [layer.gradient_checkpointing for layer in layers(made)] == checkpointed
    made.train()
    ids = torch.randint(0, 97, (2, 9))
    made(input_ids=ids, labels=ids).loss.backward()
    assert any(parameter.grad is not None for parameter in made.parameters())


def test_checkpoints_of_fast_layers_change_no_gradient() -> None:
    gradients = {}
    for wanted in ("none", "selective", "full"):
        made = model()
        chosen = fast_path(made, checkpointing=wanted)
        assert (chosen.layers, chosen.checkpointing) == ("fast", wanted)
        made.train()
        ids = torch.arange(18).view(2, 9)
        made(input_ids=ids, labels=ids).loss.backward()
        gradients[wanted] = torch.cat([p.grad.flatten() for p in made.parameters() if p.grad is not None])
    torch.testing.assert_close(gradients["selective"], gradients["none"])
    torch.testing.assert_close(gradients["full"], gradients["none"])
