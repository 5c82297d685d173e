"""Attention over long rows by cuDNN, through NVIDIA's package `nvidia-cudnn-frontend`, if it is there.

On Hopper its kernels take two thirds of the time of the flash kernels that torch ships (H200, one row of
32,768 tokens, 32 heads of 128: 15.7 and 44.2 ms against 25.3 and 68.9). Every new combination of rows, tokens
and longest row costs it a tenth of a second once, so short rows are not worth it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

FROM = 16384
"""Tokens of the longest row from which it pays."""
_STEP = 2048
_CLOSE = 2e-2


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor, longest: int, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """See `attention.attend`: (T, query heads, D), and the log of the sums (T, query heads, 1)."""
    out, sums = torch.ops.cudnn.sdpa_fwd(
        q, k, v, scale, is_causal=True, cu_seqlens_q=starts, cu_seqlens_kv=starts,
        max_seqlen_q=_rounded(longest), max_seqlen_kv=_rounded(longest), return_lse=True,
    )  # fmt: skip
    return out, sums


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
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """See `attention.attend_backward`.

    q, k and v are made contiguous: of several rows with gaps between tokens (views of one product) this
    package's backward pass gave wrong gradients (version 1.32 with cuDNN 9.19, on an H200).
    """
    from cudnn.sdpa.fwd.torch_op import thd_lse_to_padded

    padded = thd_lse_to_padded(sums.squeeze(-1), starts, _rounded(longest))
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    dq, dk, dv = torch.ops.cudnn.sdpa_bwd(
        grad, q, k, v, out, padded, scale, is_causal=True, cu_seqlens_q=starts, cu_seqlens_kv=starts,
        max_seqlen_q=_rounded(longest), max_seqlen_kv=_rounded(longest),
    )  # fmt: skip
    return dq, dk, dv


def _rounded(longest: int) -> int:
    return -(-longest // _STEP) * _STEP


def sound(q: torch.Tensor, k: torch.Tensor, scale: float) -> bool:
    """Whether it is there, and gives here what the flash kernels give, forward and backward."""
    return _sound(q.shape[1], k.shape[1], q.shape[2], q.dtype, str(q.device), scale)


@lru_cache(maxsize=16)
def _sound(queries: int, keys: int, size: int, dtype: torch.dtype, device: str, scale: float) -> bool:
    try:
        import cudnn.sdpa.fwd.torch_op  # noqa: F401
    except Exception:  # not installed, or not for this cuDNN
        return False
    if torch.cuda.get_device_capability(device)[0] != 9:
        return False
    try:
        return _apart(queries, keys, size, dtype, device, scale) < _CLOSE
    except Exception:  # this cuDNN refuses the problem
        return False


def _apart(queries: int, keys: int, size: int, dtype: torch.dtype, device: str, scale: float) -> float:
    from tuner_tui.recipes.kernels.attention import Heads, Layout, flash, flash_backward

    draw = torch.Generator(device).manual_seed(0)
    lengths = [1500, 77, 2000, 519]

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw, device=device).to(dtype)

    total = sum(lengths)
    starts = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32).to(device)
    both = random(total, queries + 2 * keys, size)
    q, k, v = both[:, :queries], both[:, queries : queries + keys], both[:, queries + keys :]
    grad, layout, heads = random(total, queries, size), Layout(starts, max(lengths)), Heads(scale)
    out, saved = flash(q, k, v, layout, heads)
    wanted: Any = (out, *flash_backward(grad, q, k, v, out, saved, layout, heads))
    mine, sums = attend(q, k, v, starts, max(lengths), scale)
    made = (mine, *attend_backward(grad, q, k, v, mine, sums, starts, max(lengths), scale))
    far = [(a.float() - b.float()).norm() / b.float().norm() for a, b in zip(made, wanted, strict=True)]
    worst = torch.stack(far).max()
    return float(worst) if worst.isfinite() else float("inf")
