"""How many rows a card can answer at once: the more, the less each waits for the weights to be read."""

from typing import Any

import torch

MOST = 64
"""Rows. On an H200 an 8B model makes 7.2 times the tokens a second with 64 rows as with 8; with 256 it made
fewer than with 64."""

_SHARE = 0.5
"""Of what the weights leave free; the rest is for the copies that a growing cache and a first pass make."""


def rows_at_once(model: Any, tokens: int, least: int) -> int:
    """Rows of `tokens` tokens, prompt and answer together: `least` on a CPU, up to MOST on a CUDA device.

    Counted are the keys and values of every layer, twice, since a cache that grows is copied, and the widest
    that the first pass holds of a token. It depends on the card and the model alone, not on what is free at
    the moment: both arms of an evaluation, and one that is resumed, have the same batches.
    """
    if model.device.type != "cuda":
        return least
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    wide = 4 * config.hidden_size + 3 * (getattr(config, "intermediate_size", None) or 4 * config.hidden_size)
    each = model.dtype.itemsize * (4 * config.num_hidden_layers * heads * size + wide)
    total = torch.cuda.get_device_properties(model.device).total_memory
    free = total - sum(weight.numel() * weight.element_size() for weight in model.parameters())
    return max(least, min(MOST, int(_SHARE * free / (each * tokens))))
