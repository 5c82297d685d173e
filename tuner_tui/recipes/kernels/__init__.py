"""The fast path of training on one card, chosen by what is there.

Three stages, each better than the next, each equal to the plain model in what it computes:

1. fast layers (`layer.py`): decoder layers of the Llama family with a frozen base and LoRA, as single steps
2. attention over rows laid end to end (`interface.py`), and Liger's layers where that package is installed
3. the model as transformers has it

`fast_path` chooses and says why in one sentence; `apply` does it for a trainer of transformers or TRL.
"""

from __future__ import annotations

from typing import Any

from tuner_tui.recipes.kernels.chosen import FastPath

__all__ = ["FastPath", "apply", "fast_path"]


def apply(trainer: Any, config: Any) -> FastPath:
    """Choose the fast path for a trainer that has its model and adapter, before `train`.

    Args:
        trainer: of transformers or TRL; checkpointing is taken out of its hands.
        config: a TrainConfig.
    """
    distributed = bool(trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled)
    made = fast_path(
        trainer.model,
        kernels=config.model.kernels,
        attention=config.model.attention,
        checkpointing=config.optimization.gradient_checkpointing,
        sharded=distributed,
    )
    if not distributed:
        trainer.args.gradient_checkpointing = False
    return made


def fast_path(
    model: Any,
    *,
    kernels: str = "auto",
    attention: str = "auto",
    checkpointing: str = "none",
    sharded: bool = False,
) -> FastPath:
    """Put the fastest stage that works into a model (a PeftModel, or a model of transformers).

    Args:
        kernels: "auto", or "off" for the model as it is.
        attention: "auto" or "varlen"; any other name is left to transformers.
        checkpointing: "none", "selective" (every other layer is computed again) or "full" (every layer).
        sharded: the weights will be spread over several cards: layers may not be replaced.
    """
    from tuner_tui.recipes.kernels import choice

    return choice.choose(model, kernels, attention, checkpointing, sharded)
