"""Attention over rows laid end to end by the flash kernels that torch ships (FlashAttention 2,
arXiv:2307.08691), forward and backward, without autograd.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tuner_tui.recipes.kernels.layouts import Layout

_aten = torch.ops.aten


@dataclass(frozen=True)
class Heads:
    """How a layer attends: the factor on the products, and how far back a token sees (None: to the start)."""

    scale: float
    window: int | None = None


def flash(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: Layout, heads: Heads
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """See `attention.attend`."""
    causal, left, right = _sight(window(layout, heads))
    out, lse, state, unused, _ = _aten._flash_attention_forward(
        q, k, v, layout.starts, layout.starts, layout.longest, layout.longest, 0.0, causal, False,
        scale=heads.scale, window_size_left=left, window_size_right=right,
    )  # fmt: skip
    return out, (lse, state, unused)


def flash_backward(
    grad: torch.Tensor,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    out: torch.Tensor,
    saved: tuple[torch.Tensor, ...],
    layout: Layout,
    heads: Heads,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients by q, k and v of `flash`, of which `out` and `saved` are."""
    lse, state, unused = saved
    causal, left, right = _sight(window(layout, heads))
    dq, dk, dv = _aten._flash_attention_backward(
        grad, q, k, v, out, lse, layout.starts, layout.starts, layout.longest, layout.longest, 0.0, causal,
        state, unused, scale=heads.scale, window_size_left=left, window_size_right=right,
    )  # fmt: skip
    return dq, dk, dv


def window(layout: Layout, heads: Heads) -> int | None:
    """The window, or None where the longest row fits into it."""
    return None if heads.window is None or layout.longest <= heads.window else heads.window


def _sight(window: int | None) -> tuple[bool, int | None, int | None]:
    """Causal, and how far to the left and to the right, in torch's terms."""
    return (True, None, None) if window is None else (False, window - 1, 0)
