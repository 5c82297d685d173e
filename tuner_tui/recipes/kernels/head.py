"""The LM head, on a CPU, only where there is something to learn."""

from __future__ import annotations


def compact(cuda: bool) -> None:
    """Let TRL's fused LM head score only labelled tokens on a CPU as it does on a GPU.

    In tool calling one token in seven has a label. TRL scores all of them where Triton is absent, lest
    changing shapes recompile; a CPU compiles nothing. The question that TRL asks there is a private function;
    if it goes by another name one day, nothing is changed.
    """
    if cuda:
        return
    try:
        from trl.trainer import utils
    except ImportError:
        return
    if hasattr(utils, "_use_triton"):
        utils._use_triton = lambda device: True
