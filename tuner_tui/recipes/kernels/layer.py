"""A decoder layer of the Llama family as one step of autograd, its gradient written out by hand.

    n1 = norm(x);  h = attention(rotate(n1 Wqkv))
    r = x + h Wo
    n2 = norm(r);  y = r + (silu(n2 Wgate) · (n2 Wup)) Wdown

What autograd would do in some forty steps is done with the few products that are needed: residuals are added
inside the products, q, k and v (gate and up) are one product, norms and activations are made again instead
of kept, and the base's own gradients, which nobody wants, are not thought of. A layer keeps what its backward
pass needs, or only its input, and is then computed again up to where it is needed (arXiv:1604.06174).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch

from tuner_tui.recipes.kernels.attention import attend, attend_backward
from tuner_tui.recipes.kernels.elementwise import (
    gated,
    gated_backward,
    heads_backward,
    norm_and_rotate,
    rms_norm,
    rms_norm_backward,
    rotate,
)
from tuner_tui.recipes.kernels.flash import Heads
from tuner_tui.recipes.kernels.layouts import Layout
from tuner_tui.recipes.kernels.linear import Group, Shadow
from tuner_tui.recipes.kernels.norms import HeadNorms

_AT_ONCE = 4096
"""Tokens: enough to keep the matrix units busy."""


@dataclass
class Call:
    """What a forward pass of the model has settled: where the rows lie, their positions, the adapters."""

    layout: Layout
    cos: torch.Tensor
    sin: torch.Tensor
    shadows: list[list[Shadow | None]]


@dataclass
class _Kept:
    """What a layer leaves for its backward pass; the last two are of its second half."""

    scale1: torch.Tensor
    heads: torch.Tensor
    turned: torch.Tensor | None
    head_scale: torch.Tensor | None
    attended: torch.Tensor
    saved: tuple[torch.Tensor, ...]
    middle: torch.Tensor
    products: list[torch.Tensor | None]
    scale2: torch.Tensor | None = None
    pair: torch.Tensor | None = None


class Layer:
    """The parts of one decoder layer of transformers, and the two passes over them."""

    def __init__(self, module: Any, window: int | None) -> None:
        attention, mlp = module.self_attn, module.mlp
        self.size = int(attention.head_dim)
        self.norm1, self.norm2 = module.input_layernorm, module.post_attention_layernorm
        self.groups = [
            Group([attention.q_proj, attention.k_proj, attention.v_proj]),
            Group([attention.o_proj], room=1),
            Group([mlp.gate_proj, mlp.up_proj]),
            Group([mlp.down_proj], room=1),
        ]
        self.queries = self.groups[1].frozen.columns // self.size
        self.keys = attention.k_proj.out_features // self.size
        self.heads = Heads(float(attention.scaling), window)
        self.head_norms = None
        if hasattr(attention, "q_norm"):
            self.head_norms = HeadNorms(
                attention.q_norm.weight, attention.k_norm.weight, attention.q_norm.variance_epsilon,
                self.queries, self.keys,
            )  # fmt: skip
        self.keeps = True

    def shadows(self, like: torch.Tensor) -> list[Shadow | None]:
        """The active adapter of each group."""
        return [group.shadow(like) for group in self.groups]

    def _first_half(self, x: torch.Tensor, call: Call, shadows: list[Shadow | None]) -> _Kept:
        qkv, out = self.groups[:2]
        normed, scale1 = rms_norm(x, self.norm1.weight, self.norm1.variance_epsilon)
        flat, xa = qkv.forward(normed, shadows[0])
        products = [xa]
        heads = flat.view(len(x), -1, self.size)
        turned, head_scale = None, None
        if self.head_norms is None:
            rotate(heads, call.cos, call.sin, self.queries + self.keys)
        else:
            turned, head_scale = norm_and_rotate(heads, call.cos, call.sin, self.head_norms)
        attended, saved = attend(*self._split(heads, turned), call.layout, self.heads)
        middle, xa = out.forward(attended.view(len(x), -1), shadows[1], onto=x)
        products.append(xa)
        return _Kept(scale1, heads, turned, head_scale, attended, saved, middle, products)

    def _split(
        self, heads: torch.Tensor, turned: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        source, both = heads if turned is None else turned, self.queries + self.keys
        return source[:, : self.queries], source[:, self.queries : both], heads[:, both:]

    def forward(
        self, x: torch.Tensor, call: Call, shadows: list[Shadow | None]
    ) -> tuple[torch.Tensor, _Kept, torch.Tensor | None]:
        """y (T, H), what the backward pass needs, and the last adapter's s·x Aᵀ."""
        kept = self._first_half(x, call, shadows)
        normed, kept.scale2 = rms_norm(kept.middle, self.norm2.weight, self.norm2.variance_epsilon)
        kept.pair, xa = self.groups[2].forward(normed, shadows[2])
        kept.products.append(xa)
        del normed
        y, xa = self.groups[3].forward(gated(kept.pair), shadows[3], onto=kept.middle)
        return y, kept, xa

    def backward(
        self,
        grad: torch.Tensor,
        x: torch.Tensor,
        call: Call,
        shadows: list[Shadow | None],
        kept: _Kept | None,
        last_xa: torch.Tensor | None,
        wanted: list[bool],
        *,
        by_input: bool,
    ) -> tuple[torch.Tensor | None, list[torch.Tensor | None]]:
        """The gradients by x, and by the parameters of the shadows, in order.

        Args:
            wanted: for each group, whether its adapter's gradients are.
            by_input: whether x's is.
        """
        if kept is None:
            kept = self._first_half(x, call, shadows)
        tokens = len(x)
        gradients: list[list[torch.Tensor] | None] = [None] * 4
        d_middle = self._second_half_backward(grad, kept, shadows, last_xa, wanted, gradients)
        flat = kept.attended.view(tokens, -1)
        d_out, gradients[1] = self.groups[1].backward(
            d_middle, flat, kept.products[1], shadows[1], by_adapter=wanted[1]
        )
        assert d_out is not None
        if not by_input and not wanted[0]:
            return None, self._in_order(shadows, gradients)
        grads = attend_backward(
            d_out.view(tokens, -1, self.size), *self._split(kept.heads, kept.turned), kept.attended,
            kept.saved, call.layout, self.heads,
        )  # fmt: skip
        del d_out
        raw = kept.heads if self.head_norms else None
        d_heads = heads_backward(
            grads, call.cos, call.sin, raw=raw, scale=kept.head_scale, norms=self.head_norms
        )
        del grads
        normed = self._normed(x, self.norm1, wanted[0])
        d_x, gradients[0] = self.groups[0].backward(
            d_heads.view(tokens, -1), normed, kept.products[0], shadows[0],
            by_input=by_input, by_adapter=wanted[0],
        )  # fmt: skip
        if d_x is not None:
            d_x = rms_norm_backward(d_x, x, self.norm1.weight, kept.scale1, d_middle)
        return d_x, self._in_order(shadows, gradients)

    def _second_half_backward(
        self,
        grad: torch.Tensor,
        kept: _Kept,
        shadows: list[Shadow | None],
        last_xa: torch.Tensor | None,
        wanted: list[bool],
        gradients: list[list[torch.Tensor] | None],
    ) -> torch.Tensor:
        """The gradient by `middle`; those of the adapters of gate, up and down are put into `gradients`.

        What was not kept is made again for some thousand tokens at a time: the widest tensors of a layer are
        never there for all of them.
        """
        weight, eps = self.norm2.weight, self.norm2.variance_epsilon
        step = len(grad) if kept.pair is not None else _AT_ONCE
        whole = torch.empty_like(kept.middle) if step < len(grad) else grad
        for start in range(0, len(grad), step):
            part = slice(start, start + step)
            d_y, middle = grad[part], kept.middle[part]
            if kept.pair is not None and kept.scale2 is not None:
                pair, scale, xa = kept.pair, kept.scale2, kept.products[2]
                normed = rms_norm(middle, weight, eps)[0] if wanted[2] else None
                kept.pair = None
            else:
                normed, scale = rms_norm(middle, weight, eps)
                pair, xa = self.groups[2].forward(normed, shadows[2])
            d_act, _ = self.groups[3].backward(d_y, None, None, shadows[3], by_adapter=False)
            assert d_act is not None
            product = gated_backward(d_act, pair, product=wanted[3])
            if wanted[3]:
                last = None if last_xa is None else last_xa[part]
                _, made = self.groups[3].backward(d_y, product, last, shadows[3], by_input=False)
                _add(gradients, 3, made)
            del d_act, product
            d_middle, made = self.groups[2].backward(pair, normed, xa, shadows[2], by_adapter=wanted[2])
            _add(gradients, 2, made)
            assert d_middle is not None
            del pair, normed
            rms_norm_backward(d_middle, middle, weight, scale, d_y)
            if step >= len(grad):
                return d_middle
            whole[part] = d_middle
        return whole

    @staticmethod
    def _normed(x: torch.Tensor, norm: Any, wanted: bool) -> torch.Tensor | None:
        return rms_norm(x, norm.weight, norm.variance_epsilon)[0] if wanted else None

    @staticmethod
    def _in_order(
        shadows: list[Shadow | None], gradients: list[list[torch.Tensor] | None]
    ) -> list[torch.Tensor | None]:
        flat: list[torch.Tensor | None] = []
        for shadow, made in zip(shadows, gradients, strict=True):
            if shadow is not None:
                flat += made if made is not None else [None] * len(shadow.parameters)
        return flat

    def __call__(self, x: torch.Tensor, call: Call, number: int) -> torch.Tensor:
        """y (T, H) of x (T, H), under autograd; `number` is the layer's, from 0."""
        shadows = call.shadows[number]
        if not torch.is_grad_enabled():
            with torch.autocast(x.device.type, enabled=False):
                return self.forward(x, call, shadows)[0]
        parameters = [p for shadow in shadows if shadow is not None for p in shadow.parameters]
        made: torch.Tensor = _Step.apply(  # type: ignore[no-untyped-call]
            x, self, call, shadows, *parameters
        )
        return made


def _add(gradients: list[list[torch.Tensor] | None], place: int, made: list[torch.Tensor] | None) -> None:
    so_far = gradients[place]
    if so_far is None or made is None:
        gradients[place] = made
    else:
        torch._foreach_add_(so_far, made)


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, layer: Layer, call: Call, shadows: list[Shadow | None], *parameters: Any
    ) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):
            y, kept, last_xa = layer.forward(x, call, shadows)
        ctx.save_for_backward(x)
        ctx.layer, ctx.call, ctx.shadows, ctx.last_xa = layer, call, shadows, last_xa
        ctx.kept = kept if layer.keeps else None
        ctx.spent = False
        return y

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        if ctx.spent:
            raise RuntimeError("the fast path overwrites what it kept: backward works once.")
        ctx.spent = True
        (x,) = ctx.saved_tensors
        needs = iter(ctx.needs_input_grad[4:])
        counts = [0 if shadow is None else len(shadow.parameters) for shadow in ctx.shadows]
        wanted = [sum(islice(needs, count)) > 0 for count in counts]
        with torch.autocast(x.device.type, enabled=False):
            d_x, gradients = ctx.layer.backward(
                grad.contiguous(), x, ctx.call, ctx.shadows, ctx.kept, ctx.last_xa, wanted,
                by_input=ctx.needs_input_grad[0],
            )  # fmt: skip
        ctx.kept = None
        return (d_x, None, None, None, *gradients)
