"""A tiny model of random weights with the shipped tokenizer: what it says is nonsense, how likely is not."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tuner_tui import paths


def make_tiny(folder: Path, window: int = 128, spread: float = 0.2) -> Path:
    """Two layers of width 64.

    Args:
        window: tokens that it can see.
        spread: standard deviation of the weights; with a small one all tokens are about as likely.
    """
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(paths.embedded_model())
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=window,
        tie_word_embeddings=True,
        initializer_range=spread,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(shape).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_adapter(folder: Path, width: int, layer: str = "q_proj") -> Path:
    """An adapter of random numbers for the first layer of such a model, in peft's format.

    Written by hand: importing torch here would cost more than a test of the evaluator, a process of its own.
    """
    folder.mkdir()
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": 2,
        "lora_alpha": 64,
        "target_modules": [layer],
        "layers_to_transform": [0],
        "base_model_name_or_path": "embedded",
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    random = np.random.default_rng(0)
    prefix = f"base_model.model.model.layers.0.self_attn.{layer}.lora"
    save_file(
        {
            f"{prefix}_A.weight": random.normal(size=(2, width)).astype(np.float32),
            f"{prefix}_B.weight": random.normal(size=(width, 2)).astype(np.float32),
        },
        folder / "adapter_model.safetensors",
    )
    return folder
