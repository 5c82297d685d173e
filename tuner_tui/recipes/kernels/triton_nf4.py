"""4-bit weights of bitsandbytes, unpacked by a Triton kernel."""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators

from typing import Any

import torch
import triton
import triton.language as tl


@triton.jit
def _nf4(packed, absmax, offset, absmax2, code2, code, out, NESTED: tl.constexpr, GROUPS: tl.constexpr):
    # 32 bytes hold the 64 weights of one group; one constant of the second level serves 256 groups.
    group = tl.program_id(0).to(tl.int64) * GROUPS + tl.arange(0, GROUPS)
    if NESTED:
        level = tl.load(code2 + tl.load(absmax + group).to(tl.int32))
        largest = level * tl.load(absmax2 + group // 256) + tl.load(offset)
    else:
        largest = tl.load(absmax + group)
    byte = tl.load(packed + group[:, None] * 32 + tl.arange(0, 32)[None, :]).to(tl.int32)
    high = tl.load(code + (byte >> 4)) * largest[:, None]
    low = tl.load(code + (byte & 15)) * largest[:, None]
    both = tl.interleave(high, low)
    tl.store(out + group[:, None] * 64 + tl.arange(0, 64)[None, :], both.to(out.dtype.element_ty))


def nf4(packed: torch.Tensor, state: Any, out: torch.Tensor) -> None:
    """Weights of a bitsandbytes NF4 tensor, block size 64, written to `out` (contiguous).

    w = code[nibble] · absmax, the high nibble first; with double quantization
    absmax = code2[byte] · absmax2 + offset (arXiv:2305.14314, section 3).
    """
    groups = out.numel() // 64
    nested = state.nested
    second = state.state2 if nested else state
    count = 32
    while groups % count:
        count //= 2
    _nf4[(groups // count,)](
        packed, state.absmax, state.offset if nested else state.absmax,
        second.absmax, second.code, state.code, out,
        NESTED=nested, GROUPS=count, num_warps=4,
    )  # fmt: skip
