"""Frozen linear layers that read one input, with their LoRA adapters: forward and backward, without autograd.

y = x Wᵀ + b + s · (x Aᵀ) Bᵀ (arXiv:2106.09685). The layers of a group (q, k, v; gate, up) are computed as
one: their weights one above the other, their As as well, their Bs on a block diagonal. The adapters' own
weights may be float32; a copy in the type of the computation is kept, and made anew when they have changed.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import LoraLayer

from tuner_tui.recipes.kernels import frozen


class Shadow:
    """One adapter of a group of layers, in the type of the computation, as two matrices.

    Attributes:
        a: (R, in), the members' As one above the other, each times its scaling.
        b: (out, R), block diagonal.
        parameters: A and B of each member, in order; the gradients are returned in that order.
    """

    def __init__(
        self, members: list[tuple[LoraLayer, slice]], name: str, like: torch.Tensor, rows: int
    ) -> None:
        self.parameters: list[torch.nn.Parameter] = []
        self.scalings: list[float] = []
        self.parts: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._blocks: list[tuple[slice, slice]] = []
        rank = sum(layer.r[name] for layer, _ in members)
        self.a = torch.empty((rank, members[0][0].in_features), dtype=like.dtype, device=like.device)
        self.b = torch.zeros((rows, rank), dtype=like.dtype, device=like.device)
        start = 0
        for layer, span in members:
            ranks = slice(start, start + layer.r[name])
            start = ranks.stop
            self.parameters += [layer.lora_A[name].weight, layer.lora_B[name].weight]
            self.parts.append((self.a[ranks], self.b[span, ranks]))
            self.scalings.append(float(layer.scaling[name]))
            self._blocks.append((span, ranks))

    def gradients(
        self, x: torch.Tensor, xa: torch.Tensor, grad: torch.Tensor, grad_xa: torch.Tensor
    ) -> list[torch.Tensor]:
        """The gradients of `parameters`, float32 at least: dB = gradᵀ (s x Aᵀ), dA = s · (grad B)ᵀ x."""
        d_a, d_b = _wide_product(grad_xa.t(), x), _wide_product(grad.t(), xa)
        made = []
        for (span, ranks), scaling in zip(self._blocks, self.scalings, strict=True):
            made += [d_a[ranks] * scaling, d_b[span, ranks]]
        return made


def refresh(shadows: list[Shadow]) -> None:
    """Copy the adapters' weights as they are now, all layers' at once.

    At every forward pass: that a weight has changed cannot be seen (fused optimizers leave its version
    counter alone), and the copy costs less than a thousandth of the pass.
    """
    if not shadows:
        return
    with torch.no_grad():
        scalings = [scaling for shadow in shadows for scaling in shadow.scalings]
        scaled = torch._foreach_mul([p.detach() for s in shadows for p in s.parameters[::2]], scalings)
        torch._foreach_copy_([a for shadow in shadows for a, _ in shadow.parts], scaled)
        targets = [b for shadow in shadows for _, b in shadow.parts]
        torch._foreach_copy_(targets, [p.detach() for s in shadows for p in s.parameters[1::2]])


class Group:
    """Linear layers that read the same input, computed as one."""

    def __init__(self, layers: list[Any], room: int = 0) -> None:
        self._layers = layers
        bases = [layer.get_base_layer() if isinstance(layer, LoraLayer) else layer for layer in layers]
        self.frozen = frozen.Stack(bases, room)
        self._spans = self.frozen.spans
        self._shadows: dict[str, Shadow] = {}

    def shadow(self, like: torch.Tensor) -> Shadow | None:
        """The active adapter, or None if there is none or it is switched off; `refresh` fills it.

        Args:
            like: a tensor of the type and on the device of the computation.

        Raises:
            NotImplementedError: several adapters are active at once, or one is merged.
        """
        names, members = set(), []
        for layer, span in zip(self._layers, self._spans, strict=True):
            if not isinstance(layer, LoraLayer) or layer.disable_adapters:
                continue
            if layer.merged:
                raise NotImplementedError("an adapter is merged into the weights")
            active = [name for name in layer.active_adapters if name in layer.lora_A]
            if active:
                names.update(active)
                members.append((layer, span))
        if not names:
            return None
        if len(names) > 1:
            raise NotImplementedError("several adapters are active at once")
        name = names.pop()
        shadow = self._shadows.get(name)
        mine = [
            weight
            for layer, _ in members
            for weight in (layer.lora_A[name].weight, layer.lora_B[name].weight)
        ]
        known = shadow is not None and all(a is b for a, b in zip(shadow.parameters, mine, strict=False))
        if not known or shadow is None or shadow.a.dtype != like.dtype or shadow.a.device != like.device:
            shadow = self._shadows[name] = Shadow(members, name, like, self.frozen.rows)
        return shadow

    def forward(
        self, x: torch.Tensor, shadow: Shadow | None, onto: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """y (T, out), with `onto` added, and s·x Aᵀ (T, R).

        The sum with `onto` (the residual) is made inside the matrix product, in its accumulators.
        """
        weight, bias = self.frozen.matrix(x), self.frozen.bias
        if onto is not None:
            y = torch.addmm(onto, x, weight.t())
            if bias is not None:
                y += bias
        else:
            y = torch.mm(x, weight.t()) if bias is None else torch.addmm(bias, x, weight.t())
        if shadow is None:
            return y, None
        xa = torch.mm(x, shadow.a.t())
        return y.addmm_(xa, shadow.b.t()), xa

    def backward(
        self,
        grad: torch.Tensor,
        x: torch.Tensor | None,
        xa: torch.Tensor | None,
        shadow: Shadow | None,
        *,
        by_input: bool = True,
        by_adapter: bool = True,
    ) -> tuple[torch.Tensor | None, list[torch.Tensor] | None]:
        """The gradients by the input (T, in), and by the adapter's parameters."""
        made, grad_xa = None, None
        if shadow is not None and (by_input or by_adapter):
            grad_xa = torch.mm(grad, shadow.b)
        if by_input:
            made = torch.mm(grad, self.frozen.matrix(grad))
            if shadow is not None and grad_xa is not None:
                made.addmm_(grad_xa, shadow.a)
        gradients = None
        if by_adapter and shadow is not None and x is not None and xa is not None and grad_xa is not None:
            gradients = shadow.gradients(x, xa, grad, grad_xa)
        return made, gradients


def _wide_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a · b as float32, summed in float32, of 16-bit matrices; in their own type if they are wider."""
    if a.dtype.itemsize > 2:
        return torch.mm(a, b)
    if a.is_cuda:
        return torch.mm(a, b, out_dtype=torch.float32)
    return torch.mm(a.float(), b.float())
