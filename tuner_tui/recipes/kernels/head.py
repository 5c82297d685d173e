"""TRL's fused LM head, with the gradient made in the forward pass.

TRL scores labelled tokens in tiles, keeps nothing, and computes every tile's logits again in the backward
pass. But d log p(target) / d hidden does not depend on what comes after: it can be made while the logits are
there, and be multiplied in the backward pass by the gradient of each token's log probability. That saves one
of three products with the largest matrix of the model. The quantities and their names are TRL's.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch

_TILE_BYTES = 2**28
_OURS = {"log_probs", "entropy", "is_top1"}
_EXPECTED = [
    "hidden", "weight", "bias", "targets", "temperature", "chunk_size", "final_logit_softcapping",
    "logit_scale", "outputs",
]  # fmt: skip


def take(like: torch.Tensor | None = None) -> bool:
    """Put this head in the place of TRL's in this process.

    False if TRL's is not as it is known here, or if on the device and in the type of `like` this head does
    not give what TRL's does.

    Calls that it does not serve (other outputs, capped or scaled logits, a head that is trained) go to TRL's.
    On a CPU, too, only labelled tokens are scored from now on: TRL scores all of them where Triton is absent,
    lest changing shapes recompile, and a CPU compiles nothing. Of tool calls one token in seven has a label.
    """
    try:
        from trl.trainer import utils
    except ImportError:
        return False
    plain = getattr(utils, "_ChunkedLogProbFunction", None)
    if plain is _Door:
        return True
    if plain is None or list(inspect.signature(plain.forward).parameters)[1:] != _EXPECTED:
        return False
    _Door.plain = plain
    if like is not None and not _sound(plain, like):
        return False
    utils._ChunkedLogProbFunction = _Door
    if hasattr(utils, "_use_triton"):
        utils._use_triton = lambda device: True
    return True


def _sound(plain: Any, like: torch.Tensor) -> bool:
    """Whether both heads agree on a small random problem: log probabilities, entropies, the gradient."""
    draw = torch.Generator().manual_seed(0)
    hidden, weight = (torch.randn(n, 64, generator=draw).to(like) for n in (100, 5000))
    targets = torch.randint(0, 5000, (100,), generator=draw).to(like.device)
    made = []
    try:
        for function in (_Door, plain):
            leaf = hidden.clone().requires_grad_()
            with torch.enable_grad(), torch.autocast(like.device.type, enabled=False):
                given = function.apply(
                    leaf, weight, None, targets, 1.0, 2048, None, 1.0, tuple(sorted(_OURS))
                )
                (gradient,) = torch.autograd.grad(given[0].sum(), leaf)
            made.append((given[0].detach().float(), given[1].detach().float(), gradient.float()))
    except Exception:  # the kernels cannot be compiled here, for one
        return False
    return all((a - b).norm() <= 2e-2 * b.norm() for a, b in zip(*made, strict=True))


class _Door:
    """What TRL calls: `apply`, of an autograd function."""

    plain: Any = None

    @staticmethod
    def apply(
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        temperature: float,
        chunk_size: int,
        softcap: float | None,
        scale: float,
        outputs: tuple[str, ...],
    ) -> Any:
        serves = (
            bias is None
            and temperature == 1
            and softcap is None
            and scale == 1
            and _OURS.issuperset(outputs)
            and not weight.requires_grad
            and hidden.dtype == weight.dtype
            and hidden.device.type in ("cpu", "cuda")
            and len(hidden) > 0
        )
        if not serves:
            return _Door.plain.apply(
                hidden, weight, bias, targets, temperature, chunk_size, softcap, scale, outputs
            )
        with torch.autocast(hidden.device.type, enabled=False):
            log_probs, entropy, top1 = _Head.apply(  # type: ignore[no-untyped-call]
                hidden, weight, targets, torch.is_grad_enabled()
            )
        return (
            log_probs,
            entropy if "entropy" in outputs else None,
            None,
            None,
            top1 if "is_top1" in outputs else None,
        )


class _Head(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, grad: bool
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        tokens, vocabulary = len(hidden), len(weight)
        wide = torch.promote_types(hidden.dtype, torch.float32)
        log_probs = torch.empty(tokens, dtype=wide, device=hidden.device)
        entropy = torch.empty_like(log_probs)
        top1 = torch.empty(tokens, dtype=torch.bool, device=hidden.device)
        unit = torch.empty_like(hidden) if grad and hidden.requires_grad else None
        step = max(64, _TILE_BYTES // (vocabulary * hidden.element_size()) // 64 * 64)
        room = torch.empty((min(step, tokens), vocabulary), dtype=hidden.dtype, device=hidden.device)
        for start in range(0, tokens, step):
            part = slice(start, min(start + step, tokens))
            logits = room[: part.stop - part.start]
            torch.mm(hidden[part], weight.t(), out=logits)
            score(logits, targets[part], log_probs[part], entropy[part], top1[part], unit is not None)
            if unit is not None:
                torch.mm(logits, weight, out=unit[part])
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(top1)
        ctx.save_for_backward(unit)
        return log_probs, entropy, top1

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor | None, grad_entropy: torch.Tensor | None, _: Any) -> Any:
        if grad_entropy is not None:
            raise NotImplementedError(
                "the fast LM head has no gradient of the entropy; set model.kernels off."
            )
        (unit,) = ctx.saved_tensors
        made = None if grad is None else (unit * grad[:, None]).to(unit.dtype)
        return made, None, None, None


def score(
    logits: torch.Tensor,
    targets: torch.Tensor,
    log_probs: torch.Tensor,
    entropy: torch.Tensor,
    top1: torch.Tensor,
    grad: bool,
) -> None:
    """Of (T, V) logits: log p(target), the entropy, and whether the target is the (first) largest.

    With `grad` the logits are overwritten by d log p(target) / d logits = 1[target] - softmax(logits).
    """
    if logits.is_cuda:
        from tuner_tui.recipes.kernels import triton_score

        triton_score.score(logits, targets, log_probs, entropy, top1, grad)
        return
    places = targets[:, None]
    wide = logits.to(log_probs.dtype)
    torch.eq(wide.argmax(-1), targets, out=top1)
    total = torch.logsumexp(wide, dim=-1)
    torch.sub(wide.gather(-1, places)[:, 0], total, out=log_probs)
    chances = (wide - total[:, None]).exp_()
    torch.sub(total, torch.linalg.vecdot(chances, wide), out=entropy)
    if grad:
        torch.neg(chances, out=chances)
        chances.scatter_add_(-1, places, torch.ones_like(places, dtype=chances.dtype))
        logits.copy_(chances)
