"""Attention over rows of different lengths, laid end to end: forward and backward, without autograd.

On CUDA: on all rows at once, grouped queries (fewer key heads than query heads) without repeating any, by
FlashAttention 4 on Hopper if that package is there and sound, else by the flash kernels that torch ships
(arXiv:2307.08691). On a CPU: torch's own flash kernel, row by row.
"""

from __future__ import annotations

import torch

from tuner_tui.recipes.kernels import flash4
from tuner_tui.recipes.kernels.flash import Heads, flash, flash_backward, window
from tuner_tui.recipes.kernels.layouts import Layout

_aten = torch.ops.aten


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: Layout, heads: Heads
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Causal attention of each row within itself.

    Args:
        q: (T, query heads, D); k, v: (T, key heads, D). The last dimension is contiguous.

    Returns:
        (T, query heads, D), and what `attend_backward` needs beside its inputs.
    """
    if not q.is_cuda:
        return _cpu(q, k, v, layout, heads)
    sight = window(layout, heads)
    if flash4.sound(q, k, heads.scale, sight):
        out, sums = flash4.attend(q, k, v, layout.starts, layout.longest, heads.scale, sight)
        return out, (sums,)
    return flash(q, k, v, layout, heads)


def attend_backward(
    grad: torch.Tensor,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    out: torch.Tensor,
    saved: tuple[torch.Tensor, ...],
    layout: Layout,
    heads: Heads,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients by q, k and v of `attend`."""
    if not q.is_cuda:
        return _cpu_backward(grad, q, k, v, out, saved, layout, heads)
    if len(saved) == 1:
        return flash4.attend_backward(
            grad, q, k, v, out, saved[0], layout.starts, layout.longest, heads.scale, window(layout, heads)
        )
    return flash_backward(grad, q, k, v, out, saved, layout, heads)


def _cpu(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, layout: Layout, heads: Heads
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    out = torch.empty_like(q, memory_format=torch.contiguous_format)
    saved = []
    group = q.shape[1] // k.shape[1]
    for start, end in zip(layout.bounds, layout.bounds[1:], strict=False):
        rows = (_row(q, start, end), *(_row(t, start, end, group) for t in (k, v)))
        made, lse = _aten._scaled_dot_product_flash_attention_for_cpu(
            *rows, 0.0, heads.window is None, attn_mask=_band(end - start, q, heads), scale=heads.scale
        )
        out[start:end] = made[0].transpose(0, 1)
        saved.append(lse)
    return out, tuple(saved)


def _cpu_backward(
    grad: torch.Tensor,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    out: torch.Tensor,
    saved: tuple[torch.Tensor, ...],
    layout: Layout,
    heads: Heads,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    dq, dk, dv = (torch.empty_like(t, memory_format=torch.contiguous_format) for t in (q, k, v))
    group = q.shape[1] // k.shape[1]
    for start, end, lse in zip(layout.bounds, layout.bounds[1:], saved, strict=False):
        row_q, row_k, row_v = _row(q, start, end), _row(k, start, end, group), _row(v, start, end, group)
        made = _aten._scaled_dot_product_flash_attention_for_cpu_backward(
            _row(grad, start, end), row_q, row_k, row_v, _row(out, start, end), lse, 0.0,
            heads.window is None, attn_mask=_band(end - start, q, heads), scale=heads.scale,
        )  # fmt: skip
        dq[start:end] = made[0][0].transpose(0, 1)
        for target, part in ((dk, made[1]), (dv, made[2])):
            target[start:end] = part[0].unflatten(0, (-1, group)).sum(1).transpose(0, 1)
    return dq, dk, dv


def _row(tensor: torch.Tensor, start: int, end: int, group: int = 1) -> torch.Tensor:
    """One row as (1, heads, tokens, D), each head `group` times."""
    row = tensor[start:end].transpose(0, 1)[None]
    return row if group == 1 else row.repeat_interleave(group, dim=1)


def _band(tokens: int, like: torch.Tensor, heads: Heads) -> torch.Tensor | None:
    if heads.window is None:
        return None
    seen = torch.ones(tokens, tokens, dtype=torch.bool).tril().triu(1 - heads.window)
    return torch.zeros(tokens, tokens, dtype=like.dtype).masked_fill(~seen, -torch.inf)
