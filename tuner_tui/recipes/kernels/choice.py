"""Which stage of the fast path a model gets, and why not a better one."""

from __future__ import annotations

from typing import Any

import torch

from tuner_tui.recipes.kernels import head, interface, liger
from tuner_tui.recipes.kernels.chosen import FastPath
from tuner_tui.recipes.kernels.eligible import Backbone, find_backbone, unfit
from tuner_tui.recipes.kernels.model import FastLayers

_MOST = {torch.bfloat16: 2e-2, torch.float16: 2e-2, torch.float32: 1e-4, torch.float64: 1e-5}
"""How far the fast layer may be from the plain one: ‖fast - plain‖ / ‖plain‖ of its output."""


def choose(model: Any, kernels: str, attention: str, checkpointing: str, sharded: bool) -> FastPath:
    """See `kernels.fast_path`."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    backbone = find_backbone(base)
    named = str(base.config._attn_implementation)
    if kernels == "off" or attention not in ("auto", "varlen"):
        why = "model.kernels is off" if kernels == "off" else f"model.attention is {attention}"
        return _plain(base, backbone, named, checkpointing, sharded, f"the model as it is: {why}.")
    cuda = next(base.parameters()).is_cuda
    head.take(base.get_input_embeddings().weight)
    reason = "the weights are spread over several cards" if sharded else unfit(base, backbone)
    if not reason and backbone is not None:
        made = _fast(base, backbone, checkpointing)
        if isinstance(made, FastPath):
            return made
        reason = made
    reason = f" The fast layers are not taken: {reason}." if reason else ""
    if not cuda:
        return _plain(base, backbone, named, checkpointing, sharded, f"the model as it is.{reason}")
    parts: list[Any] = []
    why = interface.unfit(base)
    if not why and backbone is not None:
        interface.register()
        base.set_attn_implementation(interface.NAME)
        parts.append(interface.Rows(backbone.module))
    took = liger.take(base)
    attended = "varlen" if parts else named
    sentence = (
        f"{'attention over rows laid end to end' if parts else f'attention: {named} ({why})'}, "
        f"{took.sentence}.{reason}"
    )
    plain = _plain(base, backbone, attended, checkpointing, sharded, sentence)
    return FastPath(
        "liger" if took.taken else "plain", attended, plain.checkpointing, sentence, [*plain.parts, *parts]
    )


def _fast(base: Any, backbone: Backbone, checkpointing: str) -> FastPath | str:
    """The fast layers in place, or why they had to be taken out again."""
    fast = FastLayers(backbone.module, backbone.windows)
    try:
        apart = fast.compare()
    except Exception as error:
        fast.remove()
        return f"they failed here ({type(error).__name__}: {str(error).splitlines()[0][:200]})"
    if not apart < _MOST.get(fast.dtype, 2e-2):
        fast.remove()
        return f"a first layer made by them is {apart:.1e} away from the plain one"
    for number, layer in enumerate(fast.layers):
        layer.keeps = checkpointing == "none" or (checkpointing == "selective" and number % 2 == 0)
    _no_checkpointing(base)
    sentence = (
        "fast layers: LoRA, norms, positions and activations in single steps, attention over rows laid end "
        f"to end, no padding; checkpointing: {checkpointing}."
    )
    return FastPath("fast", "varlen", checkpointing, sentence, [fast])


def _plain(
    base: Any, backbone: Backbone | None, attention: str, checkpointing: str, sharded: bool, sentence: str
) -> FastPath:
    """The model's own layers, with the checkpointing that is wanted unless the engine does it."""
    if not sharded:
        if checkpointing == "none" or not getattr(base, "supports_gradient_checkpointing", False):
            _no_checkpointing(base)
            checkpointing = "none"
        else:
            base.enable_input_require_grads()
            base.gradient_checkpointing_enable({"use_reentrant": False})
            if checkpointing == "selective" and backbone is not None:
                for layer in list(backbone.module.layers)[::2]:
                    layer.gradient_checkpointing = False
    return FastPath("plain", attention, checkpointing, sentence)


def _no_checkpointing(base: Any) -> None:
    if getattr(base, "is_gradient_checkpointing", False):
        base.gradient_checkpointing_disable()
    # TRL lets the embeddings' output require a gradient, so that checkpoints work; it costs one, unread.
    if hasattr(base, "_require_grads_hooks") or hasattr(base, "_require_grads_hook"):
        base.disable_input_require_grads()
