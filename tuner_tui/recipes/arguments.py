"""TrainConfig -> the arguments that all of TRL's trainers share."""

from pathlib import Path
from typing import Any

from tuner_tui.errors import UserError
from tuner_tui.recipes import ranks
from tuner_tui.runs import layout
from tuner_tui.training.config import TrainConfig
from tuner_tui.training.launchers import DIVIDING

_SCHEDULES = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}


def common_arguments(
    config: TrainConfig, run_dir: Path, *, dtype: Any, cuda: bool, evaluates: bool
) -> dict[str, Any]:
    """Keyword arguments for SFTConfig, DPOConfig, KTOConfig, RewardConfig, GRPOConfig and RLOOConfig.

    Args:
        dtype: of the computation, torch's.
        cuda: whether the model is on a GPU.
        evaluates: whether there are rows to evaluate on.

    Raises:
        UserError: the effective batch cannot be divided among the processes of the run, or the engine needs
            GPUs.
    """
    wanted, logging = config.optimization, config.logging
    return {
        **_engine(config, cuda),
        "output_dir": str(run_dir / layout.CHECKPOINTS),
        "seed": config.seed,
        "data_seed": config.seed,
        "learning_rate": wanted.learning_rate,
        "lr_scheduler_type": _SCHEDULES[wanted.schedule],
        "warmup_steps": wanted.warmup_ratio,  # a fraction below 1 is a share of all steps
        "weight_decay": wanted.weight_decay,
        "max_grad_norm": wanted.max_grad_norm,
        "optim": wanted.optimizer,
        "per_device_train_batch_size": wanted.micro_batch,
        "per_device_eval_batch_size": wanted.micro_batch,
        "gradient_accumulation_steps": _accumulation(config),
        "num_train_epochs": wanted.epochs,
        "max_steps": wanted.max_steps or -1,
        "gradient_checkpointing": wanted.gradient_checkpointing != "none",
        "gradient_checkpointing_kwargs": {"selective": True}
        if wanted.gradient_checkpointing == "selective"
        else None,
        "bf16": str(dtype) == "torch.bfloat16",
        "use_cpu": not cuda,
        "logging_steps": logging.log_every,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # the default shows a NaN loss as 0.0
        "eval_strategy": "steps" if logging.eval_every and evaluates else "no",
        "eval_steps": logging.eval_every or None,
        "save_strategy": "steps",
        "save_steps": logging.save_every,
        "dataloader_pin_memory": cuda,
        "disable_tqdm": True,
        "report_to": "none",
    }


def _accumulation(config: TrainConfig) -> int:
    """Micro-batches that each process computes for one optimizer step; the effective batch is kept."""
    batch, at_once = config.optimization.effective_batch, config.optimization.micro_batch * ranks.world()
    if batch % at_once:
        raise UserError(
            f"optimization.effective_batch ({batch}) must be a multiple of micro_batch x processes "
            f"({config.optimization.micro_batch} x {ranks.world()})."
        )
    return batch // at_once


def _engine(config: TrainConfig, cuda: bool) -> dict[str, Any]:
    """How several processes share the work; nothing for one."""
    if ranks.world() == 1:
        return {}
    if config.launch.engine in DIVIDING and not cuda:
        raise UserError(
            f"launch.engine: {config.launch.engine} divides a model among GPUs, and there is none; take ddp."
        )
    if config.launch.engine == "fsdp":
        # Version 1: accelerate leaves 4-bit weights out of what version 2 divides (accelerate#3874).
        # transformers wraps the layers as peft needs it.
        settings = {"version": 1, "reshard_after_forward": "full_shard", "use_orig_params": False}
        return {"fsdp": True, "fsdp_config": settings}
    if config.launch.engine == "deepspeed":
        return {"deepspeed": _ZERO_3}
    return {"ddp_find_unused_parameters": False}


_ZERO_3 = {
    "zero_optimization": {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True},
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "bf16": {"enabled": "auto"},
}
"""ZeRO stage 3 (arXiv:1910.02054); "auto" is filled in from the Trainer's own arguments."""
