"""Attention over packed rows, forward and backward: FlashAttention 4 beside the kernels that torch ships.

    python benchmarks/attention.py       # a Hopper GPU (H100, H200), and `pip install '.[hopper]'`

32 query and 8 key heads of 128, in bfloat16, as views of one product, as the fast layers have them; rows of
log-normal lengths laid end to end. Medians of twenty; "apart" is the worst of the output and the three
gradients, ‖one - other‖ / ‖other‖.
"""

import sys

del sys.path[0]  # this folder's inspect.py would hide the standard library's

import argparse
import random
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent))

import torch

from benchmarks.training.workload import lengths
from tuner_tui.recipes.kernels import flash4
from tuner_tui.recipes.kernels.flash import Heads, flash, flash_backward
from tuner_tui.recipes.kernels.layouts import Layout

QUERIES, KEYS, SIZE = 32, 8, 128
CASES = ((8192, 2048, 450.0), (8192, 8192, 3000.0), (32768, 32768, 12000.0))
"""Tokens in all, the longest row, the median row."""


def main() -> int:
    """Print one line for each case."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    if not torch.cuda.is_available():
        print("this needs a CUDA device.", file=sys.stderr)
        return 1
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}; milliseconds, forward + backward")
    for tokens, longest, median in CASES:
        print(case(rows(tokens, longest, median)), flush=True)
    return 0


def rows(tokens: int, longest: int, median: float) -> list[int]:
    """Lengths whose sum is `tokens`; the last row is what is left."""
    found: list[int] = []
    for length in lengths(tokens, longest, median):
        found.append(min(length, tokens - sum(found)))
        if sum(found) == tokens:
            break
    random.Random(0).shuffle(found)
    return found


def case(parts: list[int]) -> str:
    """One line of the table."""
    tokens = sum(parts)
    both = torch.randn(tokens, QUERIES + 2 * KEYS, SIZE, device="cuda", dtype=torch.bfloat16)
    q, k, v = both[:, :QUERIES], both[:, QUERIES : QUERIES + KEYS], both[:, QUERIES + KEYS :]
    grad = torch.randn_like(q, memory_format=torch.contiguous_format)
    starts = torch.tensor([0, *parts], dtype=torch.int32).cumsum(0, dtype=torch.int32).cuda()
    layout, heads = Layout(starts, max(parts)), Heads(SIZE**-0.5)
    out, saved = flash(q, k, v, layout, heads)
    wanted = (out, *flash_backward(grad, q, k, v, out, saved, layout, heads))
    theirs = (
        milliseconds(lambda: flash(q, k, v, layout, heads)),
        milliseconds(lambda: flash_backward(grad, q, k, v, out, saved, layout, heads)),
    )
    said = f"{tokens} tokens in {len(parts)} rows: torch's {theirs[0]:.2f} + {theirs[1]:.2f}"
    began = time.perf_counter()
    if not flash4.sound(q, k, heads.scale, None):
        return f"{said}; FlashAttention 4 is not there, or not sound here"
    ready = time.perf_counter() - began
    about = (starts, layout.longest, heads.scale, None)
    mine, sums = flash4.attend(q, k, v, *about)
    made = (mine, *flash4.attend_backward(grad, q, k, v, mine, sums, *about))
    ours = (
        milliseconds(lambda: flash4.attend(q, k, v, *about)),
        milliseconds(lambda: flash4.attend_backward(grad, q, k, v, mine, sums, *about)),
    )
    apart = max(float((a - b).float().norm() / b.float().norm()) for a, b in zip(made, wanted, strict=True))
    return (
        f"{said}; FlashAttention 4 {ours[0]:.2f} + {ours[1]:.2f}, {sum(ours) / sum(theirs):.2f} of the time, "
        f"{apart:.1e} apart; ready in {ready:.1f} s"
    )


def milliseconds(run: Any) -> float:
    """The median of twenty runs, by the device's clock."""
    taken = []
    for number in range(23):
        start, end = (torch.Event("cuda", enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        end.synchronize()
        if number >= 3:
            taken.append(float(start.elapsed_time(end)))
    return sorted(taken)[len(taken) // 2]


if __name__ == "__main__":
    sys.exit(main())
