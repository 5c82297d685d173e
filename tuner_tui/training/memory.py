"""Memory of a run by part, from the model's shape and the configuration alone.

Each formula counts the tensors that PyTorch keeps: of transformers, peft and TRL, counted with
`torch.autograd.graph.saved_tensors_hooks` on small models; of tuner's own layers, by what they save
(`recipes/kernels/layer.py`). All of them are held against measurements by `benchmarks/memory.py`.

T is the number of tokens computed at once, h the hidden size, i the feed-forward size, q and kv the sizes of
all query heads and of all key or value heads, w the bytes of a number.
"""

from dataclasses import dataclass
from typing import Literal

from tuner_tui.training.config import TrainConfig
from tuner_tui.training.shapes import Shape

Path = Literal["fast", "liger", "plain"]
"""Which layers compute: tuner's own, Liger's with attention over laid-out rows, or those of transformers."""

CONTEXT = 600_000_000
"""Bytes that CUDA takes for itself, or PyTorch's libraries on a CPU."""

_ATTENTION = ("q_proj", "k_proj", "v_proj")
_ROWS_EACH = {"dpo": 2, "reward": 2}
"""Rows of a pair count as one row of the micro-batch, and are computed together."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the formulas need beside the shape.

    `tokens` are computed at once; `width` is the bytes of a number; `adapted` are the names of the linear
    layers with an adapter; `lora` is False where every weight is trained.
    """

    config: TrainConfig
    path: Path
    tokens: int
    width: int
    adapted: frozenset[str]

    @property
    def lora(self) -> bool:
        """Whether an adapter is trained, and not the weights themselves."""
        return self.config.lora.enabled

    @property
    def checkpointing(self) -> str:
        """none, selective or full."""
        return self.config.optimization.gradient_checkpointing


def work_of(shape: Shape, config: TrainConfig, *, half: bool, on_gpu: bool) -> Work:
    """What a configuration makes of a shape.

    Args:
        half: whether it computes in 16 bits.
        on_gpu: whether a GPU computes: the fast layers are for one.
    """
    rows = config.optimization.micro_batch * _ROWS_EACH.get(config.method, 1)
    return Work(
        config,
        path_of(shape, config, half=half, on_gpu=on_gpu),
        rows * config.data.max_length,
        2 if half else 4,
        shape.adapted(config.lora.targets) if config.lora.enabled else frozenset(shape.linears),
    )


def path_of(shape: Shape, config: TrainConfig, *, half: bool, on_gpu: bool) -> Path:
    """Which layers will compute: `recipes/kernels` decides it in the run, by the same rules."""
    if config.model.kernels == "off" or not (half and on_gpu) or shape.experts > 1:
        return "plain"
    divided = config.launch.gpus * config.launch.nodes > 1 and config.launch.engine in ("fsdp", "deepspeed")
    plain_lora = config.lora.enabled and not config.lora.dora and not config.lora.dropout
    if shape.family in ("llama", "mistral", "qwen2", "qwen3") and plain_lora and not divided:
        return "fast"
    return "liger"


def parts(shape: Shape, work: Work) -> dict[str, int]:
    """Bytes by part; their sum is what the allocator holds at the peak (`max_memory_reserved`)."""
    found = {
        "weights": weight_bytes(shape, work),
        "quantisation constants": constant_bytes(shape, work),
        **trained_bytes(shape, work),
        "activations": activation_bytes(shape, work),
    }
    loss, layer = loss_bytes(shape, work), workspace_bytes(shape, work)
    # They do not coincide: the loss is over when the last layer's gradient begins.
    found["loss"] = loss if loss > layer else 0
    found["workspace"] = unpacked_bytes(shape, work) + (0 if loss > layer else layer)
    moving = found["activations"] + found["loss"] + found["workspace"]
    if (cache := cache_bytes(shape, work)) > moving:
        # Answers are made before they are learned from: the larger of the two is the peak.
        found |= {"activations": 0, "loss": 0, "workspace": 0, "cache of answers": cache}
        moving = cache
    found["fragmentation"] = round(_FRAGMENTATION * moving)
    return found


_FRAGMENTATION = 0.04
"""Share of what comes and goes in a step that the allocator holds beside it, with expandable segments."""


def weight_bytes(shape: Shape, work: Work) -> int:
    """The base model's weights: 4 bits each where they are quantised, the embeddings and norms in 16 or
    32."""
    if not work.lora:
        return shape.weights * 4  # trained in float32
    if work.config.quantization.bits is None:
        return shape.weights * work.width
    return shape.quantised_weights // 2 + (shape.weights - shape.quantised_weights) * work.width


def constant_bytes(shape: Shape, work: Work) -> int:
    """For each block of 64 4-bit weights a constant: 32 bits, or, quantised themselves, 8 bits and 32 for
    256 of them (QLoRA, arXiv:2305.14314, section 3): 0.5 or 0.127 bits a weight."""
    if work.config.quantization.bits is None:
        return 0
    bits = 8 / 64 + 32 / (64 * 256) if work.config.quantization.double else 32 / 64
    return round(shape.quantised_weights * bits / 8)


def trained_bytes(shape: Shape, work: Work) -> dict[str, int]:
    """What is trained: LoRA's r x (in + out) weights a layer (arXiv:2106.09685), or all weights; float32.

    A gradient each, and Adam's two moments (float32; one byte each in the 8-bit optimizer). The heads of a
    reward or value model are too small to count; PPO's value adapter is as large as the policy's.
    """
    config = work.config
    count = shape.weights
    if work.lora:
        count = shape.adapter_weights(config.lora.r, config.lora.targets)
        if config.method == "ppo":
            count *= 2
    moments = 2 if config.optimization.optimizer == "paged_adamw_8bit" else 8
    made = {"adapter": 4 * count if work.lora else 0, "gradients": 4 * count, "optimizer": moments * count}
    if work.path == "fast":  # a copy in 16 bits of the adapter, made once a step
        made["adapter"] += 2 * count
    return made


def activation_bytes(shape: Shape, work: Work) -> int:
    """What the forward pass keeps for the backward pass.

    Every layer keeps `layer_bytes` for each token; a checkpointed one its input alone (arXiv:1604.06174), and
    with selective checkpointing every other one is.
    """
    full, kept = layer_bytes(shape, work), work.width * shape.hidden
    layers = shape.layers
    checkpointed = {"none": 0, "selective": layers // 2, "full": layers}[work.checkpointing]
    return work.tokens * ((layers - checkpointed) * full + checkpointed * kept)


def layer_bytes(shape: Shape, work: Work) -> int:
    """Bytes that one layer keeps for one token."""
    h, i = shape.hidden, shape.feed_forward * shape.active_experts
    q, kv, w = shape.query, shape.key_value, work.width
    norms = 4 if shape.extra_norms else 2
    into_heads = bool(work.adapted & set(_ATTENTION))
    into_pair = bool(work.adapted & {"gate_proj", "up_proj"})
    down = "down_proj" in work.adapted
    if work.path == "fast":
        # Its input, the heads, attention's output and its log-sums, the middle, gate and up; norms again.
        turned = q + kv if shape.normalized_heads else 0
        return w * (2 * h + (q + 2 * kv) + turned + q + 2 * i) + 4 * shape.heads
    inputs = h * into_heads + h * into_pair + i * down
    if work.path == "liger":
        turned = q + kv if shape.normalized_heads else 0
        return w * (norms * h + inputs + (q + 2 * kv) + turned + q + 2 * i) + 4 * shape.heads
    # transformers' own: each norm keeps its input in float32 twice over; the activation its input and output.
    saved = norms * 4 * h + w * (inputs + 3 * i) + 2 * w * (q + kv) * (2 if shape.normalized_heads else 1)
    saved += 14 * work.config.lora.r * work.lora
    if work.lora and w == 2 and work.config.quantization.bits is None:
        # peft widens the input of each adapted layer to the adapter's float32, autocast narrows it again: a
        # copy for each, where they would share one.
        heads = len(work.adapted & set(_ATTENTION))
        saved += w * (h * max(0, heads - 1) + h * into_pair + q * ("o_proj" in work.adapted))
    if work.config.data.packing and work.config.optimization.micro_batch > 1:
        # sdpa under a mask repeats the key and value heads, and keeps the mask.
        saved += 2 * w * (q - kv) + w * work.tokens
    if work.config.lora.dropout:
        saved += w * (8 * h + i + 2 * q)
    if work.config.lora.dora:
        saved += w * sum(shape.linears[name][1] for name in work.adapted)
    return saved


def cache_bytes(shape: Shape, work: Work) -> int:
    """Keys and values of all tokens while answers are made, 2·kv a layer, of prompts and answers up to
    data.max_length: PPO samples `ppo.sample_batch` answers at once, TRL's GRPO and RLOO all of a step."""
    config = work.config
    if config.method == "ppo":
        rows = min(config.ppo.sample_batch, config.ppo.rollouts)
    elif config.method in ("grpo", "rloo"):
        rows = config.optimization.effective_batch // max(1, config.launch.gpus * config.launch.nodes)
    else:
        return 0
    return rows * config.data.max_length * shape.layers * 2 * shape.key_value * work.width


def unpacked_bytes(shape: Shape, work: Work) -> int:
    """Room for weights that are unpacked from their 4 bits: one matrix at a time, or, in the fast layers,
    those that lie together (query, key and value; gate and up) and one of the others."""
    if not work.config.quantization.bits or not work.lora:
        return 0
    h, i, q, kv = shape.hidden, shape.feed_forward, shape.query, shape.key_value
    if work.path == "fast":
        return work.width * h * (max(q + 2 * kv, 2 * i) + max(q, i))
    return work.width * h * i


def loss_bytes(shape: Shape, work: Work) -> int:
    """Head and loss are computed together, in pieces, never the logits of all tokens at once: TRL takes
    pieces of 4096 tokens and 32768 words, the fast path pieces of 256 MiB. Beside them stand hidden states,
    their gradient and a copy. Methods that need the logarithm of each token's probability (PPO, GRPO, RLOO)
    hold the logits of the answers: 16 bits, and float32 twice."""
    config = work.config
    states = 3 * work.width * shape.hidden * work.tokens
    if config.method in ("ppo", "grpo", "rloo"):
        answer = config.ppo.max_new_tokens if config.method == "ppo" else config.grpo.max_new_tokens
        return states + config.optimization.micro_batch * answer * shape.vocabulary * (work.width + 8)
    if work.path == "fast":
        return 4 * work.width * shape.hidden * work.tokens + 2**28
    return states + min(work.tokens, 4096) * min(shape.vocabulary, 32768) * 3


def workspace_bytes(shape: Shape, work: Work) -> int:
    """One layer at work: in the backward pass the gradients inside it; where it is checkpointed, in either
    pass, what it makes and does not keep. transformers' layers give back what they kept as the gradients
    come, so half of these are counted."""
    h, i, w = shape.hidden, shape.feed_forward * shape.active_experts, work.width
    if work.path != "fast":
        size = work.tokens * w * (i + h)
        if work.checkpointing != "none":
            size += work.tokens * layer_bytes(shape, work)
        return size
    backward = work.tokens * w * (i + 5 * h)
    if work.checkpointing == "none":
        return backward
    q, kv = shape.query, shape.key_value
    turned = q + kv if shape.normalized_heads else 0
    made = (q + 2 * kv) + q + turned
    forward = work.tokens * w * (made + 3 * i + 2 * h)
    # Beside what is made again stand gradients: of the heads, of attention's output, of the layer's input,
    # and those of the queries once more, in float32, as the flash kernels sum them. The feed-forward goes in
    # parts.
    gradients = work.tokens * (w * ((q + 2 * kv) + q + 2 * h) + 4 * q)
    again = work.tokens * w * made + gradients + min(work.tokens, 4096) * w * (3 * i + h)
    return max(backward, forward, again)
