"""An adapter under FSDP: its weights gathered, written and set without the frozen base.

The Trainer's own way does not serve. accelerate gathers the whole model, three times for each checkpoint: of
70 billion weights in 4 bits that is 40 GB each time, for an adapter of some hundred megabytes. And peft 0.21
then writes an empty adapter without a word: it looks for its weights by the names that the modules have under
FSDP, and the gathered ones have those that they have without.

peft's wrapping gives each matrix of an adapter an FSDP unit of its own
(`peft.utils.other.fsdp_auto_wrap_policy`), so that these alone can be gathered.
"""

from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import torch
from torch.distributed.fsdp import FullyShardedDataParallel

from tuner_tui.recipes import ranks

_WRAPPED = "_fsdp_wrapped_module."
_ADAPTER = "adapter_model.safetensors"


def save(model: Any, folder: Path) -> None:
    """Write the adapter as peft does without FSDP; all processes have to call it."""
    found: dict[str, torch.Tensor] = {}
    for name, unit in _trained(model):
        with FullyShardedDataParallel.summon_full_params(unit, recurse=False, writeback=False):
            if ranks.is_main():
                for part, weight in unit.module.named_parameters():
                    found[_stored(f"{name}{part}")] = weight.detach().cpu().clone()
    if not ranks.is_main():
        return
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(found, folder / _ADAPTER, metadata={"format": "pt"})
    config = copy(model.module.peft_config["default"])
    config.inference_mode = True
    config.save_pretrained(str(folder))


def load(model: Any, checkpoint: Path) -> None:
    """Set the adapter's weights to those of a checkpoint; all processes have to call it.

    Raises:
        KeyError: the checkpoint is of another adapter.
    """
    from safetensors.torch import load_file

    saved = load_file(checkpoint / _ADAPTER)
    for name, unit in _trained(model):
        with FullyShardedDataParallel.summon_full_params(unit, recurse=False), torch.no_grad():
            for part, weight in unit.module.named_parameters():
                weight.copy_(saved[_stored(f"{name}{part}")])


def save_optimizer(trainer: Any, folder: Path) -> None:
    """Write the optimizer's and the scheduler's state, as the Trainer reads them."""
    from accelerate.utils import save_fsdp_optimizer

    accelerator = trainer.accelerator
    save_fsdp_optimizer(
        accelerator.state.fsdp_plugin, accelerator, trainer.optimizer, trainer.model, str(folder)
    )
    if ranks.is_main():
        torch.save(trainer.lr_scheduler.state_dict(), folder / "scheduler.pt")


def _stored(name: str) -> str:
    """The name that peft gives a weight in a file: without the adapter's, which is always "default"."""
    name = name.replace(".modules_to_save.default.", ".").replace(".default.", ".")
    # DoRA's magnitudes were parameters once, and are stored as such.
    return name.removesuffix(".weight") if name.endswith(".lora_magnitude_vector.weight") else name


def _trained(model: Any) -> Iterator[tuple[str, Any]]:
    """The innermost units that are trained, in the same order in all processes, and the starts of names."""
    # FSDP sets itself up at the first use of a unit, and would take that one for the whole model.
    with FullyShardedDataParallel.summon_full_params(model, recurse=False, writeback=False):
        pass
    for name, unit in model.named_modules():
        if (
            isinstance(unit, FullyShardedDataParallel)
            and not any(isinstance(part, FullyShardedDataParallel) for part in unit.module.modules())
            and any(weight.requires_grad for weight in unit.parameters())
        ):
            yield f"{name}.".replace(_WRAPPED, ""), unit
