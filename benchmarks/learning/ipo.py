"""IPO on the sample pairs."""

from typing import Any

from benchmarks.learning import preference


def measure(seed: int) -> dict[str, Any]:
    """See `preference.measure`."""
    return preference.measure("ipo", seed)
