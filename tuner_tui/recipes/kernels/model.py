"""The fast layers put into a model of transformers: they take a call that they can serve, and leave the rest.

A call is served when it is a plain forward pass over whole rows (packed, padded, or one by one): then padding
is taken out before the first layer and put back after the last, so that no layer computes it. Generation with
a cache, and calls that ask for every layer's output, go through transformers' own layers, which stay.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import LoraLayer

from tuner_tui.recipes.kernels.elementwise import rms_norm, rms_norm_backward
from tuner_tui.recipes.kernels.layer import Call, Layer
from tuner_tui.recipes.kernels.layouts import Layout, layout_of
from tuner_tui.recipes.kernels.linear import Shadow, refresh


class FastLayers:
    """The layers of one backbone (LlamaModel, Qwen3Model, ...), taken over until `remove`."""

    def __init__(self, backbone: Any, windows: list[int | None]) -> None:
        self._backbone = backbone
        self._layout: Layout | None = None
        self._call: Call | None = None
        self._shadows: list[list[Shadow | None]] = []
        self._plains: list[Any] = []
        self._lora = [module for module in backbone.modules() if isinstance(module, LoraLayer)]
        self._state: list[tuple[Any, ...]] | None = None
        self.layers = [Layer(module, window) for module, window in zip(backbone.layers, windows, strict=True)]
        for number, (module, layer) in enumerate(zip(backbone.layers, self.layers, strict=True)):
            module.forward = self._forward(module, layer, number)
        self._norm = backbone.norm
        self._plain_norm = backbone.norm.forward
        backbone.norm.forward = self._final_norm
        self._hooks = [
            backbone.register_forward_pre_hook(self._begin, with_kwargs=True),
            backbone.register_forward_hook(self._end, always_call=True),
        ]

    @property
    def dtype(self) -> torch.dtype:
        """The type of the computation."""
        made: torch.dtype = self._norm.weight.dtype
        return made

    def compare(self) -> float:
        """‖fast - plain‖ / ‖plain‖ of the first layer's output, on two short rows of random embeddings."""
        module = self._backbone.layers[0]
        weight = self._norm.weight
        generator = torch.Generator().manual_seed(0)
        x = torch.randn((2, 24, weight.shape[0]), generator=generator).to(weight)
        positions = torch.arange(24, device=x.device)[None]
        training = module.training
        module.eval()
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            cos, sin = self._backbone.rotary_emb(x, position_ids=positions)
            plain = self._plains[0](
                x,
                position_embeddings=(cos, sin),
                attention_mask=None,
                position_ids=positions,
                use_cache=False,
            )
            layout = layout_of(x, {})
            assert layout is not None
            self._adapters()
            flat = self._enter(x, layout, cos, sin)
            assert self._call is not None
            made = self._leave(self.layers[0](flat[0], self._call, 0)[None], layout)
        module.train(training)
        self._call = None
        plain = plain[0] if isinstance(plain, tuple) else plain
        return float((made - plain).float().norm() / plain.float().norm())

    def remove(self) -> None:
        """Give the model back to transformers."""
        for hook in self._hooks:
            hook.remove()
        for module in (*self._backbone.layers, self._norm):
            module.__dict__.pop("forward", None)

    def _begin(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._layout, self._call = self._serves(args, kwargs), None
        if self._layout is None:
            return None
        if not self._adapters():
            self._layout = None
            return None
        # transformers need not build a mask of tokens by tokens: one with four dimensions passes as it is.
        device = self._layout.starts.device
        kwargs["attention_mask"] = torch.empty((1, 1, 1, 1), dtype=torch.bool, device=device)
        kwargs["use_cache"] = False
        return args, kwargs

    def _adapters(self) -> bool:
        """Find the active adapters and read their weights; False if they are of a kind that is not served."""
        state = [_state(layer) for layer in self._lora]
        if state != self._state:
            like = self._norm.weight
            self._state = []
            try:
                self._shadows = [layer.shadows(like) for layer in self.layers]
            except NotImplementedError:
                return False
            self._state = state
        refresh([shadow for shadows in self._shadows for shadow in shadows if shadow is not None])
        return True

    def _serves(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Layout | None:
        if len(args) > 1 or any(kwargs.get(name) is not None for name in ("cache", "past_key_values")):
            return None
        if any(kwargs.get(name) for name in ("use_cache", "output_hidden_states", "output_attentions")):
            return None
        config = self._backbone.config
        if config.output_hidden_states or getattr(config, "output_attentions", False):
            return None
        tokens = args[0] if args else kwargs.get("input_ids")
        if tokens is None:
            tokens = kwargs.get("inputs_embeds")
        if tokens is None:
            return None
        return layout_of(tokens, kwargs)

    def _end(self, module: Any, args: Any, output: Any) -> None:
        self._layout = self._call = None

    def _forward(self, module: Any, layer: Layer, number: int) -> Any:
        plain = module.forward
        self._plains.append(plain)
        first, last = number == 0, number == len(self._backbone.layers) - 1

        def forward(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            layout = self._layout
            if layout is None:
                return plain(hidden_states, *args, **kwargs)
            if first:
                hidden_states = self._enter(hidden_states, layout, *kwargs["position_embeddings"])
            assert self._call is not None
            y = layer(hidden_states.view(-1, hidden_states.shape[-1]), self._call, number)[None]
            return self._leave(y, layout) if last else y

        return forward

    def _enter(
        self, hidden: torch.Tensor, layout: Layout, cos: torch.Tensor, sin: torch.Tensor
    ) -> torch.Tensor:
        rows, width = hidden.shape[:2]
        cos, sin = (t.expand(rows, width, -1).reshape(rows * width, -1) for t in (cos, sin))
        flat = hidden.reshape(rows * width, -1)
        if layout.keep is not None:
            flat, cos, sin = (t.index_select(0, layout.keep) for t in (flat, cos, sin))
        layout.shape = (rows, width)
        self._call = Call(layout, cos.contiguous(), sin.contiguous(), self._shadows)
        return flat[None]

    @staticmethod
    def _leave(hidden: torch.Tensor, layout: Layout) -> torch.Tensor:
        assert layout.shape is not None
        flat = hidden[0]
        if layout.keep is not None:
            room = flat.new_zeros((layout.shape[0] * layout.shape[1], flat.shape[1]))
            flat = room.index_copy(0, layout.keep, flat)
        return flat.view(*layout.shape, -1)

    def _final_norm(self, hidden: torch.Tensor) -> torch.Tensor:
        weight = self._norm.weight
        if weight.requires_grad or weight.dtype != hidden.dtype:
            made: torch.Tensor = self._plain_norm(hidden)
            return made
        normed: torch.Tensor = _Norm.apply(  # type: ignore[no-untyped-call]
            hidden, weight, self._norm.variance_epsilon
        )
        return normed


def _state(layer: LoraLayer) -> tuple[Any, ...]:
    """What decides which adapter a layer uses; the weights' identity, not their values."""
    names = tuple(layer.active_adapters)
    weights = tuple(id(layer.lora_A[name].weight) for name in names if name in layer.lora_A)
    return bool(layer.disable_adapters), names, len(layer.merged_adapters), weights


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        y, scale = rms_norm(flat, weight, eps)
        ctx.save_for_backward(flat, weight, scale)
        return y.view(x.shape)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        flat, weight, scale = ctx.saved_tensors
        room = grad.reshape(flat.shape).clone()
        return rms_norm_backward(room, flat, weight, scale, None).view(grad.shape), None, None
