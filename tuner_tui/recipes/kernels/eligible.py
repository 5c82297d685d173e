"""What the fast layers can take the place of."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners.lora import LoraLayer

_FAMILIES = {"LlamaModel", "MistralModel", "Qwen2Model", "Qwen3Model"}


@dataclass(frozen=True)
class Backbone:
    """The part of a model that holds the decoder layers, and how far back each layer sees (None: all)."""

    module: Any
    windows: list[int | None]


def find_backbone(base: Any) -> Backbone | None:
    """The backbone of a model of transformers: the module that has `layers`; None if there is not one."""
    found = [
        module
        for module in base.modules()
        if isinstance(getattr(module, "layers", None), torch.nn.ModuleList)
    ]
    if len(found) != 1:
        return None
    windows = [_window(layer, found[0].config) for layer in found[0].layers]
    return Backbone(found[0], windows)


def _window(layer: Any, config: Any) -> int | None:
    attention = getattr(layer, "self_attn", None)
    if config.model_type == "mistral":
        return getattr(config, "sliding_window", None)
    return getattr(attention, "sliding_window", None)


def unfit(base: Any, backbone: Backbone | None) -> str:
    """Why the fast layers cannot be taken for this model, or ""."""
    if backbone is None:
        return "the model's layers were not found"
    kind = type(backbone.module).__name__
    if kind not in _FAMILIES or not type(backbone.module).__module__.startswith("transformers.models."):
        return f"there are none for {kind}"
    return (
        _config(backbone.module.config)
        or _place(base)
        or next((why for layer in backbone.module.layers if (why := _layer(layer))), "")
    )


def _config(config: Any) -> str:
    if config.hidden_act != "silu":
        return f"the activation is {config.hidden_act}"
    if getattr(config, "attention_dropout", 0):
        return "the model drops attention at random"
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("partial_rotary_factor", 1) != 1:
        return "only a part of each head has positions"
    return ""


def _place(base: Any) -> str:
    devices = {parameter.device for parameter in base.parameters()}
    if len(devices) != 1:
        return "the model is spread over several devices"
    if any(hasattr(module, "_hf_hook") and _moves(module._hf_hook) for module in base.modules()):
        return "its weights are moved while it computes"
    device = devices.pop()
    if device.type == "cpu":
        return ""
    if device.type != "cuda":
        return f"there are none for {device.type}"
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed"
    if torch.cuda.get_device_capability(device) < (8, 0):
        return "the GPU is older than compute capability 8.0"
    if base.get_input_embeddings().weight.dtype not in (torch.bfloat16, torch.float16):
        return "the flash kernels compute in 16 bits, and the model does not"
    return ""


def _moves(hook: Any) -> bool:
    return bool(getattr(hook, "offload", False) or any(_moves(h) for h in getattr(hook, "hooks", ())))


def _layer(layer: Any) -> str:
    attention, mlp = layer.self_attn, layer.mlp
    size = int(attention.head_dim)
    if size > 256 or size & (size - 1) or size < 16:
        return f"heads of {size} are not a power of two from 16 to 256"
    linears = [attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj]
    linears += [mlp.gate_proj, mlp.up_proj, mlp.down_proj]
    if any(p.requires_grad for name, p in layer.named_parameters() if "lora_" not in name):
        return "weights of the base are trained"
    return next((why for linear in linears if (why := _linear(linear))), "")


def _linear(linear: Any) -> str:
    base = linear
    if isinstance(linear, LoraLayer):
        base = linear.get_base_layer()
        if linear.lora_variant:
            return "the adapter is no plain LoRA (DoRA, for one)"
        if any(
            not isinstance(drop, torch.nn.Identity) and getattr(drop, "p", 0)
            for drop in linear.lora_dropout.values()
        ):
            return "the adapter has dropout"
        if any(linear.lora_bias.values()) or getattr(linear, "fan_in_fan_out", False):
            return "the adapter has biases"
    name = type(base).__name__
    if type(base) is torch.nn.Linear:
        return ""
    if name == "Linear4bit":
        state = getattr(base.weight, "quant_state", None)
        return (
            ""
            if state is not None and base.weight.quant_storage == torch.uint8
            else "4-bit weights of another kind"
        )
    return f"a linear layer is a {name}"
