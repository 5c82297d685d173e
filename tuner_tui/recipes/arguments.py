"""TrainConfig -> the arguments that all of TRL's trainers share."""

from pathlib import Path
from typing import Any

from tuner_tui.runs import layout
from tuner_tui.training.config import TrainConfig

_SCHEDULES = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}


def common_arguments(
    config: TrainConfig, run_dir: Path, *, dtype: Any, cuda: bool, evaluates: bool
) -> dict[str, Any]:
    """Keyword arguments for SFTConfig, DPOConfig, KTOConfig, RewardConfig, GRPOConfig and RLOOConfig.

    Args:
        dtype: of the computation, torch's.
        cuda: whether the model is on a GPU.
        evaluates: whether there are rows to evaluate on.
    """
    wanted, logging = config.optimization, config.logging
    return {
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
        "gradient_accumulation_steps": wanted.effective_batch // wanted.micro_batch,
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
