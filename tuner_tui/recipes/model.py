"""The base model, ready to be trained: number type, 4-bit weights, attention, tokenizer, adapter."""

import re
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GenerationConfig

from tuner_tui import paths
from tuner_tui.errors import UserError
from tuner_tui.recipes import ranks
from tuner_tui.training.config import TrainConfig


def compute_dtype(choice: str) -> torch.dtype:
    """The number type of the computation.

    auto: bfloat16 where the hardware has units for it (CUDA compute capability 8.0 and up; x86 with
    AVX512-BF16 or AMX), float32 elsewhere: emulated bfloat16 is three to six times slower than float32.
    """
    if choice != "auto":
        return torch.float32 if choice == "float32" else torch.bfloat16
    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.get_device_capability() >= (8, 0) else torch.float32
    return torch.bfloat16 if _cpu_flags() & {"avx512_bf16", "amx_bf16"} else torch.float32


def load_tokenizer(name: str) -> Any:
    """The tokenizer of a model ("embedded", a folder or a hub id), with a chat template.

    Raises:
        UserError: it cannot be loaded, or has no chat template.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(paths.resolve_model(name))
    except (OSError, ValueError) as error:
        raise UserError(f'cannot load the tokenizer of model "{name}": {_first_line(error)}') from error
    if not tokenizer.chat_template:
        raise UserError(
            f'model "{name}" has no chat template, so it cannot hold '
            "conversations; take its instruct or chat variant."
        )
    return tokenizer


def stored_dtype(name: str) -> torch.dtype:
    """The number type in which a model's weights are stored."""
    return AutoConfig.from_pretrained(paths.resolve_model(name)).dtype or torch.float32


def load_base(
    name: str,
    dtype: torch.dtype,
    *,
    bits: int | None,
    double: bool,
    attention: str = "auto",
    kind: Any = AutoModelForCausalLM,
    storage: torch.dtype = torch.uint8,
    **options: Any,
) -> Any:
    """The base model ("embedded", a folder or a hub id) on the device that computes.

    With `bits` 4 the linear layers are stored as NF4 (QLoRA, arXiv:2305.14314), with `double` the
    constants of quantization are quantized too. The evaluator loads the model through this very function,
    so that what is measured is what was trained. `storage` is the number type that packs the 4-bit values.

    Raises:
        UserError: it cannot be loaded.
    """
    quantization = None
    if bits == 4:
        quantization = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=double,
            bnb_4bit_compute_dtype=dtype,
            bnb_4bit_quant_storage=storage,
        )
    try:
        model = kind.from_pretrained(
            paths.resolve_model(name),
            dtype=dtype,
            quantization_config=quantization,
            attn_implementation=attention if attention in ("sdpa", "eager") else "sdpa",
            device_map={"": ranks.local_rank()} if torch.cuda.is_available() else {"": "cpu"},
            **options,
        )
    except (OSError, ValueError) as error:
        raise UserError(f'cannot load the model "{name}": {_first_line(error)}') from error
    _keep_as_stored(model)
    return model


def _keep_as_stored(model: Any) -> None:
    """Keep bitsandbytes from repacking 4-bit weights in place, as it does on CPUs with AVX512-BF16 in the
    first pass of an evaluation. The constants are rounded then, and no gradient goes through a repacked layer
    any more (bitsandbytes 0.50, `matmul_4bit`): a run would go on learning worse, and say so nowhere.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def stop_tokens(name: str) -> frozenset[int]:
    """The tokens at which the model stops by its generation config; often more than the tokenizer's one."""
    try:
        ends = GenerationConfig.from_pretrained(paths.resolve_model(name)).eos_token_id
    except (OSError, ValueError):  # a model need not have one
        return frozenset()
    return frozenset(ends if isinstance(ends, list) else [ends]) - {None}


def lora(config: TrainConfig, task: str = "CAUSAL_LM") -> LoraConfig:
    """The adapter's shape, in peft's terms; `task` is peft's, such as "SEQ_CLS" for a reward model."""
    targets = config.lora.targets
    return LoraConfig(
        task_type=task,
        r=config.lora.r,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        use_rslora=config.lora.rslora,
        use_dora=config.lora.dora,
        target_modules=targets
        if targets == "all-linear"
        else [name.strip() for name in targets.split(",") if name.strip()],
    )


def device_name() -> str:
    """What computes, for a person."""
    if not torch.cuda.is_available():
        return f"CPU, {torch.get_num_threads()} threads"
    gpu = torch.cuda.get_device_properties(ranks.local_rank())
    count = f"{ranks.world()} × " if ranks.world() > 1 else ""
    return f"{count}{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB"


def _cpu_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        return set()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return set(found[1].split()) if found else set()


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
