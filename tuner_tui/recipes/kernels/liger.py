"""Liger's layers (norms, rotary positions, gated activations as Triton kernels) in a model."""

from __future__ import annotations

import importlib.util
import inspect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Taken:
    """Whether they were, and half a sentence about it."""

    taken: bool
    sentence: str


def take(base: Any) -> Taken:
    """Put Liger's layers into a model, if the package is there and knows it.

    Its fused loss is left out: TRL has one of its own, which it would replace.
    """
    if importlib.util.find_spec("liger_kernel") is None:
        return Taken(False, "plain layers (liger-kernel is not installed: pip install 'tuner-tui[cuda]')")
    from liger_kernel.transformers import monkey_patch

    kind = base.config.model_type
    put = monkey_patch.MODEL_TYPE_TO_APPLY_LIGER_FN.get(kind)
    if put is None:
        return Taken(False, f"plain layers (Liger has none for {kind})")
    off = dict.fromkeys(("cross_entropy", "fused_linear_cross_entropy"), False)
    known = inspect.signature(put).parameters
    try:
        put(model=base, **{name: value for name, value in off.items() if name in known})
    except Exception as error:
        return Taken(False, f"plain layers (Liger failed: {str(error).splitlines()[0][:120]})")
    return Taken(True, "Liger's layers")
