"""Where the rows of a batch lie, told from the arguments of a model's forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class Layout:
    """Where the rows lie among T tokens.

    Attributes:
        starts: (rows + 1,) int32 on the device: the first token of each row, and T.
        longest: tokens of the longest row.
        keep: (T,) the places of these tokens in a padded batch, or None if nothing was padded.
        shape: (rows, width) of that padded batch.
    """

    starts: torch.Tensor
    longest: int
    keep: torch.Tensor | None = None
    shape: tuple[int, int] | None = None
    _bounds: list[int] = field(default_factory=list)

    @property
    def bounds(self) -> list[int]:
        """`starts` on the host."""
        if not self._bounds:
            self._bounds = self.starts.tolist()
        return self._bounds


def layout_of(tokens: torch.Tensor, arguments: Mapping[str, Any]) -> Layout | None:
    """The layout of a batch, or None if it is of a kind that is not understood.

    Args:
        tokens: (rows, width) ids, or (rows, width, H) embeddings.
        arguments: of the forward pass. In this order: `cu_seq_lens_q` with `max_length_q` (TRL's collators
            for packing and padding-free batches give them), `attention_mask` (rows, width), `position_ids`
            that start anew at each row, or whole rows.
    """
    rows, width = tokens.shape[:2]
    starts, mask = arguments.get("cu_seq_lens_q"), arguments.get("attention_mask")
    positions = arguments.get("position_ids")
    if starts is not None:
        longest = arguments.get("max_length_q")
        if rows != 1:
            return None
        longest = int(longest) if longest is not None else int(starts.diff().max())
        return Layout(starts.to(device=tokens.device, dtype=torch.int32), longest)
    if mask is not None:
        return _from_mask(mask, rows, width, tokens.device)
    if positions is not None and positions.ndim == 2:
        return _from_positions(positions.expand(rows, width), tokens.device)
    if positions is not None:
        return None
    return _whole(rows, width, tokens.device)


def _whole(rows: int, width: int, device: torch.device) -> Layout:
    return Layout(torch.arange(0, rows * width + 1, width, dtype=torch.int32, device=device), width)


def _from_mask(mask: Any, rows: int, width: int, device: torch.device) -> Layout | None:
    if not isinstance(mask, torch.Tensor) or mask.shape != (rows, width):
        return None
    mask = mask.to(device).bool()
    lengths = [count for count in mask.sum(1).tolist() if count]
    if not lengths:
        return None
    if len(lengths) * width == sum(lengths) and len(lengths) == rows:
        return _whole(rows, width, device)
    starts = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32).to(device)
    return Layout(starts, max(lengths), keep=mask.flatten().nonzero().flatten())


def _from_positions(positions: torch.Tensor, device: torch.device) -> Layout | None:
    rows, width = positions.shape
    flat = positions.to(device) == 0
    flat[:, 0] = True  # a row may go on from another, as in a cache: its first token begins it here
    starts = flat.flatten().nonzero().flatten().to(torch.int32)
    starts = torch.cat([starts, starts.new_tensor([rows * width])])
    return Layout(starts, int(starts.diff().max()))
