"""RLOO with the rewards of tool calls."""

from typing import Any

from benchmarks.learning import groups


def measure(seed: int) -> dict[str, Any]:
    """See `groups.measure`."""
    return groups.measure("rloo", seed)
