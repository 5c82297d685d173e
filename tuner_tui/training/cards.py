"""GPUs: which one is here, how much memory it has, how fast it multiplies."""

import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU.

    `memory` is in bytes; `speed` is what matrix products of 16-bit numbers reach, in operations a second,
    None where it is not known; `count` is how many of them there are.
    """

    name: str
    memory: int
    speed: float | None
    count: int = 1


_SPEEDS = {
    # Dense bfloat16 by the makers' data sheets, in TFLOP/s; longer names first.
    "B200": 2250.0,
    "H200": 989.0,
    "H100 PCIe": 756.0,
    "H100 NVL": 835.0,
    "H100": 989.0,
    "A100": 312.0,
    "A10G": 70.0,
    "A10": 125.0,
    "A30": 165.0,
    "A40": 150.0,
    "A6000": 155.0,
    "L40S": 362.0,
    "L40": 181.0,
    "L4": 121.0,
    "RTX 5090": 210.0,
    "RTX 4090": 165.0,
    "RTX 4080": 97.0,
    "RTX 3090": 71.0,
}


def speed_of(name: str) -> float | None:
    """Operations a second of a GPU of this name, by its maker's word; None for an unknown one."""
    for part, teraflops in _SPEEDS.items():
        if part.lower() in name.lower():
            return teraflops * 1e12
    return None


@lru_cache(maxsize=1)
def detect() -> Card | None:
    """The GPU of this machine (the smallest, of several kinds), without torch; None when there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=15, stdin=subprocess.DEVNULL)
        rows = [line.rsplit(",", 1) for line in done.stdout.splitlines() if "," in line]
        cards = [(int(memory) * 2**20, name.strip()) for name, memory in rows]
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    if not cards:
        return None
    memory, name = min(cards)
    return Card(name, memory, speed_of(name), len(cards))
