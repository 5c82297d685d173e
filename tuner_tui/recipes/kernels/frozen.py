"""The frozen weights of linear layers: as they are, or dequantized from NF4 into a buffer that all share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

_rooms: dict[tuple[torch.device, torch.dtype, int], _Room] = {}


@dataclass
class _Room:
    """Memory that layers use in turn, and whose weights it holds: the device works in order, so the next may
    write when it asks."""

    memory: torch.Tensor
    holder: Stack | None = None


class Stack:
    """Weights (out, in) of layers that read one input, one above the other.

    Quantized ones are dequantized into a room; stacks that are wanted at once have different rooms.

    Attributes:
        rows: the sum of their outs.
        spans: each layer's rows.
        bias: (rows,), or None.
    """

    def __init__(self, layers: list[Any], room: int = 0) -> None:
        self._layers = layers
        self._room = room
        self.quantized = hasattr(layers[0].weight, "quant_state")
        self.spans, self.rows = [], 0
        for layer in layers:
            self.spans.append(slice(self.rows, self.rows + layer.out_features))
            self.rows += layer.out_features
        self.columns = layers[0].in_features
        biases = [layer.bias for layer in layers]
        self.bias = None
        if any(bias is not None for bias in biases):
            whole = torch.zeros(self.rows, dtype=layers[0].bias.dtype, device=layers[0].bias.device)
            for span, bias in zip(self.spans, biases, strict=True):
                if bias is not None:
                    whole[span] = bias.detach()
            self.bias = whole
        self._whole: torch.Tensor | None = None
        if not self.quantized:
            self._join()

    def _join(self) -> None:
        """Lay the weights into one matrix; the layers keep views of it, so that nothing is held twice."""
        if len(self._layers) == 1:
            return
        whole = torch.cat([layer.weight.detach() for layer in self._layers])
        for layer, span in zip(self._layers, self.spans, strict=True):
            layer.weight.data = whole[span]
        self._whole = whole

    def matrix(self, like: torch.Tensor) -> torch.Tensor:
        """The weights, (rows, in), in the type of `like`.

        Those of quantized layers are valid until another stack of the same room asks for its own.
        """
        if not self.quantized:
            whole = self._layers[0].weight.detach() if self._whole is None else self._whole
            return whole.to(like.dtype)
        size = self.rows * self.columns
        key = (like.device, like.dtype, self._room)
        room = _rooms.get(key)
        if room is None or room.memory.numel() < size:
            room = _rooms[key] = _Room(torch.empty(size, dtype=like.dtype, device=like.device))
        matrix = room.memory[:size].view(self.rows, self.columns)
        if room.holder is not self:
            for layer, span in zip(self._layers, self.spans, strict=True):
                dequantize(layer.weight, matrix[span])
            room.holder = self
        return matrix


def forget() -> None:
    """Give the memory of the rooms back; what they hold is made again when it is asked for."""
    _rooms.clear()


def dequantize(weight: Any, out: torch.Tensor) -> None:
    """The values of a bitsandbytes 4-bit parameter, written to `out` (out, in), contiguous."""
    state = weight.quant_state
    if weight.is_cuda and state.quant_type == "nf4" and state.blocksize == 64 and out.numel() % 64 == 0:
        from tuner_tui.recipes.kernels import triton_nf4

        triton_nf4.nf4(weight.data, state, out)
        return
    from bitsandbytes.functional import dequantize_4bit

    out.copy_(dequantize_4bit(weight.data, state))
