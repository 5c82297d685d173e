"""The fast layers compute what transformers and peft compute: losses, and the gradients of every adapter."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from tuner_tui.recipes.kernels.model import FastLayers

SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 97,
    "use_cache": False,
}
KINDS = {"llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config}


def batches() -> dict[str, dict[str, torch.Tensor]]:
    """Rows of one length, padded at either end, and packed one after another."""
    torch.manual_seed(1)
    ids = torch.randint(0, 97, (3, 20))
    mask = torch.ones_like(ids)
    mask[0, 15:] = 0
    mask[2, :7] = 0
    positions = torch.cat([torch.arange(n) for n in (11, 12, 7)])[None]
    return {
        "whole": {"input_ids": ids},
        "padded": {"input_ids": ids, "attention_mask": mask},
        "packed": {"input_ids": torch.randint(0, 97, (1, 30)), "position_ids": positions},
    }


def tiny(kind: str, targets: Any, **shape: Any) -> Any:
    """A model in float64 with an adapter that says something."""
    torch.manual_seed(0)
    config = KINDS[kind](**{**SHAPE, **shape})
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float64, attn_implementation="sdpa")
    for name, parameter in model.named_parameters():
        if "norm" in name or "bias" in name:
            torch.nn.init.normal_(parameter, 1, 0.2)
    adapted = get_peft_model(
        model, LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=12, target_modules=targets)
    )
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn_like(parameter.data, dtype=torch.float64) * 0.1
    return adapted


def loss_and_gradients(model: Any, batch: dict[str, torch.Tensor]) -> tuple[float, dict[str, torch.Tensor]]:
    """Of a weighted sum of the logits of what is no padding."""
    model.zero_grad()
    logits = model(**batch).logits
    weights = torch.linspace(0, 9, logits.numel(), dtype=logits.dtype).view(logits.shape).sin()
    if "attention_mask" in batch:
        weights = weights * batch["attention_mask"][..., None]
    loss = (logits * weights).sum()
    loss.backward()
    return loss.item(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def distance(ours: dict[str, torch.Tensor], plain: dict[str, torch.Tensor]) -> float:
    """The largest ‖ours - plain‖ / ‖plain‖ of any parameter."""
    return max(((ours[name] - plain[name]).norm() / plain[name].norm()).item() for name in plain)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"], ["down_proj", "o_proj", "up_proj"]])
def test_losses_and_gradients_are_those_of_the_plain_model(kind: str, targets: Any) -> None:
    model = tiny(kind, targets)
    plain = {name: loss_and_gradients(model, batch) for name, batch in batches().items()}
    fast = FastLayers(model.get_base_model().model, [None] * 3)
    for keeps in (True, False):
        for layer in fast.layers:
            layer.keeps = keeps
        for name, batch in batches().items():
            loss, gradients = loss_and_gradients(model, batch)
            # transformers' norms compute in float32, whatever the model's type
            assert loss == pytest.approx(plain[name][0], rel=1e-5, abs=1e-4)
            assert gradients.keys() == plain[name][1].keys()
            assert distance(gradients, plain[name][1]) < 1e-5


def test_what_is_made_again_is_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("qwen3", "all-linear")
    plain = {name: loss_and_gradients(model, batch) for name, batch in batches().items()}
    fast = FastLayers(model.get_base_model().model, [None] * 3)
    monkeypatch.setattr("tuner_tui.recipes.kernels.layer._AT_ONCE", 7)
    for layer in fast.layers:
        layer.keeps = False
    for name, batch in batches().items():
        _, gradients = loss_and_gradients(model, batch)
        assert distance(gradients, plain[name][1]) < 1e-5


def test_a_sliding_window_is_kept() -> None:
    model = tiny("mistral", "all-linear", sliding_window=6)
    plain = {name: loss_and_gradients(model, batch) for name, batch in batches().items()}
    FastLayers(model.get_base_model().model, [6] * 3)
    for name, batch in batches().items():
        loss, gradients = loss_and_gradients(model, batch)
        assert loss == pytest.approx(plain[name][0], rel=1e-5, abs=1e-4)
        assert distance(gradients, plain[name][1]) < 1e-5


def test_the_adapter_can_be_switched_off_and_the_optimizer_is_followed() -> None:
    model = tiny("llama", "all-linear")
    ids = batches()["whole"]
    with torch.no_grad():
        on = model(**ids).logits
        with model.disable_adapter():
            off = model(**ids).logits
    FastLayers(model.get_base_model().model, [None] * 3)
    with torch.no_grad():
        torch.testing.assert_close(model(**ids).logits, on, rtol=1e-5, atol=1e-5)
        with model.disable_adapter():
            torch.testing.assert_close(model(**ids).logits, off, rtol=1e-5, atol=1e-5)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.zero_()
        torch.testing.assert_close(model(**ids).logits, off, rtol=1e-5, atol=1e-5)


def test_another_adapter_is_seen_when_it_is_made_active() -> None:
    model = tiny("llama", "all-linear")
    ids = batches()["whole"]
    FastLayers(model.get_base_model().model, [None] * 3)
    with torch.no_grad():
        first = model(**ids).logits
        model.add_adapter("other", LoraConfig(r=2, lora_alpha=5, target_modules=["q_proj", "down_proj"]))
        for name, parameter in model.named_parameters():
            if "other" in name:
                parameter.data = torch.randn_like(parameter.data, dtype=torch.float64) * 0.2
        torch.testing.assert_close(model(**ids).logits, first)
        model.set_adapter("other")
        other = model(**ids).logits
        assert not torch.allclose(other, first)
        plain = model(**ids, output_hidden_states=True).logits  # such a call goes the plain way
        torch.testing.assert_close(other, plain, rtol=1e-5, atol=1e-5)
        model.set_adapter("default")
        torch.testing.assert_close(model(**ids).logits, first)
        model.delete_adapter("other")
        model.add_adapter("other", LoraConfig(r=2, lora_alpha=5, target_modules=["q_proj", "down_proj"]))
        model.set_adapter("other")  # of the same name, and says nothing yet
        with model.disable_adapter():
            off = model(**ids).logits
        torch.testing.assert_close(model(**ids).logits, off)
        model.base_model.set_adapter(["default", "other"])  # two at once are not served, and go the plain way
        torch.testing.assert_close(model(**ids).logits, first, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [{"fused": True}, {"foreach": True}, {"foreach": False}])
def test_every_step_of_an_optimizer_is_seen(kind: dict[str, bool]) -> None:
    losses: dict[bool, list[float]] = {}
    for fast in (False, True):
        model = tiny("llama", "all-linear").float()
        if fast:
            FastLayers(model.get_base_model().model, [None] * 3)
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=1e-2, **kind)
        losses[fast] = []
        for _ in range(4):
            losses[fast].append(loss_and_gradients(model, batches()["whole"])[0])
            optimizer.step()
    assert losses[True] == pytest.approx(losses[False], rel=1e-4)
    assert losses[True][3] < losses[True][0] - 1


def test_generation_and_what_asks_for_every_layer_go_the_plain_way() -> None:
    model = tiny("llama", "all-linear")
    ids = {"input_ids": batches()["whole"]["input_ids"][:1]}
    plain = model.generate(**ids, max_new_tokens=6, do_sample=False)
    states = model(**ids, output_hidden_states=True).hidden_states
    fast = FastLayers(model.get_base_model().model, [None] * 3)
    assert torch.equal(model.generate(**ids, max_new_tokens=6, do_sample=False), plain)
    again = model(**ids, output_hidden_states=True).hidden_states
    for one, other in zip(states, again, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    fast.remove()
    assert all("forward" not in module.__dict__ for module in model.modules())


def test_a_second_backward_pass_is_refused() -> None:
    model = tiny("llama", "all-linear")
    FastLayers(model.get_base_model().model, [None] * 3)
    loss = model(**batches()["whole"]).logits.sum()
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="backward works once"):
        loss.backward()
