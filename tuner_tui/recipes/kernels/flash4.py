"""Attention by FlashAttention 4's kernels for Hopper (the package `flash-attn-4`), if it is there.

They use what the kernels that torch ships (FlashAttention 2) leave idle on that chip; how much they gain is
what `benchmarks/attention.py` prints. They are compiled on the first use of each kind of head, and kept on
disk; rows and lengths may change from step to step. The two functions called here are those that
`torch.nn.attention` itself puts in the place of its own when it is told to.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import torch

from tuner_tui import paths
from tuner_tui.recipes.kernels.flash import Heads, flash, flash_backward
from tuner_tui.recipes.kernels.layouts import Layout

_CLOSE = 2e-2
_HOPPER = 9


def attend(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    starts: torch.Tensor,
    longest: int,
    scale: float,
    window: int | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """See `attention.attend`: (T, query heads, D), and the log of the sums (query heads, T) in float32."""
    made = _functions()[0](
        q, k, v, softmax_scale=scale, return_lse=True, **_rows(starts, longest), **_sight(window)
    )
    return made[0], made[1]


def attend_backward(
    grad: torch.Tensor,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    out: torch.Tensor,
    sums: torch.Tensor,
    starts: torch.Tensor,
    longest: int,
    scale: float,
    window: int | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """See `attention.attend_backward`."""
    made = _functions()[1](
        q, k, v, out, grad, sums, softmax_scale=scale, **_rows(starts, longest), **_sight(window)
    )
    return made[0], made[1], made[2]


def sound(q: torch.Tensor, k: torch.Tensor, scale: float, window: int | None) -> bool:
    """Whether it is there, and gives here what torch's kernels give, forward and backward."""
    return _sound(q.shape[1], k.shape[1], q.shape[2], q.dtype, q.device, scale, window)


@lru_cache(maxsize=16)
def _sound(
    queries: int, keys: int, size: int, dtype: torch.dtype, device: torch.device, scale: float,
    window: int | None,
) -> bool:  # fmt: skip
    if dtype.itemsize != 2 or torch.cuda.get_device_capability(device)[0] != _HOPPER:
        return False
    try:
        _functions()
        return _apart(queries, keys, size, dtype, device, scale, window) < _CLOSE
    except Exception:  # not installed, not for this CUDA, or it refuses such heads
        return False


def _apart(
    queries: int, keys: int, size: int, dtype: torch.dtype, device: torch.device, scale: float,
    window: int | None,
) -> float:  # fmt: skip
    """‖this - torch's‖ / ‖torch's‖, the worst of the output and the three gradients, on random rows."""
    draw = torch.Generator(device).manual_seed(0)
    lengths = [1500, 77, 2000, 1, 519]

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw, device=device).to(dtype)

    total = sum(lengths)
    starts = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32).to(device)
    both = random(total, queries + 2 * keys, size)
    q, k, v = both[:, :queries], both[:, queries : queries + keys], both[:, queries + keys :]
    grad, layout, heads = random(total, queries, size), Layout(starts, max(lengths)), Heads(scale, window)
    out, saved = flash(q, k, v, layout, heads)
    wanted: Any = (out, *flash_backward(grad, q, k, v, out, saved, layout, heads))
    mine, sums = attend(q, k, v, starts, max(lengths), scale, window)
    made = (mine, *attend_backward(grad, q, k, v, mine, sums, starts, max(lengths), scale, window))
    far = [(a.float() - b.float()).norm() / b.float().norm() for a, b in zip(made, wanted, strict=True)]
    worst = torch.stack(far).max()
    return float(worst) if worst.isfinite() else float("inf")


def _rows(starts: torch.Tensor, longest: int) -> dict[str, Any]:
    return {
        "cu_seqlens_q": starts, "cu_seqlens_k": starts, "max_seqlen_q": longest, "max_seqlen_k": longest,
    }  # fmt: skip


def _sight(window: int | None) -> dict[str, Any]:
    """How far a token sees: back to the row's start, or `window` tokens, itself among them."""
    if window is None:
        return {"causal": True}
    return {"causal": False, "window_size_left": window - 1, "window_size_right": 0}


@lru_cache(maxsize=1)
def _functions() -> tuple[Any, Any]:
    # Read by the package when it is imported: what it compiles is kept, in the person's own folder.
    os.environ.setdefault("FLASH_ATTENTION_CUTE_DSL_CACHE_ENABLED", "1")
    os.environ.setdefault("FLASH_ATTENTION_CUTE_DSL_CACHE_DIR", str(paths.kernels_dir()))
    from flash_attn.cute import interface

    return interface._flash_attn_fwd, interface._flash_attn_bwd
