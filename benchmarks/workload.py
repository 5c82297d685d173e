"""What the training benchmarks share: models of random weights in known shapes, and synthetic tool calls.

Random weights cost what trained ones cost, in time and in memory; the loss means nothing.
"""

import json
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
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
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = make_tokenizer(folder)
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
    del model
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def make_tokenizer(folder: Path) -> Any:
    """Save the embedded model's tokenizer; returned, too."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(paths.embedded_model())
    tokenizer.save_pretrained(folder)
    return tokenizer


def make_quantized_model(folder: Path, shape: dict[str, Any], layers: int | None = None) -> None:
    """Save a model of random weights in NF4, packed as bfloat16 as FSDP needs it.

    All layers hold the same weights: one is made and quantized, and written under the name of each. 70B take
    seconds so, and 40 GB.
    """
    import torch
    from safetensors.torch import save_file

    from tuner_tui.recipes.model import load_base

    count = layers or shape["num_hidden_layers"]
    make_model(folder / "one", shape, 1)
    options = {"bits": 4, "double": True, "storage": torch.bfloat16}
    load_base(str(folder / "one"), torch.bfloat16, **options).save_pretrained(folder)
    shutil.rmtree(folder / "one")
    config = json.loads((folder / "config.json").read_text())
    config["num_hidden_layers"] = count
    if "layer_types" in config:
        config["layer_types"] = config["layer_types"][:1] * count
    (folder / "config.json").write_text(json.dumps(config))
    make_tokenizer(folder)
    tensors = _tensors(folder)
    first = {name: value for name, value in tensors.items() if ".layers.0." in name}
    ends = {name: value for name, value in tensors.items() if name not in first}
    save_file(ends, folder / "ends.safetensors")
    save_file(first, folder / "layer-0.safetensors")
    written = dict.fromkeys(ends, "ends.safetensors")
    written |= {
        name.replace(".layers.0.", f".layers.{number}."): f"layer-{number}.safetensors"
        for name in first
        for number in range(count)
    }
    index = {"metadata": {}, "weight_map": written}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: _same_layer(folder, number), range(1, count)))


def _tensors(folder: Path) -> dict[str, Any]:
    """All that was saved, which is then removed."""
    from safetensors.torch import load_file

    found: dict[str, Any] = {}
    for path in folder.glob("*.safetensors"):
        found |= load_file(path)
        path.unlink()
    (folder / "model.safetensors.index.json").unlink(missing_ok=True)
    return found


def _same_layer(folder: Path, number: int) -> None:
    """The file of layer 0 under other names: eight bytes of length, the names, the numbers."""
    with (folder / "layer-0.safetensors").open("rb") as source:
        names = source.read(int.from_bytes(source.read(8), "little")).decode()
        names = names.replace(".layers.0.", f".layers.{number}.")
        names += " " * (-len(names) % 8)
        with (folder / f"layer-{number}.safetensors").open("wb") as target:
            target.write(len(names).to_bytes(8, "little") + names.encode())
            shutil.copyfileobj(source, target, 2**26)


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
