"""The base model of a run: the model that is named, or that with an earlier adapter merged into it."""

from typing import Any

import torch
from transformers import AutoModelForCausalLM

from tuner_tui.recipes import ranks
from tuner_tui.recipes.merge import ensure
from tuner_tui.recipes.model import load_base
from tuner_tui.training.config import TrainConfig


def base_for(
    config: TrainConfig, dtype: torch.dtype, kind: Any = AutoModelForCausalLM, **options: Any
) -> Any:
    """The base model of a run, an adapter of an earlier run merged into it, ready to be trained.

    Args:
        dtype: of the computation. Without an adapter the weights themselves are trained, and are float32.
        kind: the Auto class of transformers that loads it.
        options: for its `from_pretrained`, such as `num_labels`.

    Raises:
        UserError: it cannot be loaded.
    """
    model = load_base(
        ensure(config),
        dtype if config.lora.enabled else torch.float32,
        bits=config.quantization.bits,
        double=config.quantization.double,
        attention=config.model.attention,
        kind=kind,
        # FSDP and ZeRO-3 divide only what has the number type of the rest of the layer.
        storage=dtype if config.launch.engine in ("fsdp", "deepspeed") and ranks.world() > 1 else torch.uint8,
        **options,
    )
    model.config.use_cache = False
    return model
