"""The stages of `elementwise.py` as Triton kernels; the arithmetic is float32, whatever the tensors hold."""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators

import torch
import triton
import triton.language as tl

from tuner_tui.recipes.kernels.norms import HeadNorms


@triton.jit
def _rms_norm(x, y, weight, scale, stride, width, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    keep = at < width
    value = tl.load(x + row * stride + at, mask=keep, other=0.0).to(tl.float32)
    w = tl.load(weight + at, mask=keep, other=0.0).to(tl.float32)
    inverse = 1.0 / tl.sqrt(tl.sum(value * value, axis=0) / width + eps)
    tl.store(scale + row, inverse)
    # Rounded before the weight is applied, as transformers does.
    normed = (value * inverse).to(y.dtype.element_ty).to(tl.float32)
    tl.store(y + row * width + at, (normed * w).to(y.dtype.element_ty), mask=keep)


@triton.jit
def _rms_norm_backward(
    grad, x, weight, scale, residual, stride, width, HAS_RESIDUAL: tl.constexpr, BLOCK: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    keep = at < width
    g = tl.load(grad + row * width + at, mask=keep, other=0.0).to(tl.float32)
    value = tl.load(x + row * stride + at, mask=keep, other=0.0).to(tl.float32)
    w = tl.load(weight + at, mask=keep, other=0.0).to(tl.float32)
    inverse = tl.load(scale + row)
    normed = value * inverse
    g = g * w
    dx = inverse * (g - normed * (tl.sum(g * normed, axis=0) / width))
    if HAS_RESIDUAL:
        dx += tl.load(residual + row * width + at, mask=keep, other=0.0).to(tl.float32)
    tl.store(grad + row * width + at, dx.to(grad.dtype.element_ty), mask=keep)


@triton.jit
def _rotate(
    heads, cos, sin, stride, cos_stride, count, SIGN: tl.constexpr, HALF: tl.constexpr, BLOCK: tl.constexpr
):
    token = tl.program_id(0).to(tl.int64)
    head = tl.arange(0, BLOCK)
    at = tl.arange(0, HALF)
    keep = (head < count)[:, None]
    c = tl.load(cos + token * cos_stride + at).to(tl.float32)[None, :]
    s = tl.load(sin + token * cos_stride + at).to(tl.float32)[None, :] * SIGN
    first = heads + token * stride + head[:, None] * (2 * HALF) + at[None, :]
    a = tl.load(first, mask=keep, other=0.0).to(tl.float32)
    b = tl.load(first + HALF, mask=keep, other=0.0).to(tl.float32)
    tl.store(first, (a * c - b * s).to(heads.dtype.element_ty), mask=keep)
    tl.store(first + HALF, (b * c + a * s).to(heads.dtype.element_ty), mask=keep)


@triton.jit
def _norm_and_rotate(
    heads, made, scale, query, key, cos, sin, stride, cos_stride, queries, count, eps,
    HALF: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    head = tl.arange(0, BLOCK)
    at = tl.arange(0, HALF)
    keep = (head < count)[:, None]
    is_query = (head < queries)[:, None]
    source = heads + token * stride + head[:, None] * (2 * HALF) + at[None, :]
    a = tl.load(source, mask=keep, other=0.0).to(tl.float32)
    b = tl.load(source + HALF, mask=keep, other=0.0).to(tl.float32)
    inverse = 1.0 / tl.sqrt((tl.sum(a * a, axis=1) + tl.sum(b * b, axis=1)) / (2 * HALF) + eps)
    tl.store(scale + token * count + head, inverse, mask=head < count)
    wa = tl.where(is_query, tl.load(query + at)[None, :], tl.load(key + at)[None, :]).to(tl.float32)
    wb = tl.where(is_query, tl.load(query + HALF + at)[None, :], tl.load(key + HALF + at)[None, :]).to(
        tl.float32
    )
    a = (a * inverse[:, None]).to(made.dtype.element_ty).to(tl.float32) * wa
    b = (b * inverse[:, None]).to(made.dtype.element_ty).to(tl.float32) * wb
    c = tl.load(cos + token * cos_stride + at).to(tl.float32)[None, :]
    s = tl.load(sin + token * cos_stride + at).to(tl.float32)[None, :]
    target = made + token * count * (2 * HALF) + head[:, None] * (2 * HALF) + at[None, :]
    tl.store(target, (a * c - b * s).to(made.dtype.element_ty), mask=keep)
    tl.store(target + HALF, (b * c + a * s).to(made.dtype.element_ty), mask=keep)


@triton.jit
def _heads_backward(
    dq, dk, dv, made, cos, sin, raw, scale, query, key, q_stride, k_stride, v_stride, raw_stride, cos_stride,
    queries, count, heads, HAS_NORM: tl.constexpr, HALF: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0).to(tl.int64)
    head = tl.arange(0, BLOCK)[:, None]
    at = tl.arange(0, HALF)[None, :]
    is_query = head < queries
    turned = head < count
    keep = head < heads
    inside = head * (2 * HALF) + at
    # Three loads, each with its own mask: the lanes of one head read from one of the three.
    a = tl.load(dq + token * q_stride + inside, mask=is_query & (at >= 0), other=0.0).to(tl.float32)
    b = tl.load(dq + token * q_stride + inside + HALF, mask=is_query & (at >= 0), other=0.0).to(tl.float32)
    from_key = turned & (head >= queries) & (at >= 0)
    inside_key = inside - queries * (2 * HALF)
    a += tl.load(dk + token * k_stride + inside_key, mask=from_key, other=0.0).to(tl.float32)
    b += tl.load(dk + token * k_stride + inside_key + HALF, mask=from_key, other=0.0).to(tl.float32)
    from_value = keep & (head >= count) & (at >= 0)
    inside_value = inside - count * (2 * HALF)
    a += tl.load(dv + token * v_stride + inside_value, mask=from_value, other=0.0).to(tl.float32)
    b += tl.load(dv + token * v_stride + inside_value + HALF, mask=from_value, other=0.0).to(tl.float32)
    c = tl.where(turned, tl.load(cos + token * cos_stride + at).to(tl.float32), 1.0)
    s = tl.where(turned, tl.load(sin + token * cos_stride + at).to(tl.float32), 0.0)
    back_a = a * c + b * s
    back_b = b * c - a * s
    if HAS_NORM:
        some = turned & (at >= 0)
        inverse = tl.load(scale + token * count + head, mask=turned, other=0.0)
        na = tl.load(raw + token * raw_stride + inside, mask=some, other=0.0).to(tl.float32) * inverse
        nb = tl.load(raw + token * raw_stride + inside + HALF, mask=some, other=0.0).to(tl.float32) * inverse
        ga = back_a * tl.where(is_query, tl.load(query + at), tl.load(key + at)).to(tl.float32)
        gb = back_b * tl.where(is_query, tl.load(query + HALF + at), tl.load(key + HALF + at)).to(tl.float32)
        mean = (tl.sum(ga * na, axis=1) + tl.sum(gb * nb, axis=1))[:, None] / (2 * HALF)
        back_a = tl.where(turned, inverse * (ga - na * mean), back_a)
        back_b = tl.where(turned, inverse * (gb - nb * mean), back_b)
    target = made + token * heads * (2 * HALF) + inside
    tl.store(target, back_a.to(made.dtype.element_ty), mask=keep & (at >= 0))
    tl.store(target + HALF, back_b.to(made.dtype.element_ty), mask=keep & (at >= 0))


@triton.jit
def _gated(pair, out, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    keep = at < width
    gate = tl.load(pair + row * 2 * width + at, mask=keep, other=0.0).to(tl.float32)
    up = tl.load(pair + row * 2 * width + width + at, mask=keep, other=0.0).to(tl.float32)
    tl.store(out + row * width + at, (gate * tl.sigmoid(gate) * up).to(out.dtype.element_ty), mask=keep)


@triton.jit
def _gated_backward(grad, pair, width, PRODUCT: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    keep = at < width
    g = tl.load(grad + row * width + at, mask=keep, other=0.0).to(tl.float32)
    gate = tl.load(pair + row * 2 * width + at, mask=keep, other=0.0).to(tl.float32)
    up = tl.load(pair + row * 2 * width + width + at, mask=keep, other=0.0).to(tl.float32)
    sigmoid = tl.sigmoid(gate)
    silu = gate * sigmoid
    d_gate = g * up * sigmoid * (1.0 + gate * (1.0 - sigmoid))
    tl.store(pair + row * 2 * width + at, d_gate.to(pair.dtype.element_ty), mask=keep)
    tl.store(pair + row * 2 * width + width + at, (g * silu).to(pair.dtype.element_ty), mask=keep)
    if PRODUCT:
        tl.store(grad + row * width + at, (silu * up).to(grad.dtype.element_ty), mask=keep)


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """See `elementwise.rms_norm`."""
    rows, width = x.shape
    y = torch.empty((rows, width), dtype=x.dtype, device=x.device)
    scale = torch.empty(rows, dtype=torch.float32, device=x.device)
    block = triton.next_power_of_2(width)
    _rms_norm[(rows,)](x, y, weight, scale, x.stride(0), width, eps, BLOCK=block, num_warps=_warps(block))
    return y, scale


def rms_norm_backward(
    grad: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    scale: torch.Tensor,
    residual: torch.Tensor | None,
) -> torch.Tensor:
    """See `elementwise.rms_norm_backward`."""
    rows, width = x.shape
    block = triton.next_power_of_2(width)
    other = grad if residual is None else residual
    _rms_norm_backward[(rows,)](
        grad, x, weight, scale, other, x.stride(0), width,
        HAS_RESIDUAL=residual is not None, BLOCK=block, num_warps=_warps(block),
    )  # fmt: skip
    return grad


def rotate(heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, count: int, inverse: bool) -> None:
    """See `elementwise.rotate`."""
    _rotate[(heads.shape[0],)](
        heads, cos, sin, heads.stride(0), cos.stride(0), count,
        SIGN=-1.0 if inverse else 1.0, HALF=heads.shape[-1] // 2, BLOCK=triton.next_power_of_2(count),
        num_warps=4,
    )  # fmt: skip


def norm_and_rotate(
    heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, norms: HeadNorms
) -> tuple[torch.Tensor, torch.Tensor]:
    """See `elementwise.norm_and_rotate`."""
    count, size = norms.queries + norms.keys, heads.shape[-1]
    made = torch.empty((heads.shape[0], count, size), dtype=heads.dtype, device=heads.device)
    scale = torch.empty((heads.shape[0], count), dtype=torch.float32, device=heads.device)
    _norm_and_rotate[(heads.shape[0],)](
        heads, made, scale, norms.query, norms.key, cos, sin, heads.stride(0), cos.stride(0), norms.queries,
        count, norms.eps, HALF=size // 2, BLOCK=triton.next_power_of_2(count), num_warps=4,
    )  # fmt: skip
    return made, scale


def heads_backward(
    grads: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    cos: torch.Tensor,
    sin: torch.Tensor,
    raw: torch.Tensor | None,
    scale: torch.Tensor | None,
    norms: HeadNorms | None,
) -> torch.Tensor:
    """See `elementwise.heads_backward`."""
    dq, dk, dv = grads
    tokens, queries, size = dq.shape
    count = queries + dk.shape[1]
    heads = count + dv.shape[1]
    made = torch.empty((tokens, heads, size), dtype=dq.dtype, device=dq.device)
    normed = raw is not None and scale is not None and norms is not None
    _heads_backward[(tokens,)](
        dq, dk, dv, made, cos, sin, raw if normed else dq, scale if normed else dq,
        norms.query if norms else dq, norms.key if norms else dq,
        dq.stride(0), dk.stride(0), dv.stride(0), raw.stride(0) if raw is not None else 0, cos.stride(0),
        queries, count, heads,
        HAS_NORM=normed, HALF=size // 2, BLOCK=triton.next_power_of_2(heads), num_warps=8,
    )  # fmt: skip
    return made


def gated(pair: torch.Tensor) -> torch.Tensor:
    """See `elementwise.gated`."""
    rows, width = pair.shape[0], pair.shape[1] // 2
    out = torch.empty((rows, width), dtype=pair.dtype, device=pair.device)
    _gated[(rows, triton.cdiv(width, 2048))](pair, out, width, BLOCK=2048, num_warps=8)
    return out


def gated_backward(grad: torch.Tensor, pair: torch.Tensor, product: bool) -> torch.Tensor | None:
    """See `elementwise.gated_backward`."""
    rows, width = grad.shape
    _gated_backward[(rows, triton.cdiv(width, 2048))](
        grad, pair, width, PRODUCT=product, BLOCK=2048, num_warps=8
    )
    return grad if product else None


def _warps(block: int) -> int:
    return min(16, max(1, block // 512))
