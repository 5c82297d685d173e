"""The model of random weights and the rows of random words that all cases train on."""

import gc
import json
import math
import random
from pathlib import Path
from typing import Any

LLAMA_3_8B = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 128256,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
}
SMALL = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "vocab_size": 4096,
}


def make_model(folder: Path, shape: dict[str, Any]) -> None:
    """A Llama of random weights in NF4 with double quantization, and the embedded model's tokenizer.

    It is quantized here, once, so that no case is charged for it: each loads the same 4-bit file.
    """
    import bitsandbytes as bnb
    import torch
    from transformers import AutoTokenizer, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM

    from tuner_tui import paths

    tokenizer = AutoTokenizer.from_pretrained(paths.embedded_model())
    config = LlamaConfig(
        **shape,
        max_position_embeddings=32768,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    with torch.device(device):
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    for layer in model.model.layers:
        for parent in (layer.self_attn, layer.mlp):
            for name, linear in list(parent.named_children()):
                if isinstance(linear, torch.nn.Linear):
                    setattr(parent, name, _quantized(bnb, linear, dtype, device))
    model.is_loaded_in_4bit = True
    model.config.quantization_config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    del model
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


def _quantized(bnb: Any, linear: Any, dtype: Any, device: str) -> Any:
    made = bnb.nn.Linear4bit(
        linear.in_features, linear.out_features, bias=False, compute_dtype=dtype,
        compress_statistics=True, quant_type="nf4", device="meta",
    )  # fmt: skip
    made.weight = bnb.nn.Params4bit(
        linear.weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True, module=made
    ).to(device)
    return made


def lengths(rows: int, longest: int, median: float, seed: int = 0) -> list[int]:
    """Log-normal lengths (sigma 0.7) from 64 to `longest` tokens."""
    chance = random.Random(seed)
    return [max(64, min(longest, int(chance.lognormvariate(math.log(median), 0.7)))) for _ in range(rows)]


def make_rows(folder: Path, rows: int, longest: int, median: float) -> None:
    """`rows.jsonl`: a short request and a long answer of random words, nearly all of it learned.

    `pairs.jsonl`: the same request with two answers, for preference methods.
    """
    from tokenizers import Tokenizer

    from tuner_tui import paths

    tokenizer = Tokenizer.from_file(str(Path(paths.embedded_model()) / "tokenizer.json"))
    words = [
        word for word in sorted(tokenizer.get_vocab()) if word.isascii() and word.isalpha() and word.islower()
    ]
    words = [word for word in words if len(tokenizer.encode(f" {word} ").ids) == 3]
    chance = random.Random(1)

    def answer(tokens: int) -> dict[str, str]:
        # A word and the space after it are two tokens; the template adds some twenty.
        return {"role": "assistant", "content": " ".join(chance.choices(words, k=max(8, tokens // 2 - 10)))}

    ask = {"role": "user", "content": "Go on."}
    with (folder / "rows.jsonl").open("w") as file:
        for length in lengths(rows, longest, median):
            file.write(json.dumps({"messages": [ask, answer(length)]}) + "\n")
    with (folder / "pairs.jsonl").open("w") as file:
        for length in lengths(rows // 4, longest, median, seed=2):
            chosen, rejected = answer(length), answer(int(length * chance.uniform(0.6, 1.2)))
            file.write(json.dumps({"prompt": [ask], "chosen": [chosen], "rejected": [rejected]}) + "\n")
