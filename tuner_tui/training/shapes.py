"""The shape of a model, from its `config.json` alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tuner_tui import paths
from tuner_tui.errors import UserError


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a decoder-only transformer; where its layers differ, the means of them.

    `experts` and `active_experts` are 1 unless it is a mixture; `shared` is the feed-forward size of the
    expert that every token passes; `layer_inputs` the size of what Gemma 4 looks up for each token and layer.
    """

    hidden: int
    feed_forward: int
    layers: int
    query: int
    key_value: int
    vocabulary: int
    tied: bool
    normalized_heads: bool
    experts: int = 1
    active_experts: int = 1
    family: str = "llama"
    head: int = 128
    shared: int = 0
    layer_inputs: int = 0

    @property
    def heads(self) -> int:
        """Query heads."""
        return self.query // self.head

    @property
    def extra_norms(self) -> bool:
        """Whether a norm stands behind attention and feed-forward, too (Gemma 2 and later)."""
        return self.family.startswith(("gemma2", "gemma3", "gemma4"))

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of the linear layers of one block, one expert's feed-forward among them."""
        h, i, q, kv = self.hidden, self.feed_forward, self.query, self.key_value
        return {
            "q_proj": (h, q),
            "k_proj": (h, kv),
            "v_proj": (h, kv),
            "o_proj": (q, h),
            "gate_proj": (h, i),
            "up_proj": (h, i),
            "down_proj": (i, h),
        }

    @property
    def linear_weights(self) -> int:
        """Weights of the linear layers of all blocks, the experts among them."""
        attention = sum(self.linears[name][0] * self.linears[name][1] for name in _ATTENTION)
        forward = 3 * self.hidden * (self.experts * self.feed_forward + self.shared)
        return self.layers * (attention + forward + 2 * self.hidden * self.layer_inputs)

    @property
    def quantised_weights(self) -> int:
        """Those that 4-bit quantisation stores. Not the experts of a mixture: in transformers they are one
        tensor, no linear layers, which bitsandbytes leaves as they are."""
        fused = self.experts * 3 * self.hidden * self.feed_forward if self.experts > 1 else 0
        return self.linear_weights - self.layers * fused

    @property
    def other_weights(self) -> int:
        """Embeddings, head and norms: what stays in 16 or 32 bits."""
        matrices = 1 if self.tied else 2
        looked_up = self.layers * self.layer_inputs * (self.vocabulary + self.hidden)
        return matrices * self.vocabulary * self.hidden + looked_up + (2 * self.layers + 1) * self.hidden

    @property
    def weights(self) -> int:
        """All of them."""
        return self.linear_weights + self.other_weights

    def adapted(self, targets: str) -> frozenset[str]:
        """The linear layers of a block that `lora.targets` names."""
        # The experts of a mixture are one fused tensor in transformers, no linear layers to adapt.
        known = frozenset(_ATTENTION if self.experts > 1 else self.linears)
        if targets == "all-linear":
            return known
        return known & {name.strip().split(".")[-1] for name in targets.split(",")}

    def adapter_weights(self, rank: int, targets: str) -> int:
        """LoRA adds rank x (inputs + outputs) weights to each layer that it targets (arXiv:2106.09685)."""
        return self.layers * rank * sum(sum(self.linears[name]) for name in self.adapted(targets))


_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")

_KNOWN = {
    # (hidden, feed-forward, layers, heads, key-value heads, head size, vocabulary, tied, head norms), from
    # the config.json of each: presets can be estimated before anything is downloaded.
    "Qwen/Qwen3-0.6B": Shape(1024, 3072, 28, 16 * 128, 8 * 128, 151936, True, True, family="qwen3"),
    "Qwen/Qwen3-1.7B": Shape(2048, 6144, 28, 16 * 128, 8 * 128, 151936, True, True, family="qwen3"),
    "Qwen/Qwen3-4B": Shape(2560, 9728, 36, 32 * 128, 8 * 128, 151936, True, True, family="qwen3"),
    "Qwen/Qwen3-8B": Shape(4096, 12288, 36, 32 * 128, 8 * 128, 151936, False, True, family="qwen3"),
    "Qwen/Qwen2.5-7B-Instruct": Shape(
        3584, 18944, 28, 28 * 128, 4 * 128, 152064, False, False, family="qwen2"
    ),
    "meta-llama/Llama-3.1-8B-Instruct": Shape(4096, 14336, 32, 32 * 128, 8 * 128, 128256, False, False),
    "mistralai/Mistral-7B-Instruct-v0.3": Shape(4096, 14336, 32, 32 * 128, 8 * 128, 32768, False, False),
}


def model_shape(name: str) -> Shape:
    """The shape of a model: of a folder, of one in the hub's cache, or of one of a few known by name.

    Raises:
        UserError: its config.json is not on this machine, or not understood.
    """
    file = config_file(name)
    if file is None:
        if name in _KNOWN:
            return _KNOWN[name]
        raise UserError(
            f'the shape of model "{name}" is not known before it is downloaded; '
            f"`hf download {name} config.json` is enough for an estimate."
        )
    try:
        config = orjson.loads(file.read_bytes())
        return _from_config(config.get("text_config", config))
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{file} does not describe a language model that tuner knows: {error!r}.") from error


def config_file(name: str) -> Path | None:
    """The model's config.json on this machine, if it is here; for a hub id, in the hub's cache."""
    folder = Path(paths.resolve_model(name))
    if folder.is_dir():
        return folder / "config.json"
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    found = sorted(cache.glob(f"models--{name.replace('/', '--')}/snapshots/*/config.json"))
    return found[-1] if found else None


def _from_config(config: Mapping[str, Any]) -> Shape:
    hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    heads = int(config["num_attention_heads"])
    family = str(config.get("model_type", ""))
    experts = int(config.get("num_local_experts") or config.get("num_experts") or 1)
    feed_forward = int(
        (config.get("moe_intermediate_size") if experts > 1 else None) or config["intermediate_size"]
    )
    if config.get("use_double_wide_mlp"):  # Gemma 4: twice as wide in layers that share keys and values
        feed_forward += feed_forward * int(config.get("num_kv_shared_layers") or 0) // layers
    sizes = [_attention(config, layer) for layer in range(layers)]
    return Shape(
        hidden=hidden,
        feed_forward=feed_forward,
        layers=layers,
        query=round(sum(head * heads for head, _ in sizes) / layers),
        key_value=round(sum(head * count for head, count in sizes) / layers),
        vocabulary=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", family.startswith("gemma"))),
        normalized_heads=family.startswith(("qwen3", "gemma3", "gemma4")),
        family=family,
        head=sum(head for head, _ in sizes) // layers,
        experts=experts,
        active_experts=int(config.get("num_experts_per_tok") or 1) if experts > 1 else 1,
        shared=int(config.get("shared_expert_intermediate_size") or 0),
        layer_inputs=int(config.get("hidden_size_per_layer_input") or 0),
    )


def _attention(config: Mapping[str, Any], layer: int) -> tuple[int, int]:
    """(head size, key and value heads) of a layer; Gemma 4's layers of full attention have their own."""
    own: dict[str, Any] = dict(config)
    kinds = config.get("layer_types") or []
    if layer < len(kinds) and kinds[layer] == "full_attention":
        own["head_dim"] = config.get("global_head_dim") or config.get("head_dim")
        own["num_key_value_heads"] = config.get("num_global_key_value_heads") or config.get(
            "num_key_value_heads"
        )
    each = config.get("per_layer_config") or {}
    own |= next((value for key, value in each.items() if key.isdigit() and int(key) == layer), {})
    heads = int(own["num_attention_heads"])
    head = int(own.get("head_dim") or int(own["hidden_size"]) // heads)
    return head, int(own.get("num_key_value_heads") or heads)
