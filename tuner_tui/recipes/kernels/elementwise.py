"""The memory-bound stages of a decoder layer: norms, rotary positions, the gated activation.

Each is a pair of functions, forward and backward, on plain tensors without autograd. On CUDA they are single
Triton kernels (`triton_stages.py`), which read and write every element once; elsewhere they are the formulas
in torch, which the tests compare with autograd on the models of transformers.

Shapes: T tokens, H hidden size, D head size, I intermediate size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tuner_tui.recipes.kernels.norms import HeadNorms

if TYPE_CHECKING:
    from types import ModuleType


def _triton(tensor: torch.Tensor) -> ModuleType | None:
    if not tensor.is_cuda:
        return None
    from tuner_tui.recipes.kernels import triton_stages

    return triton_stages


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Root mean square norm (arXiv:1910.07467): y = weight · x / rms(x).

    Args:
        x: (T, H), rows contiguous.
        weight: (H,).
        eps: added to the mean square.

    Returns:
        y (T, H) in x's type, and 1/rms (T,) in float32, which the backward pass needs.
    """
    if stages := _triton(x):
        return stages.rms_norm(x, weight, eps)  # type: ignore[no-any-return]
    wide = x.float() if x.dtype != torch.float64 else x
    scale = torch.rsqrt(wide.pow(2).mean(-1) + eps)
    return weight * (wide * scale[:, None]).to(x.dtype), scale


def rms_norm_backward(
    grad: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    scale: torch.Tensor,
    residual: torch.Tensor | None,
) -> torch.Tensor:
    """The gradient of `rms_norm` by x, the residual's gradient added; it overwrites `grad` and returns it.

    With x̂ = x·scale and g = grad·weight: dx = scale · (g - x̂ · mean(g · x̂)) + residual.
    """
    if stages := _triton(x):
        return stages.rms_norm_backward(grad, x, weight, scale, residual)  # type: ignore[no-any-return]
    wide = scale.dtype
    normed = x.to(wide) * scale[:, None]
    g = (grad * weight).to(wide)
    mean = torch.linalg.vecdot(g, normed)[:, None] / x.shape[-1]
    dx = g.addcmul_(normed, mean, value=-1.0).mul_(scale[:, None])
    if residual is not None:
        dx += residual.to(wide)
    return grad.copy_(dx)


def rotate(
    heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, count: int, *, inverse: bool = False
) -> None:
    """Rotary positions (arXiv:2104.09864, the half-split layout of transformers), in place.

    Args:
        heads: (T, N, D), rows may be strided; the first `count` of the N heads are rotated.
        cos, sin: (T, D); the two halves of D are equal.
        count: heads of queries and keys.
        inverse: rotate back; that is the gradient, since a rotation's transpose is its inverse.
    """
    if stages := _triton(heads):
        stages.rotate(heads, cos, sin, count, inverse)
        return
    turned = heads[:, :count]
    half = turned.shape[-1] // 2
    c, s = cos[:, None, :half], sin[:, None, :half]
    if inverse:
        s = -s
    first, second = turned[..., :half], turned[..., half:]
    a = first * c - second * s
    b = second * c + first * s
    turned[..., :half], turned[..., half:] = a, b


def norm_and_rotate(
    heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, norms: HeadNorms
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each query and key head normed by itself, then rotated (Qwen 3): a new tensor, and 1/rms of each head.

    Args:
        heads: (T, N, D), queries first, then keys, then values; the values are left alone.

    Returns:
        (T, queries + keys, D), and 1/rms (T, queries + keys) in float32.
    """
    count = norms.queries + norms.keys
    if stages := _triton(heads):
        return stages.norm_and_rotate(heads, cos, sin, norms)  # type: ignore[no-any-return]
    wide = heads[:, :count].float() if heads.dtype != torch.float64 else heads[:, :count]
    scale = torch.rsqrt(wide.pow(2).mean(-1) + norms.eps)
    made = norms.per_head() * (wide * scale[..., None]).to(heads.dtype)
    rotate(made, cos, sin, count)
    return made, scale


def heads_backward(
    grads: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    cos: torch.Tensor,
    sin: torch.Tensor,
    *,
    raw: torch.Tensor | None = None,
    scale: torch.Tensor | None = None,
    norms: HeadNorms | None = None,
) -> torch.Tensor:
    """The gradients of queries, keys and values (T, n, D each) before their rotation, as one (T, N, D).

    With `raw`, the heads before their norm, and `scale`, 1/rms of each, back through the norm as well.
    """
    if stages := _triton(grads[0]):
        return stages.heads_backward(grads, cos, sin, raw, scale, norms)  # type: ignore[no-any-return]
    count = grads[0].shape[1] + grads[1].shape[1]
    made = torch.cat(grads, dim=1)
    rotate(made, cos, sin, count, inverse=True)
    if raw is not None and scale is not None and norms is not None:
        wide = scale.dtype
        normed = raw[:, :count].to(wide) * scale[..., None]
        g = (made[:, :count] * norms.per_head()).to(wide)
        made[:, :count] = scale[..., None] * (g - normed * (g * normed).mean(-1, keepdim=True))
    return made


def gated(pair: torch.Tensor) -> torch.Tensor:
    """SwiGLU (arXiv:2002.05202): silu(gate) · up, of `pair` = [gate | up] (T, 2I), as (T, I)."""
    if stages := _triton(pair):
        return stages.gated(pair)  # type: ignore[no-any-return]
    gate, up = pair.chunk(2, dim=-1)
    return torch.nn.functional.silu(gate) * up


def gated_backward(grad: torch.Tensor, pair: torch.Tensor, *, product: bool) -> torch.Tensor | None:
    """The gradient of `gated`: it overwrites `pair` with [d gate | d up].

    With `product`, silu(gate)·up is made again on the way and overwrites `grad`, which is returned: what an
    adapter on the next layer needs. d gate = grad · up · σ(gate) · (1 + gate · (1 - σ(gate))).
    """
    if stages := _triton(pair):
        return stages.gated_backward(grad, pair, product)  # type: ignore[no-any-return]
    gate, up = pair.chunk(2, dim=-1)
    silu = torch.nn.functional.silu(gate)
    d_gate = torch.ops.aten.silu_backward(grad * up, gate)
    made = silu * up if product else None
    torch.mul(grad, silu, out=up)
    gate.copy_(d_gate)
    return grad.copy_(made) if made is not None else None
