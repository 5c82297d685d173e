"""What a PPO run writes down: a checkpoint from which it goes on exactly, and its result."""

from pathlib import Path
from typing import Any

import orjson
import torch

from tuner_tui.recipes import checkpoints
from tuner_tui.recipes.ppo_math import KLController
from tuner_tui.recipes.ppo_models import Models
from tuner_tui.runs import layout

_OPTIMIZER, _SCHEDULER, _STATE = "optimizer.pt", "scheduler.pt", "trainer_state.json"


def make_optimizer(
    name: str, groups: list[dict[str, Any]], *, learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """AdamW over groups of weights; `name` as in the configuration."""
    if name == "paged_adamw_8bit":
        from bitsandbytes.optim import PagedAdamW8bit

        paged: torch.optim.Optimizer = PagedAdamW8bit(groups, lr=learning_rate, weight_decay=weight_decay)
        return paged
    fused = name == "adamw_torch_fused"
    return torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay, fused=fused)


def save_state(
    folder: Path,
    models: Models,
    optimizer: torch.optim.Optimizer,
    schedule: Any,
    controller: KLController,
    *,
    step: int,
    tokens: int,
) -> None:
    """Write a checkpoint. There is no state of random numbers in it: a step makes its own from its number."""
    models.save(folder, value=True)
    torch.save(optimizer.state_dict(), folder / _OPTIMIZER)
    torch.save(schedule.state_dict(), folder / _SCHEDULER)
    state = {"global_step": step, "num_tokens": tokens, "kl_weight": controller.weight}
    (folder / _STATE).write_bytes(orjson.dumps(state))


def load_state(
    folder: str | None,
    models: Models,
    optimizer: torch.optim.Optimizer,
    schedule: Any,
    controller: KLController,
) -> tuple[int, int]:
    """Go on from a checkpoint, if there is one: the steps done, and the tokens seen in them."""
    if folder is None:
        return 0, 0
    path = Path(folder)
    models.load(path)
    optimizer.load_state_dict(torch.load(path / _OPTIMIZER, map_location=models.device, weights_only=True))
    schedule.load_state_dict(torch.load(path / _SCHEDULER, weights_only=True))
    state = orjson.loads((path / _STATE).read_bytes())
    controller.weight = state["kl_weight"]
    return state["global_step"], state["num_tokens"]


def write_adapter(run_dir: Path, models: Models) -> None:
    """Publish the policy as the run's adapter."""
    with checkpoints.published(run_dir / layout.ADAPTER) as staging:
        models.save(staging, value=False)
