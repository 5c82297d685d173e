"""What the training benchmarks share: models of random weights in known shapes, and synthetic tool calls.

Random weights cost what trained ones cost, in time and in memory; the loss means nothing.
"""

import json
import random
from pathlib import Path
from typing import Any

from tuner_tui import paths

LLAMA = {"rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}, "num_key_value_heads": 8}
QWEN_3 = {
    "model_type": "qwen3",
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151936,
}
SHAPES: dict[str, dict[str, Any]] = {
    # hidden, feed-forward, layers, heads, vocabulary: from the models' config.json
    "llama-8b": {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "vocab_size": 128256,
        **LLAMA,
    },
    "llama-70b": {
        "model_type": "llama",
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_hidden_layers": 80,
        "num_attention_heads": 64,
        "vocab_size": 128256,
        **LLAMA,
    },
    "qwen3-0.6b": {
        **QWEN_3,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "tie": True,
    },
    "qwen3-4b": {
        **QWEN_3,
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "tie": True,
    },
    "qwen3-8b": {
        **QWEN_3,
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
    },
    "qwen3-14b": {
        **QWEN_3,
        "hidden_size": 5120,
        "intermediate_size": 17408,
        "num_hidden_layers": 40,
        "num_attention_heads": 40,
    },
    "gemma2-2b": {
        "model_type": "gemma2",
        "hidden_size": 2304,
        "intermediate_size": 9216,
        "num_hidden_layers": 26,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "vocab_size": 256000,
        "tie": True,
    },
    "gemma3-4b": {
        "model_type": "gemma3_text",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 34,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "vocab_size": 262208,
        "tie": True,
    },
    "llama-tiny": {
        "model_type": "llama",
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_hidden_layers": 4,
        "num_attention_heads": 8,
        "vocab_size": 4096,
        **LLAMA,
    },
}
WORDS = ("order", "ticket", "weather", "invoice", "customer", "route", "meeting", "device", "sensor")


def make_model(folder: Path, shape: dict[str, Any], layers: int | None = None) -> None:
    """Save a model of random weights in bfloat16, with the embedded model's tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(paths.embedded_model())
    sizes = {name: value for name, value in shape.items() if name != "tie"}
    config = AutoConfig.for_model(
        **{**sizes, **({"num_hidden_layers": layers} if layers else {})},
        max_position_embeddings=32768,
        tie_word_embeddings=shape.get("tie", False),
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            model = AutoModelForCausalLM.from_config(config)
    finally:
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    del model
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def make_calls(path: Path, rows: int) -> None:
    """Conversations of one request and one call, with four tools each; about 700 tokens a row."""
    random.seed(0)
    with path.open("w") as file:
        for number in range(rows):
            tools = [_tool(f"{random.choice(WORDS)}_{random.choice(WORDS)}_{number}_{i}") for i in range(4)]
            chosen = random.choice(tools)["function"]["name"]
            arguments = {"name": random.choice(WORDS), "count": random.randint(1, 99)}
            call = {"type": "function", "function": {"name": chosen, "arguments": arguments}}
            request = f"Use {chosen} for {arguments['count']} of {arguments['name']}, please."
            messages = [
                {"role": "user", "content": request},
                {"role": "assistant", "content": "", "tool_calls": [call]},
            ]
            file.write(json.dumps({"messages": messages, "tools": tools}) + "\n")


def _tool(name: str) -> dict[str, Any]:
    """A tool with two required parameters."""
    properties = {
        "name": {"type": "string", "description": f"What to {random.choice(WORDS)}."},
        "count": {"type": "integer", "description": f"How many, of the {random.choice(WORDS)}."},
    }
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    description = " ".join(random.choices(WORDS, k=12)).capitalize() + "."
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}
