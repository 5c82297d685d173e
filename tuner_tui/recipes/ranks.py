"""One run in several processes, one for each GPU: which of them this is, and what they decide together.

torchrun (or srun and torchrun) starts them and says so in the environment. The process of rank 0 alone writes
the run directory. Where a run has one process, everything here is trivial; torch is imported only where it
has more.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuner_tui.runs import layout


def rank() -> int:
    """The number of this process among all of the run; 0 is the one that writes."""
    return int(os.environ.get("RANK", "0"))


def local_rank() -> int:
    """The number of this process on its machine: the GPU that it takes."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def world() -> int:
    """How many processes the run has."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this process writes the run directory."""
    return rank() == 0


def agree(flags: Sequence[bool]) -> list[bool]:
    """Each flag that any process raised: all get the same answer, and all have to ask.

    A file or a signal is not seen by all in the same step; who acts alone would leave the others waiting.
    """
    if world() == 1:
        return list(flags)
    import torch
    from torch import distributed

    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    raised = torch.tensor([float(flag) for flag in flags], device=device)
    distributed.all_reduce(raised, op=distributed.ReduceOp.MAX)
    return [bool(value) for value in raised.tolist()]


def share(value: Any) -> Any:
    """What rank 0 has, in all processes; anything that can be pickled."""
    if world() == 1:
        return value
    from torch import distributed

    box = [value]
    distributed.broadcast_object_list(box, src=0)
    return box[0]


def barrier() -> None:
    """Wait until all processes are here."""
    if world() > 1:
        from torch import distributed

        distributed.barrier()


def leave_fault(run_dir: Path, reason: str) -> None:
    """Say why this process, another than the first, ends the run; the first may be waiting, and looks."""
    (run_dir / layout.FAULT).write_text(f"process {rank()} of {world()}: {reason}", "utf-8")


def fault(run_dir: Path) -> str | None:
    """Why another process has ended the run, if one has."""
    try:
        return (run_dir / layout.FAULT).read_text("utf-8") or None
    except OSError:
        return None
