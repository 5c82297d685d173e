"""`head.score` as a Triton kernel: one pass over the logits, two with the gradient; computed in float32."""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators

import torch
import triton
import triton.language as tl


@triton.jit
def _score(
    logits,
    targets,
    log_probs,
    entropy,
    top1,
    stride,
    width: tl.constexpr,
    GRAD: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    line = logits + row * stride
    target = tl.load(targets + row)
    chosen = tl.load(line + target).to(tl.float32)
    largest = -float("inf")
    before = -float("inf")
    total = 0.0
    weighted = 0.0
    for start in range(0, width, BLOCK):
        at = start + tl.arange(0, BLOCK)
        z = tl.load(line + at, mask=at < width, other=-float("inf")).to(tl.float32)
        before = tl.maximum(before, tl.max(tl.where(at < target, z, -float("inf")), axis=0))
        new = tl.maximum(largest, tl.max(z, axis=0))
        shrink = tl.exp(largest - new)
        e = tl.exp(z - new)
        total = total * shrink + tl.sum(e, axis=0)
        weighted = weighted * shrink + tl.sum(tl.where(at < width, e * z, 0.0), axis=0)
        largest = new
    normaliser = largest + tl.log(total)
    tl.store(log_probs + row, chosen - normaliser)
    tl.store(entropy + row, normaliser - weighted / total)
    tl.store(top1 + row, (chosen >= largest) & (chosen > before))
    if GRAD:
        for start in range(0, width, BLOCK):
            at = start + tl.arange(0, BLOCK)
            z = tl.load(line + at, mask=at < width, other=-float("inf")).to(tl.float32)
            slope = tl.where(at == target, 1.0, 0.0) - tl.exp(z - normaliser)
            tl.store(line + at, slope.to(logits.dtype.element_ty), mask=at < width)


def score(
    logits: torch.Tensor,
    targets: torch.Tensor,
    log_probs: torch.Tensor,
    entropy: torch.Tensor,
    top1: torch.Tensor,
    grad: bool,
) -> None:
    """See `head.score`."""
    rows, width = logits.shape
    _score[(rows,)](
        logits,
        targets,
        log_probs,
        entropy,
        top1,
        logits.stride(0),
        width,
        GRAD=grad,
        BLOCK=4096,
        num_warps=16,
    )
