"""The norms of query and key heads, which some models have (Qwen 3, Gemma 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class HeadNorms:
    """The norms of query and key heads: weights (D,) each, and how many heads there are of each."""

    query: torch.Tensor
    key: torch.Tensor
    eps: float
    queries: int
    keys: int

    def per_head(self) -> torch.Tensor:
        """The weights, (queries + keys, D)."""
        return torch.cat([self.query.expand(self.queries, -1), self.key.expand(self.keys, -1)])
